/** A model of a gigabyte goes through the browser, and the page stays small. */
import { expect, inject, test } from 'vitest';
import { HeapWatch } from '../../../scripts/heap.js';
import { StoreBrowser } from './browser';
import { FILE, hashOf, MIB, openHub, REPO, whole } from './kills';

const SIZE = 1024 * MIB;
/** 66 were seen; the most that can lie unread in four requests is 64. */
const MOST = 128 * MIB;

test('one gigabyte: downloaded, checked, and read back, and the heap does not grow with it', async (context) => {
  if (!inject('large')) return context.skip('a gigabyte is downloaded by npm run test:large alone');
  const hub = await openHub(SIZE);
  const browser = await StoreBrowser.open();
  try {
    const page = await browser.page(hub.url);
    const heap = await HeapWatch.begin(page);
    const start = performance.now();
    const id = await page.evaluate((repo) => globalThis.store.download(repo), REPO);
    await page.waitForFunction(() => globalThis.store.state.models[0]?.status === 'checking', undefined, {
      timeout: 600_000,
    });
    const came = (performance.now() - start) / 1000;
    await whole(page, id, 600_000);
    const seconds = (performance.now() - start) / 1000;
    const { most } = await heap.end();
    expect(hub.log.sent(FILE)).toBe(SIZE);
    expect(await page.evaluate((model) => globalThis.store.fileHashOf(model), id)).toBe(hashOf(SIZE));
    const times = `${came.toFixed(1)} s, checked after ${seconds.toFixed(1)} s`;
    await context.annotate(`${times}; the heap of the page and its worker had at most ${Math.round(most / MIB)} MiB`);
    expect(most).toBeLessThan(MOST);
  } finally {
    await browser.close();
    hub.close();
  }
});
