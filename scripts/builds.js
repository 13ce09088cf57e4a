/** Builds, where what was built is older than what it was built from. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root, runPackage } from './packages.js';
import { writeTypes } from './types.js';

const CONFIG = ['package-lock.json', 'package.json', 'tsconfig.json'];

/** Builds the app to `build/`, with the pocket model in it, where that is older than its sources. Returns the exit code. */
export async function buildApp() {
  // Vite may not be there before the packages are.
  const { ensurePocket } = await import('./pocket.js');
  await ensurePocket();
  if (
    !isStale('build/index.html', [
      'src',
      'static',
      'gpu',
      'svelte.config.js',
      'vite.config.ts',
      'vite.widget.config.ts',
    ])
  )
    return 0;
  console.log('Building the app ...');
  // The script of the widget lies beside the app that it shows.
  return runVite() || runVite('vite.widget.config.ts');
}

/** Builds the library and its types to `dist/`, where they are older than their sources. Returns the exit code. */
export function buildLibrary() {
  if (!isStale('dist/types/gpu/index.d.ts', ['gpu', 'src/lib', 'vite.library.config.ts', 'tsconfig.library.json']))
    return 0;
  console.log('Building the library ...');
  return runVite('vite.library.config.ts') || writeTypes();
}

/** Builds the command line program to `dist/cli.js`, where that is older than its sources. Returns the exit code. */
export function buildCli() {
  if (!isStale('dist/cli.js', ['src/cli', 'src/lib', 'gpu', 'scripts/serve.js', 'vite.cli.config.ts'])) return 0;
  return runVite('vite.cli.config.ts');
}

/**
 * @param {string} [config] default: the app's
 * @returns {number} exit code
 */
function runVite(config) {
  const args = ['build', '--logLevel', 'warn', ...(config ? ['--config', config] : [])];
  // Tests, and Vite itself where it ran before in this process, have another mind; builds are for people.
  return runPackage('vite', args, { quiet: true, env: { ...process.env, NODE_ENV: 'production' } });
}

/**
 * @param {string} output a file that the build writes
 * @param {string[]} inputs files and folders, from the root, where they exist; the lock file and its like are always among them
 */
function isStale(output, inputs) {
  const file = join(root, output);
  if (!existsSync(file)) return true;
  const built = statSync(file).mtimeMs;
  const paths = [...inputs, ...CONFIG].map((input) => join(root, input)).filter((path) => existsSync(path));
  return paths.some((path) => newest(path) > built);
}

/**
 * @param {string} path
 * @returns {number} when the file, or anything in the folder, was last changed
 */
function newest(path) {
  const { mtimeMs } = statSync(path);
  const entries = statSync(path).isDirectory() ? readdirSync(path, { recursive: true, encoding: 'utf8' }) : [];
  return entries.reduce((latest, entry) => Math.max(latest, statSync(join(path, entry)).mtimeMs), mtimeMs);
}
