/** The store in a real browser: kills, two tabs, a bad chunk, a full disk. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { madeUpContent } from '../../hub/content.js';
import { type Hub, startHub } from '../../hub/hub.js';
import { SmallDisk, StoreBrowser } from './browser';
import { FILE, hashOf, MIB, random, REPO, surviveKills, whole } from './kills';

/** Two chunks and a bit. */
const SIZE = 16 * MIB + 777;
const CHUNK = 8 * MIB;
const OTHER = 'me/other';
const OTHER_SIZE = 40 * MIB;

test('ten kills at random bytes: the hash is right, and little was fetched twice', async ({ annotate }) => {
  const { kills, again } = await surviveKills(10, 48 * MIB, 20261121);
  expect(Object.values(kills).every((count) => count > 0)).toBe(true);
  await annotate(`${JSON.stringify(kills)}; ${(again / MIB).toFixed(1)} MiB of 48 came twice`);
});

let hub: Hub;
let browser: StoreBrowser;
beforeAll(async () => {
  const other = { 'other.gguf': madeUpContent(OTHER_SIZE, 8) };
  hub = await startHub({ repos: { [REPO]: { files: { [FILE]: madeUpContent(SIZE) } }, [OTHER]: { files: other } } });
  browser = await StoreBrowser.open();
});
afterAll(async () => {
  await browser.close();
  hub.close();
});
beforeEach(async () => {
  hub.rate = undefined;
  hub.log.clear();
  await browser.renew();
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

test('a folder that is dropped on the page is taken in', async () => {
  const page = await browser.page(hub.url);
  const folder = mkdtempSync(join(tmpdir(), 'fireside-drop-'));
  try {
    const names = ['config.json', 'tokenizer.json', 'model.safetensors', 'README.md', 'onnx/model.onnx'];
    mkdirSync(join(folder, 'small', 'onnx'), { recursive: true });
    for (const name of names) writeFileSync(join(folder, 'small', name), name);
    const session = await browser.context.newCDPSession(page);
    const data = { items: [], files: [join(folder, 'small')], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
      await session.send('Input.dispatchDragEvent', { type, x: 50, y: 50, data });
    }
    await page.waitForFunction(() => globalThis.store.added() !== undefined);
    await whole(page, (await page.evaluate(() => globalThis.store.added()))!);
    const [model] = await page.evaluate(() => globalThis.store.state.models);
    expect(model).toMatchObject({ name: 'small', origin: { kind: 'local' } });
    expect(model!.files.map(({ path }) => path)).toEqual(names.slice(0, 3));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a full disk at a random chunk: other models and chats stay whole, and it goes on when there is room', async (context) => {
  const disk = SmallDisk.make(1024);
  if (!disk) return context.skip('a disk that is soon full takes a superuser on Linux to make');
  const crowded = await StoreBrowser.open(disk.path);
  try {
    const page = await crowded.page(hub.url);
    await page.evaluate(() => globalThis.store.say('What was said stays.'));
    const other = await download(page, REPO);
    await whole(page, other);
    // Room for a part of the next: between 12 and 36 of its 40 MB.
    disk.leave(Math.floor(12 + random(Date.now())() * 24));
    const id = await download(page, OTHER);
    await page.waitForFunction(() => globalThis.store.state.models.some(({ failure }) => failure?.problem === 'quota'));
    expect(await page.evaluate(() => globalThis.store.said())).toBe('What was said stays.');
    expect(await page.evaluate((model) => globalThis.store.verify(model), other)).toBe('whole');
    disk.leave(512);
    await page.evaluate((model) => globalThis.store.resume(model), id);
    await whole(page, id);
    expect(await page.evaluate((model) => globalThis.store.hashOf(model), id)).toBe(hashOf(OTHER_SIZE, 8));
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
  await download(old, OTHER);
  const fresh = await browser.context.newPage();
  await fresh.goto(browser.origin);
  expect(await fresh.evaluate(() => globalThis.store.upgrade())).toEqual([id]);
  await old.waitForFunction(() => globalThis.store.state.trouble?.problem === 'outdated');
  await expect(download(old, OTHER)).rejects.toThrow(/Reload this page/);
  // Reloaded, this version finds a store that is newer than itself, and leaves it alone.
  await old.close();
  const reloaded = await browser.page(hub.url);
  await reloaded.waitForFunction(() => globalThis.store.state.trouble?.problem === 'outdated');
});
