/** What the store writes down of models: while they come, and when they are whole. */
import type { StoreFailure } from './errors';

/** Names a model's bytes; drawn by lot, so that bytes of two attempts are never mixed. */
export type ModelKey = string;

/** What a browser needs beside the bytes themselves: parts that lie beside chunks, and its own books. */
export const ROOM_BESIDE = 64 * 2 ** 20;
/** A file's bytes are kept, checked and fetched again in pieces of this size; the last one is shorter. */
export const CHUNK_BYTES = 8 * 2 ** 20;
/** What a connection has read is written down after so many bytes: what a kill can lose of them. */
export const PART_BYTES = 256 * 1024;

/** What a file is to have, as far as its source tells. */
export interface FileFacts {
  /** In the repository or folder, with slashes. */
  readonly path: string;
  readonly size: number;
  /** Of the whole file, in hexadecimal: from the hub's LFS list, or a manifest of ours. */
  readonly sha256?: string;
  /** Git's SHA-1 of it, where the hub holds it without LFS. */
  readonly gitOid?: string;
}

export interface PlannedFile extends FileFacts {
  /** Where to get it. Undefined: from a file that a person chose. */
  readonly url?: string;
  /** What the server called this version of the file (ETag, else Last-Modified), from the first answer on. */
  readonly version?: string;
}

/** Where a model comes from, in a form that its files can be listed from again. */
export interface Origin {
  readonly kind: 'hub' | 'url' | 'pocket' | 'local';
  /** As `formatAddress` writes it; of local files their name. */
  readonly address: string;
  /** The hub that it was found at. */
  readonly hub?: string;
  readonly repo?: string;
  /** The commit that the files are of: what is downloaded stays of one piece, whatever is published meanwhile. */
  readonly commit?: string;
}

/** What both records say. */
interface ModelFacts {
  /** What a person sees it as one model by: the same for the same files of the same repository. */
  readonly id: string;
  readonly key: ModelKey;
  readonly name: string;
  readonly origin: Origin;
  readonly license?: string;
  readonly chunkBytes: number;
}

/** A model on its way: written before its first byte, gone when it is whole. */
export interface Plan extends ModelFacts {
  readonly files: readonly PlannedFile[];
  /** Milliseconds since 1970. */
  readonly begunAt: number;
  /** By a person: it does not go on by itself. */
  readonly paused: boolean;
  /** Why it stopped by itself. */
  readonly failure?: StoreFailure;
}

export interface StoredFile extends FileFacts {
  readonly sha256: string;
  /** Of each chunk, in order. */
  readonly chunks: readonly string[];
  readonly url?: string;
  readonly version?: string;
}

/** A whole model: written last, when every file was read back and its hash was right. */
export interface Manifest extends ModelFacts {
  readonly files: readonly StoredFile[];
  readonly addedAt: number;
  /** When its bytes were last compared with their hashes. */
  readonly checkedAt: number;
}

/** How much of a file is there: its sealed chunks with their hashes, and the beginnings of others. */
export interface FileProgress {
  /** SHA-256 by chunk. */
  readonly seals: ReadonlyMap<number, string>;
  /** Bytes from its start, by chunk that is not sealed. */
  readonly begun: ReadonlyMap<number, number>;
}

export function chunkCount(size: number, chunkBytes: number): number {
  return Math.ceil(size / chunkBytes);
}

/** Bytes of a file's chunk. */
export function chunkLength(size: number, chunkBytes: number, chunk: number): number {
  return Math.min(chunkBytes, size - chunk * chunkBytes);
}

export function bytesOf(files: readonly FileFacts[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

/** Bytes of a file that are there. */
export function bytesThere({ size }: FileFacts, chunkBytes: number, { seals, begun }: FileProgress): number {
  let bytes = 0;
  for (const chunk of seals.keys()) bytes += chunkLength(size, chunkBytes, chunk);
  for (const length of begun.values()) bytes += length;
  return bytes;
}

/** Whether what is here is what would be fetched: most of a publisher's changes are to the description alone. */
export function hasFiles(whole: Manifest, files: readonly PlannedFile[]): boolean {
  const same = ({ path, size, sha256, gitOid, version }: PlannedFile): boolean => {
    const here = whole.files.find((file) => file.path === path);
    if (here?.size !== size) return false;
    if (sha256 !== undefined) return here.sha256 === sha256;
    if (gitOid !== undefined) return here.gitOid === gitOid;
    return version === undefined || here.version === undefined || here.version === version;
  };
  return whole.files.length === files.length && files.every(same);
}

/** From the platform's random numbers: `randomUUID` is for pages with https alone. */
export function newKey(): ModelKey {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function isModelKey(text: string): boolean {
  return /^[0-9a-f]{24}$/.test(text);
}

/** The same without some of its fields. */
export function without<T extends object, K extends keyof T>(value: T, ...keys: K[]): Omit<T, K> {
  const left = Object.entries(value).filter(([key]) => !(keys as PropertyKey[]).includes(key));
  return Object.fromEntries(left) as Omit<T, K>;
}
