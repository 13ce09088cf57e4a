/** Hashes: SHA-256 of files and chunks, and git's names for what a hub holds without LFS. */
import { createSHA1, createSHA256, type IHasher } from 'hash-wasm';

/** Takes bytes in order, however they are cut. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  /** In hexadecimal; nothing may be added after it but to a new beginning. */
  digest(): string;
  /** Begins anew. Each hasher has memory of its own that is long in being collected: so they are used again. */
  reset(): void;
}

export async function sha256(): Promise<Hasher> {
  return hasher(await createSHA256());
}

/** SHA-1 of a file as git names it: its kind and size come first. */
export async function gitBlob(size: number): Promise<Hasher> {
  return hasher(await createSHA1(), `blob ${size}\0`);
}

function hasher(inner: IHasher, first = ''): Hasher {
  const reset = (): void => void inner.init().update(first);
  reset();
  return {
    update: (bytes) => void inner.update(bytes),
    digest: () => inner.digest('hex'),
    reset,
  };
}
