/**
 * Where models' bytes and records lie: IndexedDB in a browser (idb-depot.ts), a folder under Node (folder-depot.ts).
 *
 * A file is written in parts, as they come; a chunk that has all its parts is sealed with its hash, and the parts are
 * gone. Every method is one step: it has happened when its promise resolves, and where it rejects nothing has.
 */
import type { ByteSource } from '$lib/weights';
import type { FileProgress, Manifest, ModelKey, Plan, StoredFile } from './records';

/** A file's place: its model's key, and its number among the model's files. */
export interface FileId {
  readonly key: ModelKey;
  readonly file: number;
}

export interface Depot {
  plans(): Promise<Plan[]>;
  /** Writes a plan, durably. */
  putPlan(plan: Plan): Promise<void>;
  manifests(): Promise<Manifest[]>;
  /** The commit mark: the manifest is there, and the plan is gone; durably. */
  commit(manifest: Manifest): Promise<void>;
  /** The way back, for a model with chunks that went bad. Nothing happens where it was removed or replaced meanwhile. */
  reopen(plan: Plan): Promise<void>;
  /** Takes the model out of the records, durably, and then its bytes. */
  remove(id: string, key: ModelKey): Promise<void>;

  progress(file: FileId): Promise<FileProgress>;
  /** Bytes from `offset` of a chunk on. `bytes` may be used again when the call has returned. */
  addPart(file: FileId, chunk: number, offset: number, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** The beginning of a chunk, as `readChunk` gives a whole one; fewer bytes than there should be, where some were lost. */
  readParts(file: FileId, chunk: number, use: (bytes: Uint8Array) => void): Promise<number>;
  /** Makes a chunk's parts one, durably. False, and nothing has changed: there are not all of them (any more). */
  seal(file: FileId, chunk: number, length: number, sha256: string): Promise<boolean>;
  /**
   * A chunk's bytes, a piece at a time, each valid only while `use` runs. Returns how many there were: fewer than the
   * chunk has, where it is not there (any more).
   */
  readChunk(file: FileId, chunk: number, use: (bytes: Uint8Array) => void): Promise<number>;
  /** Takes out a chunk with its seal and its parts. */
  dropChunk(file: FileId, chunk: number): Promise<void>;
  dropFile(file: FileId): Promise<void>;
  /** The keys of all models that have bytes here, named by a record or not. */
  keys(): Promise<ModelKey[]>;
  /** Takes out bytes that no record names. */
  dropKey(key: ModelKey): Promise<void>;
  /** How many chunks of the model are there: fewer than the manifest names, where bytes were lost. */
  countChunks(key: ModelKey): Promise<number>;

  /** A whole file, to read from. */
  source(manifest: Manifest, file: StoredFile): ByteSource;
  /** Undefined: it is not known. */
  space(): Promise<Space | undefined>;
  close(): void;
}

/** Bytes that this app may have in all, and has. */
export interface Space {
  readonly quota: number;
  readonly used: number;
}
