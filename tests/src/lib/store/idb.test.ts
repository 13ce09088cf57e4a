/** Models in IndexedDB, step by step: parts become chunks, and what is missing or overlaps counts for nothing. */
import 'fake-indexeddb/auto';
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { DATABASE, IdbDepot, MIGRATIONS } from '$lib/store/idb-depot';
import type { Manifest, Plan } from '$lib/store/records';

const ID = { key: 'key', file: 0 };
const LENGTH = 10;
const bytes = (...values: readonly number[]): Uint8Array<ArrayBuffer> => new Uint8Array(values);

let depot: IdbDepot;
let number = 0;
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});
beforeEach(() => {
  depot = new IdbDepot({}, `${DATABASE}-${(number += 1)}`);
});

async function readBack(chunk = 0): Promise<number[]> {
  const all: number[] = [];
  await depot.readChunk(ID, chunk, (some) => all.push(...some));
  return all;
}

async function partsOf(chunk = 0): Promise<number[]> {
  const all: number[] = [];
  await depot.readParts(ID, chunk, (some) => all.push(...some));
  return all;
}

test('parts become a chunk, and are gone', async () => {
  await depot.addPart(ID, 0, 0, bytes(0, 1, 2, 3));
  await depot.addPart(ID, 0, 4, bytes(4, 5, 6, 7, 8, 9));
  await depot.addPart(ID, 1, 0, bytes(7));
  expect(await depot.progress(ID)).toEqual({
    seals: new Map(),
    begun: new Map([
      [0, 10],
      [1, 1],
    ]),
  });
  expect(await depot.seal(ID, 0, LENGTH, 'hash')).toBe(true);
  expect(await readBack()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(await depot.progress(ID)).toEqual({ seals: new Map([[0, 'hash']]), begun: new Map([[1, 1]]) });
  expect(await partsOf()).toEqual([]);
  expect(await depot.countChunks('key')).toBe(1);
});

describe('parts that do not go together', () => {
  test('a hole: nothing is sealed, and nothing changes', async () => {
    await depot.addPart(ID, 0, 0, bytes(0, 1, 2));
    await depot.addPart(ID, 0, 5, bytes(5, 6, 7, 8, 9));
    expect(await depot.seal(ID, 0, LENGTH, 'hash')).toBe(false);
    expect(await depot.countChunks('key')).toBe(0);
    expect(await partsOf()).toEqual([0, 1, 2]);
  });

  test('two tabs without locks cut the same chunk otherwise', async () => {
    await depot.addPart(ID, 0, 0, bytes(0, 1, 2, 3));
    await depot.addPart(ID, 0, 3, bytes(3, 4, 5));
    await depot.addPart(ID, 0, 4, bytes(4, 5, 6, 7, 8, 9));
    await depot.addPart(ID, 0, 6, bytes(6, 7, 8, 9));
    expect(await depot.seal(ID, 0, LENGTH, 'hash')).toBe(true);
    expect(await readBack()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

const FACTS = { id: 'me/model', key: 'key', name: 'model', origin: { kind: 'hub', address: 'me/model' } } as const;
const sha256 = createHash('sha256')
  .update(bytes(1, 2, 3))
  .digest('hex');
const plan: Plan = { ...FACTS, chunkBytes: 8, files: [{ path: 'a.gguf', size: 3 }], begunAt: 1, paused: false };
const manifest: Manifest = {
  ...FACTS,
  ...{ chunkBytes: 2, addedAt: 2, checkedAt: 2 },
  files: [{ path: 'a.gguf', size: 3, sha256, chunks: ['x', 'y'] }],
};

test('a manifest takes its plan’s place, and a plan the manifest’s', async () => {
  await depot.putPlan(plan);
  await depot.commit(manifest);
  expect([await depot.plans(), await depot.manifests()]).toEqual([[], [manifest]]);
  await depot.reopen(plan);
  expect([await depot.plans(), await depot.manifests()]).toEqual([[plan], []]);
  // What another tab has removed meanwhile does not come back.
  await depot.remove(plan.id, plan.key);
  await depot.reopen(plan);
  expect([await depot.plans(), await depot.manifests()]).toEqual([[], []]);
});

test('a file is read a stretch at a time, and says where chunks are missing', async () => {
  for (const [chunk, values] of [[1, 2], [3]].entries()) {
    await depot.addPart(ID, chunk, 0, bytes(...values));
    await depot.seal(ID, chunk, values.length, 'hash');
  }
  const source = depot.source(manifest, manifest.files[0]!);
  expect([...(await source.read(1, 2))]).toEqual([2, 3]);
  await expect(source.read(2, 2)).rejects.toMatchObject({ problem: 'outside' });
  await depot.dropChunk(ID, 1);
  await expect(depot.source(manifest, manifest.files[0]!).read(0, 3)).rejects.toMatchObject({ problem: 'damaged' });
});

test('keys of what has bytes, in whatever form, and only its own are dropped', async () => {
  await depot.addPart({ key: 'a', file: 0 }, 0, 0, bytes(1));
  await depot.addPart({ key: 'b', file: 3 }, 2, 0, bytes(1));
  await depot.seal({ key: 'b', file: 3 }, 2, 1, 'hash');
  await depot.addPart({ key: 'ab', file: 0 }, 0, 0, bytes(1));
  expect((await depot.keys()).sort()).toEqual(['a', 'ab', 'b']);
  await depot.dropKey('a');
  expect((await depot.keys()).sort()).toEqual(['ab', 'b']);
  await depot.remove('me/model', 'b');
  expect(await depot.keys()).toEqual(['ab']);
});

test('an older version steps aside for a newer one, says so, and writes nothing any more', async () => {
  let told = 0;
  const name = `${DATABASE}-shared`;
  const old = new IdbDepot({ outdated: () => (told += 1) }, name);
  await old.putPlan(plan);
  const later = new IdbDepot({}, name, [...MIGRATIONS, (database) => void database.createObjectStore('later')]);
  expect(await later.plans()).toEqual([plan]);
  expect(told).toBe(1);
  await expect(old.putPlan(plan)).rejects.toMatchObject({ problem: 'outdated' });
  await expect(new IdbDepot({}, name).plans()).rejects.toMatchObject({ problem: 'outdated' });
});

test('a database that is deleted while it is open is told of, and begun anew', async () => {
  let cleared = 0;
  const name = `${DATABASE}-deleted`;
  const open = new IdbDepot({ cleared: () => (cleared += 1), outdated: () => expect.unreachable() }, name);
  await open.putPlan(plan);
  await new Promise((done) => (indexedDB.deleteDatabase(name).onsuccess = done));
  expect(cleared).toBe(1);
  expect(await open.plans()).toEqual([]);
  await open.putPlan(plan);
  expect(await open.plans()).toEqual([plan]);
});

describe('a browser that gives no room, or none at all', () => {
  test('a full disk, as a request that is refused or a transaction that is broken off: nothing of it is there', async () => {
    // eslint-disable-next-line @typescript-eslint/unbound-method -- called on each store, as it is
    const { put } = IDBObjectStore.prototype;
    const refusing = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
      throw new DOMException('no room', 'QuotaExceededError');
    });
    await expect(depot.putPlan(plan)).rejects.toMatchObject({ problem: 'quota' });
    refusing.mockImplementation(function (this: IDBObjectStore, value: unknown, key?: IDBValidKey) {
      const request = put.call(this, value, key);
      request.addEventListener('success', () => this.transaction.abort());
      return request;
    });
    await expect(depot.addPart(ID, 0, 0, bytes(1))).rejects.toMatchObject({ problem: 'quota' });
    await expect(depot.commit(manifest)).rejects.toMatchObject({ problem: 'quota' });
    refusing.mockRestore();
    expect([await depot.plans(), await depot.manifests(), await depot.keys()]).toEqual([[], [], []]);
  });

  test.each(['SecurityError', 'InvalidStateError', 'UnknownError'])('%s: said in words', async (name) => {
    const open = (): never => {
      throw new DOMException('The operation is insecure.', name);
    };
    vi.stubGlobal('indexedDB', { open });
    await expect(new IdbDepot({}, 'denied').plans()).rejects.toMatchObject({ problem: 'unavailable' });
  });

  test.each([
    [{}, undefined],
    [{ storage: {} }, undefined],
    [{ storage: { estimate: () => Promise.reject(new TypeError('opaque')) } }, undefined],
    [{ storage: { estimate: async () => ({ quota: 5, usage: 3 }) } }, { quota: 5, used: 3 }],
  ])('how much room there is: %o', async (navigator, space) => {
    vi.stubGlobal('navigator', navigator);
    expect(await depot.space()).toEqual(space);
  });
});
