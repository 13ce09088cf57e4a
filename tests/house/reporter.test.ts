/** The count and the reasons at the end of a run: nothing is skipped in silence, and no failure is lost. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../scripts/packages.js';
import type { Summary } from '../../scripts/reporter.js';

/** Runs vitest on one of the fixture files, and reads what the reporter wrote. */
function run(file: string): { status: number | null; summary: Summary } {
  const folder = mkdtempSync(join(tmpdir(), 'fireside-reporter-'));
  const written = join(folder, 'summary.json');
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const config = join(root, 'tests', 'house', 'fixtures', 'run', 'vitest.config.ts');
  const reporter = join(root, 'scripts', 'reporter.js');
  const { status } = spawnSync(process.execPath, [vitest, 'run', '--config', config, '--reporter', reporter, file], {
    env: { ...process.env, FIRESIDE_SUMMARY: written },
  });
  const summary = JSON.parse(readFileSync(written, 'utf8')) as Summary;
  rmSync(folder, { recursive: true });
  return { status, summary };
}

test('passes, failures and skips are counted, and skips named with their reason', () => {
  const { status, summary } = run('all');
  expect(status).toBe(1);
  expect(summary).toEqual({
    passed: 1,
    failed: 1,
    skipped: 3,
    notRun: [
      'somewhere: all.fixture.ts: 2 tests («skips itself» and on): no f16 on this adapter',
      'somewhere: all.fixture.ts: «a group > is skipped»: no reason given',
    ],
  });
});

test('a file that cannot be loaded is a failure', () => {
  expect(run('unloadable')).toMatchObject({ status: 1, summary: { passed: 0, failed: 1 } });
});

test('an error outside any test is a failure', () => {
  expect(run('stray')).toMatchObject({ status: 1, summary: { passed: 1, failed: 1 } });
});
