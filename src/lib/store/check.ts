/** Reads a file back and compares it: each chunk with its seal, and the whole with what its source promises. */
import type { Depot, FileId } from './depot';
import { gitBlob, type Hasher, sha256, sha256Of } from './hash';
import { chunkCount, type FileFacts } from './records';

export interface Checked {
  /** Of the whole file; undefined where chunks are bad. */
  readonly sha256: string | undefined;
  /** Chunks that are gone, or are not what was sealed. */
  readonly bad: readonly number[];
  /** Whether it is what the source promises, as far as that promises anything. */
  readonly right: boolean;
}

export interface CheckOptions {
  readonly chunkBytes: number;
  readonly signal: AbortSignal;
  readonly onBytes: (bytes: number) => void;
}

/** In one ordered pass, with two chunks in memory: one is hashed while the next is read. */
export async function checkFile(
  depot: Depot,
  id: FileId,
  facts: FileFacts,
  seals: ReadonlyMap<number, string>,
  { chunkBytes, signal, onBytes }: CheckOptions,
): Promise<Checked> {
  const whole = await sha256();
  const git = facts.gitOid === undefined ? undefined : await gitBlob(facts.size);
  const count = chunkCount(facts.size, chunkBytes);
  const bad: number[] = [];
  let ahead = count > 0 ? depot.readChunk(id, 0) : undefined;
  for (let chunk = 0; chunk < count; chunk++) {
    const bytes = await ahead;
    signal.throwIfAborted();
    ahead = chunk + 1 < count ? depot.readChunk(id, chunk + 1) : undefined;
    // Whoever stops early leaves the read ahead behind, and its rejection is nobody's.
    ahead?.catch(() => undefined);
    if (!bytes || (await sha256Of(bytes)) !== seals.get(chunk)) bad.push(chunk);
    else if (bad.length === 0) addTo([whole, git], bytes);
    onBytes(Math.min(chunkBytes, facts.size - chunk * chunkBytes));
  }
  if (bad.length > 0) return { sha256: undefined, bad, right: false };
  const hash = whole.digest();
  const right =
    (facts.sha256 === undefined || facts.sha256 === hash) && (git === undefined || facts.gitOid === git.digest());
  return { sha256: hash, bad, right };
}

function addTo(hashers: readonly (Hasher | undefined)[], bytes: Uint8Array): void {
  for (const hasher of hashers) hasher?.update(bytes);
}
