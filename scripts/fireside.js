/**
 * `npm run fireside -- COMMAND ...` and `npm run bench -- NAME ...`: the command line program, built where it is stale.
 *
 * `--adapter lavapipe|swiftshader` picks a software adapter; `native`, or none, leaves it to Dawn.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { buildCli } from './builds.js';
import { findEnvironments, vulkanEnvironment } from './environments.js';
import { ensurePackages, root } from './packages.js';

const { adapter, args } = takeAdapter(process.argv.slice(2));

const failure = ensurePackages();
if (failure) stop(failure);
// These run in a browser, and not in the program.
if (args[0] === 'bench' && args[1] === 'store') {
  const { benchStore } = await import('../tests/bench/store/run.js');
  process.exit(await benchStore(args.slice(2)));
}
if (args[0] === 'bench' && args[1] === 'chat') {
  const { benchChat } = await import('../tests/bench/chat/run.js');
  process.exit(await benchChat(args.slice(2)));
}
// The peers. A bench runs without them, and names what it could not ask.
if (args[0] === 'bench') ensurePackages(join(root, 'tests', 'oracles'));
// Whoever names the pocket model gets it, as the app does; the model bench names it where nobody names another.
const wantsPocket = args[0] === 'bench' && args[1] === 'model' && !args.includes('--model');
if (wantsPocket || args.some((arg) => arg.includes('static/pocket/')))
  await (await import('./pocket.js')).ensurePocket();
if (buildCli() !== 0) stop('The build failed; see above.');

const program = spawnSync(process.execPath, [join(root, 'dist', 'cli.js'), ...args], {
  stdio: 'inherit',
  env: { ...process.env, ...(adapter === undefined || adapter === 'native' ? {} : driverOf(adapter)) },
});
process.exitCode = program.status ?? 1;
// The program is Node's alone; what a page takes, a page has to show. Standard output may be JSON.
if (wantsPocket && process.exitCode === 0) console.error(await (await import('./page-loading.js')).pageLoading());

/**
 * @param {string[]} all
 * @returns {{ adapter: string | undefined, args: string[] }}
 */
function takeAdapter(all) {
  const at = all.indexOf('--adapter');
  if (at < 0) return { adapter: undefined, args: all };
  return { adapter: all[at + 1] ?? '', args: [...all.slice(0, at), ...all.slice(at + 2)] };
}

/** @param {string} name */
function driverOf(name) {
  const { lavapipe, swiftshader } = findEnvironments();
  const driver = name === 'lavapipe' ? lavapipe : name === 'swiftshader' ? swiftshader : undefined;
  if (!driver) stop(`There is no adapter «${name}» on this machine.`);
  return vulkanEnvironment(driver);
}

/**
 * @param {string} message
 * @returns {never}
 */
function stop(message) {
  console.error(message);
  process.exit(1);
}
