/** Reads a file back and compares it: each chunk with its seal, and the whole with what its source promises. */
import type { Depot, FileId } from './depot';
import { gitBlob, sha256 } from './hash';
import { chunkCount, chunkLength, type FileFacts } from './records';

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

/** In one ordered pass, a piece in memory at a time. */
export async function checkFile(
  depot: Depot,
  id: FileId,
  facts: FileFacts,
  seals: ReadonlyMap<number, string>,
  { chunkBytes, signal, onBytes }: CheckOptions,
): Promise<Checked> {
  const [whole, own] = [await sha256(), await sha256()];
  const git = facts.gitOid === undefined ? undefined : await gitBlob(facts.size);
  const bad: number[] = [];
  for (let chunk = 0; chunk < chunkCount(facts.size, chunkBytes); chunk++) {
    signal.throwIfAborted();
    own.reset();
    const length = await depot.readChunk(id, chunk, (bytes) => {
      for (const hasher of [own, whole, git]) hasher?.update(bytes);
    });
    const expected = chunkLength(facts.size, chunkBytes, chunk);
    if (length !== expected || own.digest() !== seals.get(chunk)) bad.push(chunk);
    onBytes(expected);
  }
  if (bad.length > 0) return { sha256: undefined, bad, right: false };
  const hash = whole.digest();
  const right =
    (facts.sha256 === undefined || facts.sha256 === hash) && (git === undefined || facts.gitOid === git.digest());
  return { sha256: hash, bad, right };
}
