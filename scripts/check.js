/**
 * `npm run check`: types (svelte-check reads every file of tsconfig.json, not Svelte's alone), lint with the one-way doors, and format.
 * Each takes one core for half a minute, so they run beside each other; what each says comes in one piece.
 */
import { spawn } from 'node:child_process';
import { ensurePackages, packageProgram, root } from './packages.js';

/** @typedef {{ name: string, status: number, said: string }} Checked */

const failure = ensurePackages();
if (failure) {
  console.error(failure);
  process.exit(1);
}

const checks = await Promise.all([
  inTurn(['eslint', '.']),
  inTurn(['svelte-check', '--fail-on-warnings'], ['prettier', '--check', '.']),
]);
for (const { name, status, said } of checks.flat()) {
  console.log(said.trimEnd());
  console.log(`${name}: ${status === 0 ? 'nothing to complain of' : `failed (exit code ${status})`}`);
}
process.exitCode = checks.flat().every(({ status }) => status === 0) ? 0 : 1;

/**
 * One after the other, whatever the one before has found.
 *
 * @param {[string, ...string[]][]} programs each the name of a package, and what its program is told
 * @returns {Promise<Checked[]>}
 */
async function inTurn(...programs) {
  /** @type {Checked[]} */
  const done = [];
  for (const [name, ...args] of programs) done.push(await check(name, args));
  return done;
}

/**
 * @param {string} name
 * @param {string[]} args
 * @returns {Promise<Checked>}
 */
function check(name, args) {
  return new Promise((resolve, reject) => {
    const program = spawn(process.execPath, [packageProgram(name), ...args], { cwd: root });
    let said = '';
    for (const stream of [program.stdout, program.stderr]) {
      stream.setEncoding('utf8').on('data', (/** @type {string} */ text) => (said += text));
    }
    program.on('error', reject);
    program.on('close', (code) => resolve({ name, status: code ?? 1, said }));
  });
}
