/** Hashes: SHA-256 of files and chunks, and git's names for what a hub holds without LFS. */
import { createSHA1, createSHA256, type IHasher } from 'hash-wasm';

/** Takes bytes in order, however they are cut. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  /** In hexadecimal; nothing may be added after it. */
  digest(): string;
}

export async function sha256(): Promise<Hasher> {
  return hasher(await createSHA256());
}

/** SHA-1 of a file as git names it: its kind and size come first. */
export async function gitBlob(size: number): Promise<Hasher> {
  const inner = await createSHA1();
  inner.init();
  inner.update(`blob ${size}\0`);
  return wrap(inner);
}

function hasher(inner: IHasher): Hasher {
  inner.init();
  return wrap(inner);
}

function wrap(inner: IHasher): Hasher {
  return {
    update: (bytes) => void inner.update(bytes),
    digest: () => inner.digest('hex'),
  };
}

/**
 * Of a piece that is in memory. The platform's own hash is three times as fast, but takes its bytes in one piece, and is
 * there only for pages that are trusted (https, or this machine).
 */
export async function sha256Of(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const subtle = (globalThis.crypto as Partial<Crypto>).subtle;
  if (subtle) return hex(new Uint8Array(await subtle.digest('SHA-256', bytes)));
  const hash = await sha256();
  hash.update(bytes);
  return hash.digest();
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
