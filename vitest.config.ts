import { playwright } from '@vitest/browser-playwright';
import { defineConfig, type TestProjectConfiguration } from 'vitest/config';
import { findEnvironments } from './scripts/environments.js';

const found = findEnvironments();

/** Large grids run only when asked for: `npm run test:large`. */
const large = process.env.FIRESIDE_LARGE === '1';
const pureTests = ['tests/**/*.test.ts'];
const gpuTests = ['tests/gpu/**/*.gpu.test.ts'];
const testTimeout = large ? 600_000 : 60_000;

const alias = {
  $lib: new URL('./src/lib', import.meta.url).pathname,
  $gpu: new URL('./gpu', import.meta.url).pathname,
};

/** Chromium's switches: its own software GPU, no sandbox (root in a container has none), and no talk to the outside. */
const chromiumSwitches = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** GPU tests under Node, on one Vulkan driver. Its loader reads the process's real environment: hence forks. */
function dawnProject(name: 'lavapipe' | 'swiftshader' | 'reduced', driver: string): TestProjectConfiguration {
  return {
    resolve: { alias },
    test: {
      name,
      include: gpuTests,
      pool: 'forks',
      testTimeout,
      hookTimeout: testTimeout,
      env: {
        VK_ICD_FILENAMES: driver,
        VK_DRIVER_FILES: driver,
        XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR ?? '/tmp',
      },
      provide: { environment: name, large },
    },
  };
}

const unit: TestProjectConfiguration = {
  resolve: { alias },
  test: { name: 'unit', include: pureTests, exclude: gpuTests, testTimeout, provide: { environment: 'unit', large } },
};

const chromium = (executablePath: string): TestProjectConfiguration => ({
  resolve: { alias },
  test: {
    name: 'chromium',
    include: gpuTests,
    testTimeout,
    hookTimeout: testTimeout,
    provide: { environment: 'chromium', large },
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: { executablePath, args: chromiumSwitches } }),
      instances: [{ browser: 'chromium' }],
    },
  },
});

const projects: TestProjectConfiguration[] = [unit];
if (found.lavapipe) {
  projects.push(dawnProject('lavapipe', found.lavapipe), dawnProject('reduced', found.lavapipe));
}
if (found.swiftshader) projects.push(dawnProject('swiftshader', found.swiftshader));
if (found.chromium) projects.push(chromium(found.chromium));

export default defineConfig({ test: { projects, maxWorkers: 2 } });
