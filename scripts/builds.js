/** Builds, where what was built is older than what it was built from. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root, runPackage } from './packages.js';
import { writeTypes } from './types.js';

const CONFIG = ['package-lock.json', 'package.json', 'tsconfig.json'];

/** Builds the app to `build/`, where that is older than its sources. Returns the exit code. */
export function buildApp() {
  if (!isStale('build/index.html', ['src', 'static', 'gpu', 'svelte.config.js', 'vite.config.ts'])) return 0;
  console.log('Building the app ...');
  return runPackage('vite', ['build', '--logLevel', 'warn'], { quiet: true });
}

/** Builds the library and its types to `dist/`, where they are older than their sources. Returns the exit code. */
export function buildLibrary() {
  if (!isStale('dist/types/index.d.ts', ['gpu', 'vite.library.config.ts', 'tsconfig.library.json'])) return 0;
  console.log('Building the library ...');
  const status = runPackage('vite', ['build', '--config', 'vite.library.config.ts', '--logLevel', 'warn'], {
    quiet: true,
  });
  return status || writeTypes();
}

/** Builds the command line program to `dist/cli.js`, where that is older than its sources. Returns the exit code. */
export function buildCli() {
  if (!isStale('dist/cli.js', ['src/cli', 'src/lib', 'gpu', 'vite.cli.config.ts'])) return 0;
  return runPackage('vite', ['build', '--config', 'vite.cli.config.ts', '--logLevel', 'warn'], { quiet: true });
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
