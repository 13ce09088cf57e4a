/**
 * Where this machine keeps what the GPU tests run on: a Chromium, its SwiftShader, and Mesa's lavapipe.
 * It only looks; `scripts/provide.js` is what installs.
 */
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

/**
 * @typedef {object} Environments
 * @property {string | undefined} chromium the browser's program file
 * @property {string | undefined} lavapipe the Vulkan driver's description for Mesa's software renderer
 * @property {string | undefined} swiftshader the same for the software renderer that comes with Chromium
 */

/** Chromium without what a test does not need. Root in a container has no sandbox. */
export const chromiumSwitches = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** WebGPU on the software GPU that Chromium brings along. */
export const softwareGpuSwitches = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

/** @returns {Environments} */
export function findEnvironments() {
  const chromium = findChromium();
  return { chromium, lavapipe: findLavapipe(), swiftshader: findSwiftshader(chromium) };
}

/**
 * Points the Vulkan loader at one driver. It looks at the process's real environment, and only once.
 *
 * @param {string} driver path of the driver's description
 */
export function vulkanEnvironment(driver) {
  // The newer and the older name of the same setting; lavapipe also wants a folder for its sockets.
  return {
    VK_DRIVER_FILES: driver,
    VK_ICD_FILENAMES: driver,
    XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR ?? tmpdir(),
  };
}

/** @returns {string | undefined} */
export function findChromium() {
  const named = process.env.CHROME;
  if (named) return existsSync(named) ? named : undefined;
  return [...onPath(), ...usualPlaces()].find((file) => existsSync(file));
}

/** @returns {string[]} */
function onPath() {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return names.flatMap((name) => folders.map((folder) => join(folder, name + suffix)));
}

/** @returns {string[]} */
function usualPlaces() {
  const { ProgramFiles = '', LOCALAPPDATA = '', HOME = '' } = process.env;
  const programs = [ProgramFiles, process.env['ProgramFiles(x86)'] ?? '', LOCALAPPDATA].filter(Boolean);
  return {
    darwin: ['', HOME].flatMap((home) => [
      `${home}/Applications/Google Chrome.app/Contents/MacOS/Google Chrome`,
      `${home}/Applications/Chromium.app/Contents/MacOS/Chromium`,
      `${home}/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge`,
    ]),
    win32: programs.flatMap((folder) => [
      join(folder, 'Google', 'Chrome', 'Application', 'chrome.exe'),
      join(folder, 'Chromium', 'Application', 'chrome.exe'),
      join(folder, 'Microsoft', 'Edge', 'Application', 'msedge.exe'),
    ]),
    linux: ['/usr/lib/chromium/chromium', '/opt/google/chrome/chrome', '/snap/bin/chromium'],
  }[/** @type {'darwin' | 'win32' | 'linux'} */ (process.platform)];
}

/** @returns {string | undefined} */
function findLavapipe() {
  const folders = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d', '/usr/local/share/vulkan/icd.d'];
  for (const folder of folders.filter((name) => existsSync(name))) {
    // lvp_icd.json on newer systems, lvp_icd.x86_64.json and the like on others.
    const file = readdirSync(folder).find((name) => /^lvp_icd(\.\w+)?\.json$/.test(name));
    if (file) return join(folder, file);
  }
  return undefined;
}

/**
 * @param {string | undefined} chromium
 * @returns {string | undefined}
 */
function findSwiftshader(chromium) {
  const beside = chromium ? [dirname(realpathSync(chromium))] : [];
  const folders = [...beside, '/usr/lib/chromium', '/usr/lib/chromium-browser', '/opt/google/chrome'];
  return folders.map((folder) => join(folder, 'vk_swiftshader_icd.json')).find((file) => existsSync(file));
}
