/**
 * Counts what a run did, for the closing lines that `scripts/test.js` prints when vitest has ended: the tests that
 * passed, failed and were skipped, and of the skipped ones where and why.
 */
import { writeFileSync } from 'node:fs';

/** @import { Reporter, TestCase, TestModule } from 'vitest/node' */

/**
 * @typedef {object} Summary
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {string[]} notRun one line for each group of skipped tests: environment, which, why
 */

/** @implements {Reporter} */
export default class SummaryReporter {
  /**
   * @param {readonly TestModule[]} modules
   * @param {readonly unknown[]} unhandledErrors
   */
  onTestRunEnd(modules, unhandledErrors) {
    const file = process.env.FIRESIDE_SUMMARY;
    if (file) writeFileSync(file, JSON.stringify(summarize(modules, unhandledErrors.length)));
  }
}

/**
 * @param {readonly TestModule[]} modules
 * @param {number} unhandledErrors errors outside any test: each counts as a failure
 * @returns {Summary}
 */
function summarize(modules, unhandledErrors) {
  const summary = { passed: 0, failed: unhandledErrors, skipped: 0 };
  /** @type {Map<string, string[]>} */
  const skips = new Map();
  for (const module of modules) {
    const tests = [...module.children.allTests()];
    for (const test of tests) {
      const { state } = test.result();
      if (state === 'pending') summary.failed += 1;
      else summary[state] += 1;
      if (state === 'skipped') addSkip(skips, module, test);
    }
    // A file that could not be loaded, or whose hooks failed, has no test to show for it.
    if (module.state() === 'failed' && tests.every((test) => test.result().state !== 'failed')) summary.failed += 1;
  }
  return { ...summary, notRun: [...skips].map(([key, names]) => skipLine(key, names)) };
}

/**
 * @param {Map<string, string[]>} skips
 * @param {TestModule} module
 * @param {TestCase} test
 */
function addSkip(skips, module, test) {
  const result = test.result();
  const why = ('note' in result && result.note) || 'no reason given';
  const key = JSON.stringify([module.project.name, module.relativeModuleId, why]);
  skips.set(key, [...(skips.get(key) ?? []), test.fullName]);
}

/**
 * @param {string} key
 * @param {string[]} names
 */
function skipLine(key, names) {
  const [environment, file, why] = /** @type {[string, string, string]} */ (JSON.parse(key));
  const which = names.length > 1 ? `${names.length} tests («${names[0]}» and on)` : `«${names[0]}»`;
  return `${environment}: ${file}: ${which}: ${why}`;
}
