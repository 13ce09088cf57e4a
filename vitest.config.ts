import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig, type TestProjectConfiguration } from 'vitest/config';
import { chromiumSwitches, findEnvironments, softwareGpuSwitches, vulkanEnvironment } from './scripts/environments.js';

/** The full grids, and the runs that take minutes: only when asked for, by `npm run test:large` and `test:soak`. */
const large = process.env.FIRESIDE_LARGE === '1';
const soak = process.env.FIRESIDE_SOAK === '1';

/** Environments that `npm test` has found unfit, and names at the end of its run. */
const unfit = JSON.parse(process.env.FIRESIDE_NOT_RUN ?? '[]') as string[];

/** A GPU test is written once and runs in every GPU environment; a soak test runs under Node, where memory shows. */
const gpuTests = ['tests/gpu/**/*.gpu.test.ts'];
const soakTests = ['tests/**/*.soak.test.ts'];
const pageTests = ['tests/e2e/**/*.e2e.test.ts'];
/** Downloads that are killed over and over, in a real browser. */
const pageSoakTests = ['tests/e2e/**/*.soak.test.ts'];
/** What depends on how wide a driver's subgroups are: on lavapipe it runs with the full width as well. */
const laneTests = ['tests/gpu/attention/variants.gpu.test.ts', 'tests/gpu/ops/selftest.gpu.test.ts'];
/**
 * Kernels that are the same everywhere, with nothing optional in them: what lavapipe and Chromium's SwiftShader say of
 * those counts for the same two drivers elsewhere. The full run asks everybody.
 */
const plainTests = large
  ? []
  : [
      ...['ops', 'quant', 'generate'].map((room) => `tests/gpu/${room}/**`),
      ...['llama-cpp', 'tinyllama', 'files', 'window'].map((name) => `tests/gpu/model/${name}.*`),
    ];
/**
 * In a page there is the same Dawn on the same driver as under Node, three times slower: it shows that both schedules, caches,
 * plans, products and a whole model compute there, and leaves the rest to Dawn under Node.
 */
const longInPages = large
  ? []
  : [
      ...['pool', 'cut', 'typical', 'session'].map((name) => `tests/gpu/generate/${name}.*`),
      ...['forward', 'families', 'window'].map((name) => `tests/gpu/model/${name}.gpu.test.ts`),
      ...['clamp', 'determinism', 'edges', 'errors', 'merge', 'oracle', 'oversize', 'packed'].map(attentionTest),
      ...['ragged', 'selftest', 'standard', 'variants', 'varlen'].map(attentionTest),
    ];
/** What two other environments say of the same kernels: published weights, and a second implementation's opinion. */
const saidTwice = large ? [] : ['tests/gpu/model/golden.*'];
/** Many kernels on tiny models: Dawn's SwiftShader compiles them in a tenth of lavapipe's time. */
const manyKernels = large ? [] : ['types', 'families'].map((name) => `tests/gpu/model/${name}-llama-cpp.*`);
const pureTests = {
  include: ['tests/**/*.test.ts'],
  exclude: [...gpuTests, ...soakTests, ...pageTests, ...pageSoakTests, '**/node_modules/**'],
};

const testTimeout = large || soak ? 1_800_000 : 300_000;
const shared = { testTimeout, hookTimeout: testTimeout, globalSetup: 'tests/support/pocket-setup.ts' };
const alias = { $lib: folder('src/lib'), $gpu: folder('gpu') };

function attentionTest(name: string): string {
  return `tests/gpu/attention/${name}.gpu.test.ts`;
}

function folder(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

/** Tests without a GPU. */
function unitProject(): TestProjectConfiguration {
  return {
    // What has runes in it.
    plugins: [svelte({ configFile: false })],
    resolve: { alias },
    test: { ...shared, ...pureTests, name: 'unit', provide: { environment: 'unit', large } },
  };
}

/** GPU tests under Node, on one Vulkan driver. Its loader reads the process's real environment: hence forks. */
function dawnProject(
  name: 'lavapipe' | 'wide' | 'wide32' | 'reduced' | 'swiftshader' | 'native',
  env: Record<string, string> = {},
  {
    include = gpuTests,
    exclude = [],
    setupFiles = [],
  }: { include?: string[]; exclude?: string[]; setupFiles?: string[] } = {},
): TestProjectConfiguration {
  return {
    resolve: { alias },
    test: {
      ...shared,
      name,
      include: soak ? soakTests : include,
      exclude,
      setupFiles,
      pool: 'forks',
      env,
      provide: { environment: name, large },
    },
  };
}

/** lavapipe three times, in the full run four. Each folder holds shaders of one width: Mesa does not ask which one it compiled them for. */
function lavapipeProjects(driver: string): TestProjectConfiguration[] {
  const cache = (name: string): { MESA_SHADER_CACHE_DIR: string } => {
    const path = folder(`.cache/mesa/${name}`);
    mkdirSync(path, { recursive: true });
    return { MESA_SHADER_CACHE_DIR: path };
  };
  // LLVM takes two to three times as long for vectors of 8 lanes as for vectors of 4, and compiling is most of the run.
  const narrow = { ...vulkanEnvironment(driver), ...cache('128'), LP_NATIVE_VECTOR_WIDTH: '128' };
  const wide = { ...vulkanEnvironment(driver), ...cache('widest') };
  // As most GPUs have them; LLVM makes do with narrower registers, and takes minutes over a few kernels.
  const wide32 = { ...vulkanEnvironment(driver), ...cache('1024'), LP_NATIVE_VECTOR_WIDTH: '1024' };
  return [
    // It has f16 and subgroups, so that nearly every shader comes by: Firefox's compiler reads them all.
    dawnProject('lavapipe', narrow, { exclude: manyKernels, setupFiles: ['tests/support/naga.ts'] }),
    ...(soak ? [] : [dawnProject('wide', wide, { include: laneTests })]),
    ...(large ? [dawnProject('wide32', wide32, { include: laneTests })] : []),
    dawnProject('reduced', narrow, {
      exclude: [...plainTests, ...manyKernels, ...saidTwice, ...(large ? [] : [attentionTest('determinism')])],
    }),
  ];
}

/** GPU tests in a real page, on Chromium's own software GPU. */
function browserProject(executablePath: string): TestProjectConfiguration {
  const args = [...chromiumSwitches, ...softwareGpuSwitches];
  return {
    resolve: { alias },
    test: {
      ...shared,
      name: 'chromium',
      include: gpuTests,
      exclude: longInPages,
      provide: { environment: 'chromium', large },
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider: playwright({ launchOptions: { executablePath, args } }),
        instances: [{ browser: 'chromium' }],
      },
    },
  };
}

/** The built app in a real browser, driven from Node. */
function pageProject(): TestProjectConfiguration {
  return {
    resolve: { alias },
    test: {
      ...shared,
      name: 'e2e',
      testTimeout: large || soak ? testTimeout : 180_000,
      include: soak ? pageSoakTests : pageTests,
      globalSetup: 'tests/e2e/build.ts',
      provide: { environment: 'e2e', large },
    },
  };
}

function projects(): TestProjectConfiguration[] {
  const { chromium, lavapipe, swiftshader } = findEnvironments();
  const fit = (name: string): boolean => !unfit.includes(name);
  return [
    ...(soak ? [] : [unitProject()]),
    ...(lavapipe && fit('lavapipe') ? lavapipeProjects(lavapipe) : []),
    ...(swiftshader && fit('swiftshader')
      ? [
          dawnProject('swiftshader', vulkanEnvironment(swiftshader), {
            exclude: [...plainTests, ...saidTwice, ...(large ? [] : [attentionTest('oracle')])],
          }),
        ]
      : []),
    // The machine's own GPU, where there is one to try.
    ...(process.env.FIRESIDE_NATIVE === '1' ? [dawnProject('native')] : []),
    ...(chromium && fit('chromium') ? [...(soak ? [] : [browserProject(chromium)]), pageProject()] : []),
  ];
}

/** Software GPUs use several cores each. One at a time where memory is measured. */
const maxWorkers = soak ? 1 : Math.max(2, Math.floor(availableParallelism() / 4));

export default defineConfig({ test: { projects: projects(), maxWorkers, passWithNoTests: soak } });
