/** Downloads against a hub that misbehaves: what comes is right, and nothing comes twice that need not. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { StoreError } from '$lib/store/errors';
import { FolderDepot } from '$lib/store/folder-depot';
import { CHUNK_BYTES, type Manifest, PART_BYTES, type StoredFile } from '$lib/store/records';
import type { ModelStore } from '$lib/store/store';
import { type Content, madeUpContent } from '../../../hub/content.js';
import { type Bench, fetchWhole, FILE, MIB, openBench, REPO, SIZE, text } from './support';

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
});
afterEach(() => bench.close());

const expected = madeUpContent(SIZE);

/** The same, beginning as a GGUF file does. */
function asGguf({ size, at }: Content): Content {
  const magic = new TextEncoder().encode('GGUF');
  return {
    size,
    at(offset, length) {
      const bytes = Uint8Array.from(at(offset, length));
      if (offset < magic.length) bytes.set(magic.subarray(offset, offset + length));
      return bytes;
    },
  };
}

async function isRight(store: ModelStore, id: string): Promise<boolean> {
  const manifest = await store.manifest(id);
  const file = manifest.files.find(({ path }) => path === FILE)!;
  return isSame(manifest, file, expected);
}

async function isSame(manifest: Manifest, file: StoredFile, content: Content): Promise<boolean> {
  const source = bench.depot.source(manifest, file);
  const bytes = await source.read(0, file.size);
  await source.close?.();
  return Buffer.compare(bytes, content.at(0, content.size)) === 0;
}

test('a file comes whole, once, with its hashes', async () => {
  const store = bench.open();
  const id = await fetchWhole(store);
  expect(await isRight(store, id)).toBe(true);
  expect(bench.hub.log.sent(FILE)).toBe(SIZE);
  const { files } = await store.manifest(id);
  expect(files[0]!.sha256).toBe(createHash('sha256').update(expected.at(0, SIZE)).digest('hex'));
  expect(files[0]!.chunks).toHaveLength(3);
  expect(store.model(id)).toMatchObject({ status: 'whole', bytes: SIZE, done: SIZE, name: 'small-q8_0' });
  // Asked for again, it is there.
  await fetchWhole(store);
  expect(bench.hub.log.sent(FILE)).toBe(SIZE);
});

test('safetensors come with what they need, each file with its hash', async () => {
  const store = bench.open();
  const { files } = await store.manifest(await fetchWhole(store, 'me/tensors'));
  expect(files.map(({ path }) => path)).toEqual(['config.json', 'tokenizer.json', 'model.safetensors']);
  expect(files.every(({ sha256 }) => /^[0-9a-f]{64}$/.test(sha256))).toBe(true);
});

describe('what goes wrong passes', () => {
  test.each([
    ['cut connections', { kind: 'cut', after: 3 * MIB, times: 4 }],
    ['a connection that falls silent', { kind: 'stall', after: MIB }],
    ['errors of the server', { kind: 'status', status: 500, times: 3 }],
    ['errors of the redirect', { kind: 'status', where: 'resolve', status: 503, times: 3 }],
  ] as const)('%s', async (_, fault) => {
    // Not so fast that megabytes lie in the buffers between, which are lost with a connection.
    bench.hub.rate = 24 * MIB;
    bench.hub.faults.add(fault);
    const store = bench.open();
    const id = await fetchWhole(store);
    expect(await isRight(store, id)).toBe(true);
    expect(bench.hub.log.sentAgain(FILE)).toBeLessThanOrEqual(4 * 2 * PART_BYTES);
  });

  test('a server that asks to wait is waited for', async () => {
    bench.hub.faults.add({ kind: 'status', status: 429, headers: { 'Retry-After': '1' } });
    const store = bench.open({ connections: 1 });
    const statuses = new Set<string>();
    store.subscribe(({ models }) => statuses.add(models[0]?.status ?? ''));
    const start = performance.now();
    await fetchWhole(store);
    expect(performance.now() - start).toBeGreaterThan(950);
    expect(statuses).toContain('waiting');
  });

  test('a server without ranges', async () => {
    bench.hub.faults.add({ kind: 'no-range', times: Infinity });
    const store = bench.open();
    expect(await isRight(store, await fetchWhole(store))).toBe(true);
  });

  test('a server that loses its ranges on the way, and its connection', async () => {
    const store = bench.open({ connections: 1 });
    bench.hub.faults.add({ kind: 'cut', after: 9 * MIB });
    bench.hub.faults.add({ kind: 'cut', after: 5 * MIB, skip: 1 });
    bench.hub.faults.add({ kind: 'no-range', times: Infinity, skip: 1 });
    expect(await isRight(store, await fetchWhole(store))).toBe(true);
  });

  test('a server without ranges that never gets further is given up, and not asked for ever', async () => {
    bench.hub.faults.add({ kind: 'no-range', times: Infinity });
    bench.hub.faults.add({ kind: 'cut', after: 5 * MIB, times: Infinity });
    await expect(fetchWhole(bench.open())).rejects.toMatchObject({ problem: 'network' });
    expect(bench.hub.log.entries.filter(({ where }) => where === 'file').length).toBeLessThan(16);
  });

  test('an address of the CDN that is not good any more is asked for again', async () => {
    bench.hub.faults.add({ kind: 'status', status: 403, times: 2 });
    const store = bench.open();
    expect(await isRight(store, await fetchWhole(store))).toBe(true);
  });

  test('a token that is given while a download waits', async () => {
    bench.hub.faults.add({ kind: 'status', where: 'resolve', status: 503, headers: { 'Retry-After': '1' } });
    const store = bench.open();
    const id = await store.download((await store.look('me/gated')).choices[0]!);
    await vi.waitUntil(() => store.model(id)?.status === 'waiting', { timeout: 5000, interval: 1 });
    store.setHub({ hub: bench.hub.url, token: 'hf_good', keep: 'page' });
    expect((await store.finished(id)).files[0]!.size).toBe(MIB);
  });

  test('a token that is taken back while a download waits: it stops, and says so', async () => {
    bench.hub.faults.add({ kind: 'status', where: 'resolve', status: 503, headers: { 'Retry-After': '1' } });
    const store = bench.open({ token: 'hf_good' });
    const id = await store.download((await store.look('me/gated')).choices[0]!);
    await vi.waitUntil(() => store.model(id)?.status === 'waiting', { timeout: 5000, interval: 1 });
    store.setHub({ hub: bench.hub.url, keep: 'page' });
    await expect(store.finished(id)).rejects.toMatchObject({ problem: 'gated' });
  });

  test('wrong bytes are found by the file’s hash, and the file is fetched again', async () => {
    bench.hub.faults.add({ kind: 'wrong', offset: 9 * MIB });
    const store = bench.open();
    expect(await isRight(store, await fetchWhole(store))).toBe(true);
  });
});

describe('what does not pass is told', () => {
  test('bytes that never are what the hub promises', async () => {
    bench.hub.faults.add({ kind: 'wrong', offset: 100, times: Infinity });
    await expect(fetchWhole(bench.open())).rejects.toMatchObject({ problem: 'wrong-bytes' });
    expect(bench.open().model(REPO)).toBeUndefined();
  });

  test('a server that is down for good; what came is kept, and it goes on from there', async () => {
    bench.hub.rate = 32 * MIB;
    bench.hub.faults.add({ kind: 'cut', after: 5 * MIB });
    bench.hub.faults.add({ kind: 'status', status: 500, times: 30, skip: 1 });
    const store = bench.open({ connections: 1 });
    const { choices } = await store.look(REPO);
    const id = await store.download(choices[0]!);
    await expect(store.finished(id)).rejects.toMatchObject({ problem: 'server' });
    expect(store.model(id)).toMatchObject({ status: 'failed', failure: { problem: 'server' } });
    const { done } = store.model(id)!;
    expect(done).toBeGreaterThan(4 * MIB);
    bench.hub.faults.clear();
    await store.resume(id);
    await store.finished(id);
    expect(await isRight(store, id)).toBe(true);
    expect(bench.hub.log.sentAgain(FILE)).toBeLessThanOrEqual(MIB);
  });

  test('gated repositories, without a token, with a wrong one, and at last with a good one', async () => {
    const store = bench.open();
    const offer = await store.look('me/gated');
    expect(offer.gated).toBe(true);
    const id = await store.download(offer.choices[0]!);
    await expect(store.finished(id)).rejects.toMatchObject({ problem: 'gated' });
    store.setHub({ hub: bench.hub.url, token: 'hf_bad', keep: 'page' });
    await store.resume(id);
    await expect(store.finished(id)).rejects.toMatchObject({ problem: 'token' });
    store.setHub({ hub: bench.hub.url, token: 'hf_good', keep: 'page' });
    await store.resume(id);
    expect((await store.finished(id)).files[0]!.size).toBe(MIB);
    // The CDN, which is somebody else's, never saw the token.
    const seen = bench.hub.log.entries.filter(({ where }) => where === 'file');
    expect(seen.some(({ token }) => token)).toBe(false);
  });

  test('repositories, revisions and files that are not there', async () => {
    const store = bench.open();
    await expect(store.look('me/none')).rejects.toMatchObject({ problem: 'not-found' });
    await expect(store.look(`${REPO}@none`)).rejects.toThrow(/no revision «none»/);
    await expect(store.look(`${REPO}:Q2_K`)).rejects.toThrow(/has no Q2_K. It has Q8_0/);
  });

  test('no room: before the first byte', async () => {
    const store = bench.open();
    const space = { quota: 80 * MIB, used: 5 * MIB };
    vi.spyOn(bench.depot, 'space').mockResolvedValue(space);
    const poor = bench.open({ depot: bench.depot });
    const offered = (await poor.look(REPO)).choices[0]!.id;
    await expect(fetchWhole(poor)).rejects.toThrow(/80 MB.*75 MB/);
    expect(poor.model(offered)?.failure?.problem).toBe('quota');
    expect(bench.hub.log.sent(FILE)).toBe(0);
    await store.close();
  });
});

describe('a file that changes on the server is never mixed', () => {
  const url = (): string => `${bench.hub.url}/${REPO}/resolve/main/${FILE}`;

  test('at a plain address: noticed, and begun anew', async () => {
    const other = madeUpContent(SIZE - 77, 9);
    bench.hub.replace(REPO, FILE, asGguf(expected));
    // Not a hub of its: what is known is what the server says.
    const store = bench.open({ hub: { hub: 'https://huggingface.co', keep: 'page' } as const, connections: 1 });
    bench.hub.rate = 32 * MIB;
    // The first answer is the one that told the size.
    bench.hub.faults.add({ kind: 'cut', after: 9 * MIB, skip: 1 });
    const offer = await store.look(url());
    const id = await store.download(offer.choices[0]!);
    await vi.waitUntil(() => (store.model(id)?.done ?? 0) > MIB, { timeout: 5000 });
    bench.hub.replace(REPO, FILE, other);
    const manifest = await store.finished(id);
    expect(await isSame(manifest, manifest.files[0]!, other)).toBe(true);
  });

  test('at a hub that promised another hash: refused', async () => {
    const store = bench.open({ connections: 1 });
    const offer = await store.look(REPO);
    const id = await store.download({
      ...offer.choices[0]!,
      files: offer.choices[0]!.files.map((file) => ({ ...file, sha256: '0'.repeat(64) })),
    });
    await expect(store.finished(id)).rejects.toMatchObject({ problem: 'wrong-bytes' });
  });
});

describe('stopping and going on', () => {
  test('a pause keeps every byte; another program goes on from it', async () => {
    bench.hub.rate = 8 * MIB;
    const store = bench.open();
    const offer = await store.look(REPO);
    const id = await store.download(offer.choices[0]!);
    await vi.waitUntil(() => (store.model(id)?.done ?? 0) > 2 * MIB, { timeout: 5000 });
    await store.pause(id);
    expect(store.model(id)).toMatchObject({ status: 'paused' });
    const paused = store.model(id)!.done;
    await store.close();
    const next = bench.open();
    await next.start();
    expect(next.model(id)).toMatchObject({ status: 'paused', done: paused });
    bench.hub.rate = undefined;
    await next.resume(id);
    await next.finished(id);
    expect(await isRight(next, id)).toBe(true);
    // In its connections' buffers something may have been on its way.
    expect(bench.hub.log.sentAgain(FILE)).toBeLessThanOrEqual(4 * MIB);
  });

  test('closed in the middle, it goes on by itself at the next start', async () => {
    bench.hub.rate = 8 * MIB;
    const store = bench.open();
    const offer = await store.look(REPO);
    const id = await store.download(offer.choices[0]!);
    await vi.waitUntil(() => (store.model(id)?.done ?? 0) > MIB, { timeout: 5000 });
    await store.close();
    bench.hub.rate = undefined;
    const next = bench.open();
    await next.start();
    await next.finished(id);
    expect(await isRight(next, id)).toBe(true);
  });

  test('a chunk that has all its parts and no seal is sealed, and not fetched', async () => {
    const seal = vi.spyOn(FolderDepot.prototype, 'seal').mockRejectedValueOnce(new StoreError('quota', 'No room.'));
    const store = bench.open({ connections: 1 });
    await expect(fetchWhole(store)).rejects.toMatchObject({ problem: 'quota' });
    expect(seal).toHaveBeenCalled();
    const [model] = store.state.models;
    expect(model).toMatchObject({ status: 'failed', done: CHUNK_BYTES });
    seal.mockRestore();
    bench.hub.log.clear();
    await store.resume(model!.id);
    await store.finished(model!.id);
    expect(await isRight(store, model!.id)).toBe(true);
    expect(bench.hub.log.sent(FILE)).toBe(SIZE - CHUNK_BYTES);
  });

  test('two programs do it once', async () => {
    const [one, two] = [bench.open(), bench.open()];
    const [id] = await Promise.all([fetchWhole(one), fetchWhole(two)]);
    expect(await isRight(two, id)).toBe(true);
    expect(bench.hub.log.sent(FILE)).toBe(SIZE);
  });

  test('removed in the middle, nothing is left', async () => {
    bench.hub.rate = 8 * MIB;
    const store = bench.open();
    const offer = await store.look(REPO);
    const id = await store.download(offer.choices[0]!);
    await vi.waitUntil(() => (store.model(id)?.done ?? 0) > MIB, { timeout: 5000 });
    await store.remove(id);
    expect(store.state.models).toEqual([]);
    expect(await bench.depot.keys()).toEqual([]);
  });
});

describe('what is stored', () => {
  const pathOf = async (store: ModelStore, id: string): Promise<string> => {
    const manifest = await store.manifest(id);
    return bench.depot.pathOf(manifest, manifest.files[0]!);
  };

  test('a chunk that went bad is found, and fetched again alone', async () => {
    const store = bench.open();
    const id = await fetchWhole(store);
    const path = await pathOf(store, id);
    const bytes = readFileSync(path);
    bytes[CHUNK_BYTES + 5]! ^= 1;
    writeFileSync(path, bytes);
    bench.hub.log.clear();
    expect(await store.verify(id)).toBe('damaged');
    expect(store.model(id)).toMatchObject({ status: 'damaged', failure: { problem: 'damaged' } });
    await store.resume(id);
    await store.finished(id);
    expect(await isRight(store, id)).toBe(true);
    expect(bench.hub.log.sent(FILE)).toBe(CHUNK_BYTES);
    expect(await store.verify(id)).toBe('whole');
  });

  test('a file that was cut short is noticed at the start', async () => {
    const store = bench.open();
    const id = await fetchWhole(store);
    truncateSync(await pathOf(store, id), CHUNK_BYTES);
    const next = bench.open();
    await next.start();
    expect(next.model(id)).toMatchObject({ status: 'damaged' });
    await next.resume(id);
    await next.finished(id);
    expect(await isRight(next, id)).toBe(true);
  });

  test('what no record names is swept away', async () => {
    const store = bench.open();
    const id = await fetchWhole(store);
    const { key } = await store.manifest(id);
    const orphan = join(bench.folder, '0123456789abcdef01234567');
    mkdirSync(orphan);
    writeFileSync(join(orphan, '0'), 'bytes that no record names');
    // Somebody named a folder that they have other things in.
    const theirs = join(bench.folder, 'photos', 'first.jpg');
    mkdirSync(dirname(theirs));
    writeFileSync(theirs, 'theirs');
    await store.start();
    expect(await bench.depot.keys()).toEqual([key]);
    expect(existsSync(orphan)).toBe(false);
    expect(readFileSync(theirs, 'utf8')).toBe('theirs');
    expect(statSync(await pathOf(store, id)).size).toBe(SIZE);
  });

  test('a revision with the same files is the same model, and nothing is fetched', async () => {
    const store = bench.open();
    const { key } = await store.manifest(await fetchWhole(store));
    bench.hub.commit(REPO, { [FILE]: expected, 'README.md': text('# Small, and well described\n') });
    expect((await store.manifest(await fetchWhole(store))).key).toBe(key);
    expect(bench.hub.log.sent(FILE)).toBe(SIZE);
  });

  test('a newer revision replaces the older one, when it is whole', async () => {
    const store = bench.open();
    const id = await fetchWhole(store);
    const before = await store.manifest(id);
    bench.hub.commit(REPO, { [FILE]: madeUpContent(MIB, 5) });
    expect(await fetchWhole(store)).toBe(id);
    const after = await store.manifest(id);
    expect(after.files[0]!.size).toBe(MIB);
    expect(after.key).not.toBe(before.key);
    expect(await bench.depot.keys()).toEqual([after.key]);
  });
});
