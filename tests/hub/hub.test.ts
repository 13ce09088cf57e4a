/** The local hub answers as the real one does, so that tests against it mean something. */
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { madeUpContent, memoryContent } from './content.js';
import { type Hub, startHub } from './hub.js';

const weights = madeUpContent(3 * 2 ** 20 + 5);
const config = memoryContent(new TextEncoder().encode('{"a":1}\n'));
const sha256 = createHash('sha256').update(weights.at(0, weights.size)).digest('hex');
const FILE = 'small-q8_0.gguf';

let hub: Hub;
beforeEach(async () => {
  hub = await startHub({
    repos: {
      'me/small': { files: { [FILE]: weights, 'config.json': config, 'onnx/config.json': config } },
      'me/gated': { files: { [FILE]: weights }, gated: true },
    },
    token: 'hf_good',
    pageSize: 2,
  });
});
afterEach(() => hub.close());

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(hub.url + path, { headers });

test('a list has sizes, git’s names and LFS hashes, in pages', async () => {
  const first = await get('/api/models/me/small/tree/main?recursive=true');
  expect(first.headers.get('link')).toMatch(/^<http.*cursor=2>; rel="next"$/);
  const next = /<(.*)>/.exec(first.headers.get('link')!)![1]!;
  const entries = [...((await first.json()) as object[]), ...((await (await fetch(next)).json()) as object[])];
  const lfs = { oid: sha256, size: weights.size, pointerSize: 135 };
  expect(entries).toEqual([
    expect.objectContaining({ path: FILE, size: weights.size, lfs }),
    // As `git hash-object` names these eight bytes.
    { type: 'file', path: 'config.json', size: 8, oid: '0187f3b09d66cef7911083ad49f890f5a6589589' },
    expect.objectContaining({ path: 'onnx/config.json' }),
  ]);
  const flat = (await (await get('/api/models/me/small/tree/main')).json()) as { path: string }[];
  expect(flat.map(({ path }) => path)).toEqual([FILE, 'config.json']);
});

test('a revision has a commit, and older commits stay', async () => {
  const { sha } = (await (await get('/api/models/me/small/revision/main')).json()) as { sha: string };
  hub.commit('me/small', { 'new.json': config });
  const now = (await (await get('/api/models/me/small')).json()) as { sha: string };
  expect(now.sha).not.toBe(sha);
  expect((await get(`/me/small/resolve/${sha}/config.json`)).status).toBe(200);
  expect((await get('/me/small/resolve/main/config.json')).status).toBe(404);
});

test('weights are redirected to another origin, with CORS on both, and come in ranges', async () => {
  const redirect = await fetch(`${hub.url}/me/small/resolve/main/${FILE}`, { redirect: 'manual' });
  expect(redirect.status).toBe(302);
  expect(redirect.headers.get('x-linked-etag')).toBe(`"${sha256}"`);
  const response = await get(`/me/small/resolve/main/${FILE}`, {
    Range: 'bytes=1000000-1000009',
    Origin: 'http://page',
  });
  expect(response.status).toBe(206);
  expect(new URL(response.url).origin).not.toBe(hub.url);
  expect(response.headers.get('content-range')).toBe(`bytes 1000000-1000009/${weights.size}`);
  expect(response.headers.get('access-control-allow-origin')).toBe('*');
  expect(response.headers.get('access-control-expose-headers')).toContain('Content-Range');
  expect(new Uint8Array(await response.arrayBuffer())).toEqual(weights.at(1000000, 10));
  const preflight = await fetch(response.url, { method: 'OPTIONS' });
  expect(preflight.status).toBe(403);
});

test('conditions: If-Range, If-Match, If-None-Match, and a range that is outside', async () => {
  const path = `/me/small/resolve/main/${FILE}`;
  const etag = (await get(path, { Range: 'bytes=0-0' })).headers.get('etag')!;
  const status = async (headers: Record<string, string>): Promise<number> => (await get(path, headers)).status;
  expect(await status({ Range: 'bytes=0-9', 'If-Range': etag })).toBe(206);
  expect(await status({ Range: 'bytes=0-9', 'If-Range': '"other"' })).toBe(200);
  expect(await status({ 'If-Match': '"other"' })).toBe(412);
  expect(await status({ 'If-None-Match': etag })).toBe(304);
  expect(await status({ Range: `bytes=${weights.size}-` })).toBe(416);
});

test('what is not there, or not for everybody, says so in the real hub’s words', async () => {
  const code = async (path: string, token?: string): Promise<string> => {
    const { status, headers } = await get(path, token === undefined ? {} : { Authorization: `Bearer ${token}` });
    return `${status} ${headers.get('x-error-code')}`;
  };
  expect(await code('/api/models/me/none/revision/main')).toBe('401 RepoNotFound');
  expect(await code('/api/models/me/none/revision/main', 'hf_good')).toBe('404 RepoNotFound');
  expect(await code('/api/models/me/small/revision/none')).toBe('404 RevisionNotFound');
  expect(await code('/me/small/resolve/main/none.gguf')).toBe('404 EntryNotFound');
  expect(await code(`/me/gated/resolve/main/${FILE}`)).toBe('401 GatedRepo');
  expect(await code(`/me/gated/resolve/main/${FILE}`, 'hf_bad')).toBe('403 GatedRepo');
  expect((await get(`/me/gated/resolve/main/${FILE}`, { Authorization: 'Bearer hf_good' })).status).toBe(200);
  expect((await get('/api/models/me/gated/tree/main')).status).toBe(200);
});

test('faults happen as often as they are asked for, and the log knows what left', async () => {
  const path = `/me/small/resolve/main/${FILE}`;
  hub.faults.add({ kind: 'cut', after: 100_000 });
  await expect(get(path).then((response) => response.arrayBuffer())).rejects.toThrow();
  expect(hub.log.sent(FILE)).toBe(100_000);
  hub.faults.add({ kind: 'wrong', offset: 70_000 });
  const wrong = new Uint8Array(await (await get(path, { Range: 'bytes=65536-131071' })).arrayBuffer());
  expect(wrong[70_000 - 65536]).toBe(weights.at(70_000, 1)[0]! ^ 1);
  hub.faults.add({ kind: 'status', status: 429, headers: { 'Retry-After': '7' } });
  expect((await get(path)).headers.get('retry-after')).toBe('7');
  hub.faults.add({ kind: 'no-range' });
  expect((await get(path, { Range: 'bytes=5-6' })).status).toBe(200);
  hub.log.clear();
  await (await get(path, { Range: 'bytes=0-999' })).arrayBuffer();
  await (await get(path, { Range: 'bytes=900-1099' })).arrayBuffer();
  await (await get(path, { Range: 'bytes=950-999' })).arrayBuffer();
  expect(hub.log.sent(FILE)).toBe(1250);
  expect(hub.log.sentAgain(FILE)).toBe(150);
});

test('it sends as slowly as it is told', async () => {
  hub.rate = 4 * 2 ** 20;
  const start = performance.now();
  await (await get(`/me/small/resolve/main/${FILE}`, { Range: 'bytes=0-2097151' })).arrayBuffer();
  expect(performance.now() - start).toBeGreaterThan(400);
});
