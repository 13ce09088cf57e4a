/**
 * Installs npm packages where they are missing, and only there: a second run costs two reads and no network.
 * Plain Node without dependencies, since it runs before there are any.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '..');

/**
 * @typedef {object} LockedPackage
 * @property {string} version
 * @property {boolean} [optional] for another platform, perhaps
 * @property {boolean} [devOptional]
 */

/**
 * Makes `folder/node_modules` what `folder/package-lock.json` says; in the project itself also what SvelteKit generates
 * and every other tool reads, as tsconfig.json extends it.
 *
 * @param {string} folder
 * @returns {string | undefined} what went wrong, in one line
 */
export function ensurePackages(folder = root) {
  return install(folder) ?? (folder === root ? generate() : undefined);
}

/** @returns {string | undefined} */
function generate() {
  if (existsSync(join(root, '.svelte-kit', 'tsconfig.json'))) return undefined;
  const code = runPackage('@sveltejs/kit', ['sync'], { bin: 'svelte-kit', quiet: true });
  return code === 0 ? undefined : `svelte-kit sync failed with exit code ${code}`;
}

/**
 * @param {string} folder
 * @returns {string | undefined}
 */
function install(folder) {
  if (isInstalled(folder)) return undefined;
  const name = relative(root, folder);
  console.log(`Installing packages${name ? ` of ${name}` : ''} ...`);
  const { status, error } = npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund'], folder);
  if (status === 0) return undefined;
  return `npm ci in ${name || 'the project'} failed${error ? `: ${error.message}` : ` with exit code ${status}`}`;
}

/**
 * npm keeps a copy of the lock file in node_modules: of what it really installed there.
 *
 * @param {string} folder
 */
export function isInstalled(folder) {
  const installed = readLock(join(folder, 'node_modules', '.package-lock.json'));
  const wanted = readLock(join(folder, 'package-lock.json'));
  if (!wanted) throw new Error(`${folder} has no package-lock.json`);
  if (!installed) return false;
  return Object.entries(wanted).every(
    ([path, { version, optional, devOptional }]) =>
      path === '' || optional || devOptional || installed[path]?.version === version,
  );
}

/**
 * @param {string} file
 * @returns {Record<string, LockedPackage> | undefined}
 */
function readLock(file) {
  if (!existsSync(file)) return undefined;
  const { packages } = /** @type {{ packages: Record<string, LockedPackage> }} */ (
    JSON.parse(readFileSync(file, 'utf8'))
  );
  return packages;
}

/**
 * The npm that started us, or the one on the path.
 *
 * @param {string[]} args
 * @param {string} cwd
 */
function npm(args, cwd) {
  const itself = process.env.npm_execpath;
  const options = { cwd, env: withoutOurs(process.env), stdio: /** @type {const} */ ('inherit') };
  if (itself?.endsWith('.js')) return spawnSync(process.execPath, [itself, ...args], options);
  // On Windows npm is a batch file, which only a shell can start.
  return spawnSync('npm', args, { ...options, shell: process.platform === 'win32' });
}

/**
 * What `npm test` was started with, less what npm has read from the project's own .npmrc and hands down: there it would
 * go before the .npmrc of the folder that packages are installed in (tests/oracles is less strict about engines).
 *
 * @param {NodeJS.ProcessEnv} environment
 * @returns {NodeJS.ProcessEnv}
 */
export function withoutOurs(environment) {
  const ours = readFileSync(join(root, '.npmrc'), 'utf8').matchAll(/^([a-z-]+)=/gm);
  const names = new Set([...ours].map(([, name]) => `npm_config_${name?.replaceAll('-', '_')}`));
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !names.has(name)));
}

/**
 * Runs a program that came with a package, and waits for it.
 *
 * @param {string} name package
 * @param {string[]} args
 * @param {object} [options]
 * @param {string} [options.bin] program, where the package has several or names it otherwise
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {boolean} [options.quiet] show what it prints only where it fails
 * @returns {number} exit code
 */
export function runPackage(name, args, { bin = name, env = process.env, quiet = false } = {}) {
  const program = spawnSync(process.execPath, [packageProgram(name, bin), ...args], {
    cwd: root,
    env,
    stdio: quiet ? 'pipe' : 'inherit',
    encoding: 'utf8',
  });
  if (quiet && program.status !== 0) console.error(program.stdout + program.stderr);
  if (program.signal) console.error(`${name} was ended by ${program.signal}.`);
  return program.status ?? 1;
}

/**
 * The script behind a package's program: `node SCRIPT` runs it on any platform, without a shell.
 *
 * @param {string} name package
 * @param {string} [bin] program, where the package has several or names it otherwise
 * @returns {string} path
 */
export function packageProgram(name, bin = name) {
  const folder = join(root, 'node_modules', name);
  const manifest = /** @type {{ bin: string | Record<string, string> }} */ (
    JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  );
  const script = typeof manifest.bin === 'string' ? manifest.bin : manifest.bin[bin];
  if (!script) throw new Error(`The package ${name} has no program ${bin}`);
  return join(folder, script);
}
