/** The store in a real browser: kills, two tabs, a bad chunk, a full disk. */
import type { Page } from 'playwright';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { madeUpContent } from '../../hub/content.js';
import { type Hub, startHub } from '../../hub/hub.js';
import { SmallDisk, StoreBrowser } from './browser';
import { FILE, hashOf, MIB, random, REPO, surviveKills, whole } from './kills';

const SIZE = 20 * MIB + 777;
const CHUNK = 8 * MIB;
const LARGE = 160 * MIB;

test('ten kills at random bytes: the hash is right, and little was fetched twice', async ({ annotate }) => {
  const { kills, again } = await surviveKills(10, 64 * MIB, 20261121);
  expect(Object.values(kills).every((count) => count > 0)).toBe(true);
  await annotate(`${JSON.stringify(kills)}; ${(again / MIB).toFixed(1)} MiB of 64 came twice`);
});

let hub: Hub;
let browser: StoreBrowser;
beforeEach(async ({ task }) => {
  if (task.name.startsWith('ten kills')) return;
  const files = { [FILE]: madeUpContent(SIZE) };
  const large = { 'large.gguf': madeUpContent(LARGE, 8) };
  hub = await startHub({ repos: { [REPO]: { files }, 'me/large': { files: large } } });
  browser = await StoreBrowser.open();
});
afterEach(async ({ task }) => {
  if (task.name.startsWith('ten kills')) return;
  await browser.close();
  hub.close();
});

const download = (page: Page, address: string): Promise<string> =>
  page.evaluate((text) => globalThis.store.download(text), address);

test('two tabs do it once, both see it come, and the second goes on where the first is closed', async () => {
  hub.rate = 6 * MIB;
  const [one, two] = [await browser.page(hub.url), await browser.page(hub.url)];
  const [id] = await Promise.all([download(one, REPO), download(two, REPO)]);
  const sees = (page: Page): Promise<unknown> =>
    page.waitForFunction(() => {
      const [model] = globalThis.store.state.models;
      return model?.status === 'downloading' && model.done > 0;
    });
  await Promise.all([sees(one), sees(two)]);
  const works = (page: Page): Promise<boolean> => page.evaluate(() => globalThis.store.state.models[0]!.here);
  const [oneWorks, twoWorks] = [await works(one), await works(two)];
  expect([oneWorks, twoWorks].filter(Boolean)).toHaveLength(1);
  // Nothing came twice, as long as both were there.
  expect(hub.log.sentAgain(FILE)).toBe(0);
  const [worker, other] = oneWorks ? [one, two] : [two, one];
  await vi.waitUntil(() => hub.log.sent(FILE) > 8 * MIB, { timeout: 20_000 });
  await worker.close();
  await whole(other, id);
  expect(await other.evaluate((model) => globalThis.store.hashOf(model), id)).toBe(hashOf(SIZE));
  expect(hub.log.sentAgain(FILE)).toBeLessThanOrEqual(4 * MIB);
});

test('a pause in one tab stops the other, and a removal leaves nothing', async () => {
  hub.rate = 2 * MIB;
  const [one, two] = [await browser.page(hub.url), await browser.page(hub.url)];
  const id = await download(one, REPO);
  await vi.waitUntil(() => hub.log.sent(FILE) > MIB, { timeout: 20_000 });
  await two.evaluate((model) => globalThis.store.pause(model), id);
  await one.waitForFunction(() => globalThis.store.state.models[0]?.status === 'paused');
  const sent = hub.log.sent(FILE);
  await new Promise((done) => setTimeout(done, 500));
  expect(hub.log.sent(FILE)).toBe(sent);
  await two.evaluate((model) => globalThis.store.remove(model), id);
  await one.waitForFunction(() => globalThis.store.state.models.length === 0);
  expect(await one.evaluate(() => globalThis.store.state.stored)).toBe(0);
});

test('a chunk that went bad is found, and it alone is fetched again', async () => {
  const page = await browser.page(hub.url);
  const id = await download(page, REPO);
  await whole(page, id);
  await page.evaluate(([model]) => globalThis.store.corrupt(model, 1), [id] as const);
  hub.log.clear();
  expect(await page.evaluate((model) => globalThis.store.verify(model), id)).toBe('damaged');
  await page.evaluate((model) => globalThis.store.resume(model), id);
  await whole(page, id);
  expect(hub.log.sent(FILE)).toBe(CHUNK);
  expect(await page.evaluate((model) => globalThis.store.hashOf(model), id)).toBe(hashOf(SIZE));
});

test('a full disk at a random chunk: other models and chats stay whole, and it goes on when there is room', async (context) => {
  const disk = SmallDisk.make(4096);
  if (!disk) return context.skip('a disk that is soon full takes a superuser on Linux to make');
  const crowded = await StoreBrowser.open(disk.path);
  try {
    const page = await crowded.page(hub.url);
    await page.evaluate(() => globalThis.store.say('What was said stays.'));
    const other = await download(page, REPO);
    await whole(page, other);
    // Room for a part of the next: between 40 and 120 of its 160 MB.
    disk.leave(Math.floor(40 + random(Date.now())() * 80));
    const id = await download(page, 'me/large');
    await page.waitForFunction(() => globalThis.store.state.models.some(({ failure }) => failure?.problem === 'quota'));
    expect(await page.evaluate(() => globalThis.store.said())).toBe('What was said stays.');
    expect(await page.evaluate((model) => globalThis.store.verify(model), other)).toBe('whole');
    disk.leave(1024);
    await page.evaluate((model) => globalThis.store.resume(model), id);
    await whole(page, id);
    expect(await page.evaluate((model) => globalThis.store.hashOf(model), id)).toBe(hashOf(LARGE, 8));
  } finally {
    await crowded.close();
    disk.remove();
  }
});

test('what the browser cleared away is noticed', async () => {
  const page = await browser.page(hub.url);
  await whole(page, await download(page, REPO));
  await page.close();
  const other = await browser.context.newPage();
  const session = await browser.context.newCDPSession(other);
  await session.send('Storage.clearDataForOrigin', { origin: browser.origin, storageTypes: 'indexeddb' });
  const again = await browser.page(hub.url);
  await again.waitForFunction(() => globalThis.store.state.evicted.length > 0);
  expect(await again.evaluate(() => globalThis.store.state.evicted)).toEqual([{ name: 'model-q8_0', bytes: SIZE }]);
});

test('a newer version changes the store under an old tab, which steps aside and says so', async () => {
  const old = await browser.page(hub.url);
  const id = await download(old, REPO);
  await whole(old, id);
  hub.rate = 4 * MIB;
  await download(old, 'me/large');
  const fresh = await browser.context.newPage();
  await fresh.goto(browser.origin);
  expect(await fresh.evaluate(() => globalThis.store.upgrade())).toEqual([id]);
  await old.waitForFunction(() => globalThis.store.state.trouble?.problem === 'outdated');
  await expect(download(old, 'me/large')).rejects.toThrow(/Reload this page/);
  // Reloaded, this version finds a store that is newer than itself, and leaves it alone.
  await old.close();
  const reloaded = await browser.page(hub.url);
  await reloaded.waitForFunction(() => globalThis.store.state.trouble?.problem === 'outdated');
});
