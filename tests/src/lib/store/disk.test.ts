/** What a disk can do to a download: lose what it was given, or refuse it. */
import { appendFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FolderDepot } from '$lib/store/folder-depot';
import { CHUNK_BYTES } from '$lib/store/records';
import type { ModelStore } from '$lib/store/store';
import { madeUpContent } from '../../../hub/content.js';
import { type Bench, fetchWhole, FILE, MIB, openBench, REPO, SIZE } from './support';

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await bench.close();
});

async function isRight(store: ModelStore, id: string): Promise<boolean> {
  const manifest = await store.manifest(id);
  const source = bench.depot.source(manifest, manifest.files[0]!);
  const bytes = await source.read(0, SIZE);
  await source.close?.();
  return Buffer.compare(bytes, madeUpContent(SIZE).at(0, SIZE)) === 0;
}

/** Stopped in the middle of its second chunk. */
async function paused(store: ModelStore): Promise<string> {
  bench.hub.rate = 16 * MIB;
  const id = await store.download((await store.look(REPO)).choices[0]!);
  await vi.waitUntil(() => (store.model(id)?.done ?? 0) > CHUNK_BYTES + 2 * MIB, { timeout: 5000 });
  await store.pause(id);
  bench.hub.rate = undefined;
  bench.hub.log.clear();
  return id;
}

test('what was written down and got lost is fetched again, alone', async () => {
  const store = bench.open({ connections: 1 });
  const id = await paused(store);
  const [plan] = await bench.depot.plans();
  // The log speaks of the second chunk's beginning, and half of that is not there.
  truncateSync(join(bench.folder, plan!.key, '0'), CHUNK_BYTES + MIB);
  await store.resume(id);
  await store.finished(id);
  expect(await isRight(store, id)).toBe(true);
  expect(bench.hub.log.sent(FILE)).toBe(SIZE - CHUNK_BYTES);
});

test('a line of the log that was cut off costs what it told of, and nothing else', async () => {
  const store = bench.open({ connections: 1 });
  const id = await paused(store);
  const [plan] = await bench.depot.plans();
  appendFileSync(join(bench.folder, plan!.key, '0.log'), '{"part":[1,');
  await store.resume(id);
  await store.finished(id);
  expect(await isRight(store, id)).toBe(true);
});

test('a disk that keeps nothing is told, and not filled for ever', async () => {
  const seal = vi.spyOn(FolderDepot.prototype, 'seal').mockResolvedValue(false);
  const store = bench.open({ connections: 1 });
  await expect(fetchWhole(store)).rejects.toMatchObject({ problem: 'damaged' });
  expect(bench.hub.log.sent(FILE)).toBeLessThan(8 * CHUNK_BYTES);
  seal.mockRestore();
  const [model] = store.state.models;
  await store.resume(model!.id);
  await store.finished(model!.id);
});

test('what cannot be written is no matter of the network', async () => {
  vi.spyOn(FolderDepot.prototype, 'addPart').mockRejectedValue(new Error('EIO: i/o error, write'));
  await expect(fetchWhole(bench.open())).rejects.toThrow('EIO');
});

test('a file of this device that goes away is no matter of the network', async () => {
  const file = new File([new Uint8Array(MIB)], 'mine.gguf', { lastModified: 7 });
  const gone = (): ReadableStream<Uint8Array<ArrayBuffer>> =>
    new ReadableStream({ pull: (controller) => controller.error(new DOMException('gone', 'NotReadableError')) });
  vi.spyOn(file, 'slice').mockReturnValue({ stream: gone } as unknown as Blob);
  const store = bench.open();
  const id = await store.add([{ path: file.name, file }]);
  await expect(store.finished(id)).rejects.toMatchObject({ problem: 'files' });
});
