/**
 * Models in a folder, for programs under Node; pages must not import this module.
 *
 * | path | what |
 * | --- | --- |
 * | `KEY/plan.json`, `KEY/manifest.json` | the record; the plan goes when the manifest comes |
 * | `KEY/0`, `KEY/1`, ... | the model's files, as they are |
 * | `KEY/0.log`, ... | what of a file is there, a line for each part and seal |
 * | `locks/` | who works on what |
 */
import { appendFile, mkdir, open, readdir, readFile, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type ByteSource, memorySource } from '$lib/weights';
import { openFile } from '$lib/weights/node-source';
import type { Depot, FileId, Space } from './depot';
import { StoreError } from './errors';
import {
  bytesOf,
  chunkLength,
  type FileProgress,
  isModelKey,
  type Manifest,
  type ModelKey,
  newKey,
  type Plan,
  type StoredFile,
} from './records';

/** Bytes of a file that are read at once. */
const PIECE = 2 ** 20;

/** A line of a log: a part, a seal, or a chunk that was taken out. */
type Line =
  { readonly part: [number, number, number] } | { readonly seal: [number, string] } | { readonly drop: number };

export class FolderDepot implements Depot {
  readonly folder: string;
  /** By key: it never changes, and is asked for with each part. */
  readonly #chunkBytes = new Map<ModelKey, number>();

  constructor(folder: string) {
    this.folder = folder;
  }

  // ---- records -------------------------------------------------------------------------------------------------

  plans(): Promise<Plan[]> {
    return this.#records<Plan>('plan.json');
  }

  async putPlan(plan: Plan): Promise<void> {
    await this.#write(plan.key, 'plan.json', plan);
  }

  manifests(): Promise<Manifest[]> {
    return this.#records<Manifest>('manifest.json');
  }

  async commit(manifest: Manifest): Promise<void> {
    await this.#write(manifest.key, 'manifest.json', manifest);
    await rm(this.#path(manifest.key, 'plan.json'), { force: true });
  }

  async reopen(plan: Plan): Promise<void> {
    if (!(await exists(this.#path(plan.key, 'manifest.json')))) return;
    await this.#write(plan.key, 'plan.json', plan);
    await rm(this.#path(plan.key, 'manifest.json'), { force: true });
  }

  async remove(_id: string, key: ModelKey): Promise<void> {
    await this.dropKey(key);
  }

  async #records<T>(name: string): Promise<T[]> {
    const found: T[] = [];
    for (const key of await this.keys()) {
      // A manifest that is there makes a plan that was left behind beside it a thing of the past.
      if (name === 'plan.json' && (await exists(this.#path(key, 'manifest.json')))) continue;
      const text = await readFile(this.#path(key, name), 'utf8').catch(() => undefined);
      if (text !== undefined) found.push(recordIn<T>(text, this.#path(key, name)));
    }
    return found;
  }

  /** Whole or not at all: under another name first, and on the disk before it gets its own. */
  async #write(key: ModelKey, name: string, record: Plan | Manifest): Promise<void> {
    await onDisk(async () => {
      await mkdir(this.#path(key), { recursive: true });
      const path = this.#path(key, name);
      // Of a name of its own: another program may be writing the same record.
      const fresh = `${path}.${newKey()}`;
      const file = await open(fresh, 'w');
      try {
        await file.writeFile(JSON.stringify(record, undefined, 1));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(fresh, path);
    });
  }

  // ---- bytes ---------------------------------------------------------------------------------------------------

  async progress(file: FileId): Promise<FileProgress> {
    const seals = new Map<number, string>();
    const begun = new Map<number, number>();
    for (const line of await this.#lines(file)) {
      if ('seal' in line) {
        seals.set(...line.seal);
        begun.delete(line.seal[0]);
      } else if ('drop' in line) {
        seals.delete(line.drop);
        begun.delete(line.drop);
      } else if (line.part[1] === (begun.get(line.part[0]) ?? 0)) {
        begun.set(line.part[0], line.part[1] + line.part[2]);
      }
    }
    return { seals, begun };
  }

  async addPart(file: FileId, chunk: number, offset: number, bytes: Uint8Array): Promise<void> {
    await this.#put(file, await this.#position(file, chunk, offset), bytes);
    await this.#note(file, { part: [chunk, offset, bytes.length] });
  }

  async readParts(file: FileId, chunk: number, use: (bytes: Uint8Array) => void): Promise<number> {
    const length = (await this.progress(file)).begun.get(chunk) ?? 0;
    return this.#read(file, await this.#position(file, chunk, 0), length, use);
  }

  /** The parts lie where they belong: they have to be on the disk, and be told of. */
  async seal(file: FileId, chunk: number, length: number, sha256: string): Promise<boolean> {
    if ((await this.progress(file)).begun.get(chunk) !== length) return false;
    const handle = await open(this.#fileOf(file), 'r+');
    try {
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await this.#note(file, { seal: [chunk, sha256] });
    return true;
  }

  async readChunk(file: FileId, chunk: number, use: (bytes: Uint8Array) => void): Promise<number> {
    const { files, chunkBytes } = await this.#recordOf(file.key);
    return this.#read(file, chunk * chunkBytes, chunkLength(files[file.file]!.size, chunkBytes, chunk), use);
  }

  async #read(file: FileId, begin: number, length: number, use: (bytes: Uint8Array) => void): Promise<number> {
    const piece = new Uint8Array(Math.min(PIECE, length));
    let done = 0;
    while (done < length) {
      const target = piece.subarray(0, Math.min(PIECE, length - done));
      const read = await this.#get(file, begin + done, target).catch(() => 0);
      if (read === 0) break;
      use(target.subarray(0, read));
      done += read;
    }
    return done;
  }

  async dropChunk(file: FileId, chunk: number): Promise<void> {
    await this.#note(file, { drop: chunk });
  }

  async dropFile({ key, file }: FileId): Promise<void> {
    for (const name of [`${file}.log`, String(file)]) await rm(this.#path(key, name), { force: true });
  }

  /** What is not called as our keys are belongs to somebody else: a person may name any folder of theirs. */
  async keys(): Promise<ModelKey[]> {
    const entries = await readdir(this.folder, { withFileTypes: true }).catch(() => []);
    return entries.filter((entry) => entry.isDirectory() && isModelKey(entry.name)).map(({ name }) => name);
  }

  async dropKey(key: ModelKey): Promise<void> {
    await rm(this.#path(key), { recursive: true, force: true });
  }

  async countChunks(key: ModelKey): Promise<number> {
    const { files, chunkBytes } = await this.#recordOf(key);
    let count = 0;
    for (const [file, { size }] of files.entries()) {
      const there = await stat(this.#path(key, String(file))).catch(() => undefined);
      if (there?.size === size) count += Math.ceil(size / chunkBytes);
    }
    return count;
  }

  source(manifest: Manifest, file: StoredFile): ByteSource {
    // Of a file without bytes nothing was ever written.
    if (file.size === 0) return memorySource(new Uint8Array(0), file.path);
    return new LazyFile(this.pathOf(manifest, file), file);
  }

  /** Where a file lies, for whatever reads files by itself. */
  pathOf(manifest: Manifest, file: StoredFile): string {
    return this.#path(manifest.key, String(manifest.files.indexOf(file)));
  }

  async space(): Promise<Space> {
    await mkdir(this.folder, { recursive: true });
    const { bavail, bsize } = await statfs(this.folder);
    const used = bytesOf((await this.manifests()).flatMap(({ files }) => files));
    return { quota: used + bavail * bsize, used };
  }

  close(): void {}

  // ----------------------------------------------------------------------------------------------------------------

  #path(...parts: readonly string[]): string {
    return join(this.folder, ...parts);
  }

  async #recordOf(key: ModelKey): Promise<Plan | Manifest> {
    const all = [...(await this.plans()), ...(await this.manifests())];
    const record = all.find((found) => found.key === key);
    if (!record) throw new StoreError('missing', `${this.#path(key)} is no model any more: it was deleted meanwhile.`);
    return record;
  }

  async #position({ key }: FileId, chunk: number, offset: number): Promise<number> {
    const chunkBytes = this.#chunkBytes.get(key) ?? (await this.#recordOf(key)).chunkBytes;
    this.#chunkBytes.set(key, chunkBytes);
    return chunk * chunkBytes + offset;
  }

  #fileOf({ key, file }: FileId): string {
    return this.#path(key, String(file));
  }

  async #put(file: FileId, position: number, bytes: Uint8Array): Promise<void> {
    const path = this.#fileOf(file);
    await onDisk(async () => {
      const handle = await open(path, (await exists(path)) ? 'r+' : 'w+');
      try {
        await handle.write(bytes, 0, bytes.length, position);
      } finally {
        await handle.close();
      }
    });
  }

  async #get(file: FileId, position: number, target: Uint8Array): Promise<number> {
    const handle = await open(this.#fileOf(file), 'r');
    try {
      const { bytesRead } = await handle.read(target, 0, target.length, position);
      return bytesRead;
    } finally {
      await handle.close();
    }
  }

  async #note({ key, file }: FileId, line: Line): Promise<void> {
    await onDisk(() => appendFile(this.#path(key, `${file}.log`), `${JSON.stringify(line)}\n`));
  }

  async #lines({ key, file }: FileId): Promise<Line[]> {
    const text = await readFile(this.#path(key, `${file}.log`), 'utf8').catch(() => '');
    // What follows the last line's end is a line that was cut off.
    return text
      .split('\n')
      .slice(0, -1)
      .flatMap((line) => lineOf(line) ?? []);
  }
}

/** Undefined: one that was cut off, with what came behind it. What they told of is fetched again. */
function lineOf(text: string): Line | undefined {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return undefined;
  }
}

class LazyFile implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #path: string;
  #file: Promise<ByteSource & { close(): Promise<void> }> | undefined;

  constructor(path: string, { path: name, size }: StoredFile) {
    this.name = name;
    this.size = size;
    this.#path = path;
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    return (await this.#open()).read(offset, length, signal);
  }

  async readInto(target: Uint8Array, offset: number, signal?: AbortSignal): Promise<void> {
    await (
      await this.#open()
    ).readInto!(target, offset, signal);
  }

  async close(): Promise<void> {
    await (await this.#file)?.close();
  }

  #open(): Promise<ByteSource & { close(): Promise<void> }> {
    this.#file ??= openFile(this.#path);
    return this.#file;
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** Writes, and says of a full disk that it is full. */
async function onDisk(write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw cause;
    throw new StoreError('quota', 'The disk is full. What came so far is kept; make room, then go on.', { cause });
  }
}

/** Records are written whole: one that cannot be read was changed by somebody else, and nothing is done to its bytes. */
function recordIn<T>(text: string, path: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    const message = `${path} cannot be read: its disk may be failing. Delete its folder, and get that model again.`;
    throw new StoreError('damaged', message, { cause });
  }
}
