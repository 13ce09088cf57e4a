/** In the terminal: a model's name is enough, and what was downloaded is kept. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { modelPlace } from '../../../../src/cli/model/place';
import { fetchModel, type StoreChoice, storeFrom } from '../../../../src/cli/model/store';
import { madeUpContent } from '../../../hub/content.js';
import { type Hub, startHub } from '../../../hub/hub.js';

const FILE = 'small-q8_0.gguf';
const SIZE = 9 * 2 ** 20;
const { signal } = new AbortController();

let hub: Hub;
let store: StoreChoice;
let cache: string;
beforeEach(async () => {
  hub = await startHub({ repos: { 'me/small': { files: { [FILE]: madeUpContent(SIZE) } } } });
  cache = mkdtempSync(join(tmpdir(), 'fireside-cache-'));
  store = storeFrom({ hub: hub.url, cache }, {});
});
afterEach(() => {
  hub.close();
  rmSync(cache, { recursive: true });
});

test('a name is downloaded once, and found again without the hub', async () => {
  const seen = new Set<string>();
  const place = await modelPlace('me/small', signal, store, ({ status }) => seen.add(status));
  if (!('file' in place)) throw new Error('a GGUF file is one file');
  expect(place.file.size).toBe(SIZE);
  expect(Buffer.from(await place.file.read(5 * 2 ** 20, 100))).toEqual(
    Buffer.from(madeUpContent(SIZE).at(5 * 2 ** 20, 100)),
  );
  await place.file.close?.();
  expect(seen).toContain('downloading');
  await fetchModel({ kind: 'hub', repo: 'me/small' }, store, signal, () => {});
  expect(hub.log.sent(FILE)).toBe(SIZE);
  hub.close();
  await expect(modelPlace('me/other', signal, store)).rejects.toMatchObject({ problem: 'network' });
  expect(await modelPlace('me/small', signal, store)).toHaveProperty('file.size', SIZE);
});

test('stopped, it keeps what came, and goes on from there', async () => {
  hub.rate = 3 * 2 ** 20;
  const stop = new AbortController();
  const first = modelPlace('me/small', stop.signal, store, ({ done }) => {
    if (done > 2 ** 20) stop.abort();
  });
  await expect(first).rejects.toMatchObject({ name: 'AbortError' });
  hub.rate = undefined;
  await modelPlace('me/small', signal, store);
  expect(hub.log.sentAgain(FILE)).toBeLessThan(3 * 2 ** 20);
  expect(readdirSync(cache).filter((name) => name !== 'locks')).toHaveLength(1);
});

test('where it is kept, and by whose token', () => {
  expect(storeFrom({}, { XDG_CACHE_HOME: '/c', HF_TOKEN: 'hf_x' })).toMatchObject({
    cache: join('/c', 'fireside'),
    token: 'hf_x',
  });
  expect(storeFrom({ cache: '/d', token: 'hf_y' }, { FIRESIDE_CACHE: '/c' })).toMatchObject({
    cache: '/d',
    token: 'hf_y',
  });
});
