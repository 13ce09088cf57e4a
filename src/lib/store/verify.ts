/** Looks whether a whole model still is what it was. */
import { checkFile } from './check';
import type { Depot } from './depot';
import type { Manifest } from './records';
import { damagedPlan } from './records-view';

/** Takes bad chunks out, so that they alone are fetched again. `onBytes` is told how many were read, in all. */
export async function verifyModel(
  depot: Depot,
  manifest: Manifest,
  signal: AbortSignal,
  onBytes: (done: number) => void,
): Promise<'whole' | 'damaged'> {
  const { key, files, chunkBytes } = manifest;
  let done = 0;
  const bad: { readonly file: number; readonly chunk: number }[] = [];
  for (const [file, stored] of files.entries()) {
    const seals = new Map(stored.chunks.map((hash, chunk) => [chunk, hash]));
    const checked = await checkFile(depot, { key, file }, stored, seals, {
      chunkBytes,
      signal,
      onBytes: (bytes) => onBytes((done += bytes)),
    });
    bad.push(...checked.bad.map((chunk) => ({ file, chunk })));
  }
  if (bad.length === 0) {
    // On a full disk the date of the check is lost, and the model is whole all the same.
    await depot.commit({ ...manifest, checkedAt: Date.now() }).catch(() => undefined);
    return 'whole';
  }
  // The record first: killed in between, the model is known to be damaged, and the check comes again before its end.
  await depot.reopen(damagedPlan(manifest, bad.length));
  for (const { file, chunk } of bad) await depot.dropChunk({ key, file }, chunk);
  return 'damaged';
}
