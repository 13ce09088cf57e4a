/** What the built app may weigh: what a first visit fetches, what comes later and when, and what is kept for offline use. */
import { readFileSync, statSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { keptOnUse, precached } from '$lib/pwa/precache';
import { BUILD, builtFiles, workerNamed } from './built';
import { visitDouble } from './visit-double';

/** Bytes, gzipped. */
const PAGE_BUDGET = 150_000;
const WORKER_BUDGET = 200_000;
const STORE_BUDGET = 60_000;
/** Bytes as they lie in the cache. */
const PRECACHE_BUDGET = 2_500_000;

/** Packages that are fetched when somebody needs them, by a text that is theirs alone. */
const LAZY = {
  katex: 'KaTeX',
  wllama: 'wllama',
  xgrammar: 'xgrammar',
  uplot: 'u-hz',
} as const;

const files = builtFiles();

function zipped(path: string): number {
  return gzipSync(readFileSync(join(BUILD, path))).length;
}

/** A script and all that it imports before it runs. */
function withImports(path: string, seen = new Set<string>()): Set<string> {
  if (seen.has(path)) return seen;
  seen.add(path);
  const code = readFileSync(join(BUILD, path), 'utf8');
  for (const [, other] of code.matchAll(/(?:\bfrom|\bimport)\s*["'](\.{1,2}\/[^"']+\.js)["']/g)) {
    withImports(posix.normalize(posix.join(dirname(path), other!)), seen);
  }
  return seen;
}

test('the first visit fetches at most 150 kB of script, and neither weights nor programs nor the engine', async () => {
  await visitDouble(async (chat, { page }) => {
    const loaded: string[] = [];
    page.on('request', (request) => loaded.push(new URL(request.url()).pathname.slice(1)));
    await page.reload();
    await chat.button('Try at once').waitFor();
    await page.waitForLoadState('networkidle');
    const scripts = loaded.filter((path) => path.endsWith('.js'));
    const bytes = scripts.reduce((sum, path) => sum + zipped(path), 0);
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThanOrEqual(PAGE_BUDGET);
    const engine = workerNamed('fireside');
    expect(loaded.filter((path) => /\.(gguf|wasm)$/.test(path) || path === engine)).toEqual([]);
    const texts = scripts.map((path) => readFileSync(join(BUILD, path), 'utf8'));
    // A mark that no script has would prove nothing.
    const all = files.filter((path) => path.endsWith('.js')).map((path) => readFileSync(join(BUILD, path), 'utf8'));
    expect(Object.values(LAZY).filter((mark) => !all.some((text) => text.includes(mark)))).toEqual([]);
    const early = Object.entries(LAZY).filter(([, mark]) => texts.some((text) => text.includes(mark)));
    expect(early).toEqual([]);
  });
});

test.each([
  ['fireside', WORKER_BUDGET],
  ['fireside-store', STORE_BUDGET],
])('the worker «%s» has at most %i bytes before it works', (name, budget) => {
  const scripts = [...withImports(workerNamed(name))];
  expect(scripts.reduce((sum, path) => sum + zipped(path), 0)).toBeLessThanOrEqual(budget);
});

test('grammars and the processor’s engine are scripts of their own, which no worker begins with', () => {
  const begun = new Set([...withImports(workerNamed('fireside')), ...withImports(workerNamed('fireside-store'))]);
  const names = files.filter((path) => keptOnUse(path) && path.endsWith('.js')).map((path) => posix.basename(path));
  expect(names.map((name) => name.split('-')[0]).sort()).toEqual(['wllama', 'xgrammar']);
  expect([...begun].filter((path) => keptOnUse(path))).toEqual([]);
});

test('all is kept for offline use but weights and what few visits need, which is when it is first used', () => {
  const kept = precached({ build: files.filter((path) => path !== 'service-worker.js'), files: [], prerendered: [] });
  const bytes = kept.reduce((sum, path) => sum + statSync(join(BUILD, path)).size, 0);
  expect(bytes).toBeLessThanOrEqual(PRECACHE_BUDGET);
  // The chat's formulas work without a network, in all their fonts.
  expect(kept.filter((path) => path.endsWith('.woff2')).length).toBeGreaterThan(10);
});
