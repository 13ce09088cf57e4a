/**
 * `npm test`: gets the machine what is missing, runs every test in every environment that can be had, and ends with
 * what was not run here, and the count.
 *
 *   npm test                      all tests
 *   npm test -- attention         files whose path holds «attention»; every other argument of vitest works too
 *   node scripts/test.js --large  the full grids (npm run test:large)
 *   node scripts/test.js --soak   the long runs (npm run test:soak)
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findEnvironments, vulkanEnvironment } from './environments.js';
import { ensurePackages, root, runPackage } from './packages.js';
import { advice, provideEnvironments } from './provide.js';

/** @import { Summary } from './reporter.js' */

const args = process.argv.slice(2).filter((arg) => arg !== '--large' && arg !== '--soak');
const large = process.argv.includes('--large');
const soak = process.argv.includes('--soak');

const failure = ensurePackages();
if (failure) fail(failure);
const oracles = ensurePackages(join(root, 'tests', 'oracles'));
const vocabularies = large ? ensurePackages(join(root, 'tests', 'vocabularies')) : undefined;
provideEnvironments();

const missing = missingEnvironments();
const { status, summary } = runTests();

const notRun = [
  ...Object.entries(missing).map(([environment, why]) => `${environment}: ${why}`),
  ...(oracles ? [`comparisons with other implementations: ${oracles}`] : []),
  ...(vocabularies ? [`comparisons of tokenizers: ${vocabularies}`] : []),
  ...summary.notRun,
];
console.log();
for (const line of notRun) console.log(`not run here: ${line}`);
console.log(`${summary.passed} passed, ${summary.failed} failed, ${summary.skipped} skipped`);
process.exitCode = status || (summary.failed > 0 ? 1 : 0);

/** @returns {Record<string, string>} by environment: why it cannot be had */
function missingEnvironments() {
  const found = findEnvironments();
  /** @type {Record<string, string>} */
  const reasons = {};
  if (!found.chromium) {
    reasons.chromium = `no browser found; ${advice('chromium')}`;
    reasons.e2e = 'needs a browser';
  }
  for (const name of /** @type {const} */ (['lavapipe', 'swiftshader'])) {
    const driver = found[name];
    const why = driver ? refused(driver) : 'not found';
    if (why) reasons[name] = `${why}; ${advice(name)}`;
    if (why && name === 'lavapipe') reasons.wide = reasons.reduced = 'needs lavapipe';
  }
  return reasons;
}

/**
 * @param {string} driver
 * @returns {string | undefined} why Dawn cannot use it
 */
function refused(driver) {
  const env = { ...process.env, ...vulkanEnvironment(driver) };
  const { stdout, stderr } = spawnSync(process.execPath, [join(root, 'scripts', 'probe.js')], {
    env,
    encoding: 'utf8',
  });
  if (/"adapter":"/.test(stdout)) return undefined;
  const last = stderr.trim().split('\n').at(-1);
  return `Dawn finds no adapter on ${driver}${last ? ` (${last})` : ''}`;
}

/** @returns {{ status: number, summary: Summary }} */
function runTests() {
  const folder = mkdtempSync(join(tmpdir(), 'fireside-test-'));
  const file = join(folder, 'summary.json');
  const env = {
    ...process.env,
    FIRESIDE_SUMMARY: file,
    FIRESIDE_NOT_RUN: JSON.stringify(Object.keys(missing)),
    ...(large && { FIRESIDE_LARGE: '1' }),
    ...(soak && { FIRESIDE_SOAK: '1' }),
  };
  const reporters = ['--reporter=default', '--reporter=./scripts/reporter.js'];
  const status = runPackage('vitest', ['run', ...reporters, ...args], { env });
  const summary = existsSync(file)
    ? /** @type {Summary} */ (JSON.parse(readFileSync(file, 'utf8')))
    : { passed: 0, failed: 1, skipped: 0, notRun: ['everything: the run ended before it could count'] };
  rmSync(folder, { recursive: true });
  return { status, summary };
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  console.error(message);
  console.log('0 passed, 1 failed, 0 skipped');
  process.exit(1);
}
