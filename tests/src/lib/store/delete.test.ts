/** Deleting: at once, whatever is going on, and all of it. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { StoreError } from '$lib/store/errors';
import { FolderDepot } from '$lib/store/folder-depot';
import { CHUNK_BYTES } from '$lib/store/records';
import { type Bench, fetchWhole, openBench } from './support';

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
});
afterEach(() => bench.close());

test('deleted while it is checked, it is gone at once', async () => {
  const store = bench.open();
  const id = await fetchWhole(store);
  const reading = vi.spyOn(FolderDepot.prototype, 'readChunk');
  reading.mockImplementation(async () => {
    await new Promise((done) => setTimeout(done, 50));
    return CHUNK_BYTES;
  });
  const checked = expect(store.verify(id)).rejects.toMatchObject({ problem: 'missing' });
  await vi.waitUntil(() => reading.mock.calls.length > 0);
  await store.remove(id);
  await checked;
  expect(reading.mock.calls.length).toBeLessThan(3);
  reading.mockRestore();
  expect(await bench.depot.keys()).toEqual([]);
});

test('everything is deleted, also what another tab deletes meanwhile', async () => {
  const store = bench.open();
  await fetchWhole(store);
  await fetchWhole(store, 'me/tensors');
  const remove = vi.spyOn(store, 'remove').mockRejectedValueOnce(new StoreError('missing', 'It was faster.'));
  await store.removeAll();
  expect(remove).toHaveBeenCalledTimes(2);
  remove.mockRestore();
  await store.removeAll();
  expect(await bench.depot.keys()).toEqual([]);
});
