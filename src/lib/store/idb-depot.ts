/**
 * Models in IndexedDB, in a database of their own.
 *
 * | object store | key | value |
 * | --- | --- | --- |
 * | `plans` | model id | `Plan` |
 * | `manifests` | model id | `Manifest` |
 * | `parts` | [model key, file, chunk, offset] | Blob of PART_BYTES or less |
 * | `chunks` | [model key, file, chunk] | Blob of a chunk |
 * | `seals` | [model key, file, chunk] | SHA-256 of the chunk |
 *
 * Bytes are Blobs: what is read back is a handle, so that any stretch of a file is read by itself, the processor's
 * engine takes a whole model without a copy, and the page's heap holds none of it (README: the figures).
 */
import { get, promisifyRequest, set, values } from 'idb-keyval';
import type { ByteSource } from '$lib/weights';
import { blobSource, SourceError } from '$lib/weights';
import { Database, type DatabaseOptions, type Migration } from './database';
import type { Depot, FileId, Space } from './depot';
import { StoreError } from './errors';
import type { FileProgress, Manifest, ModelKey, Plan, StoredFile } from './records';
import { readBlob } from './streams';

export const DATABASE = 'fireside-models';

/** Each brings the database one version further. What has been published once is never changed. */
export const MIGRATIONS: readonly Migration[] = [
  (database) => {
    for (const store of ['plans', 'manifests', 'parts', 'chunks', 'seals']) database.createObjectStore(store);
  },
];

const BYTES = ['parts', 'chunks', 'seals'] as const;

export class IdbDepot implements Depot {
  readonly #database: Database;

  /** @param migrations for tests, which play a version to come */
  constructor(options: DatabaseOptions = {}, name = DATABASE, migrations = MIGRATIONS) {
    this.#database = new Database(name, migrations, options);
  }

  // ---- records -------------------------------------------------------------------------------------------------

  plans(): Promise<Plan[]> {
    return values<Plan>(this.#database.store('plans'));
  }

  putPlan(plan: Plan): Promise<void> {
    return set(plan.id, plan, this.#database.store('plans', 'strict'));
  }

  manifests(): Promise<Manifest[]> {
    return values<Manifest>(this.#database.store('manifests'));
  }

  commit(manifest: Manifest): Promise<void> {
    return this.#write(['plans', 'manifests'], 'strict', (store) => {
      store('manifests').put(manifest, manifest.id);
      store('plans').delete(manifest.id);
    });
  }

  reopen(plan: Plan): Promise<void> {
    return this.#database.transact(['plans', 'manifests'], 'readwrite', 'strict', async (transaction) => {
      const manifests = transaction.objectStore('manifests');
      const manifest = await promisifyRequest(manifests.get(plan.id) as IDBRequest<Manifest | undefined>);
      if (manifest?.key !== plan.key) return;
      transaction.objectStore('plans').put(plan, plan.id);
      manifests.delete(plan.id);
    });
  }

  async remove(id: string, key: ModelKey): Promise<void> {
    await this.#write(['plans', 'manifests'], 'strict', (store) => {
      store('manifests').delete(id);
      store('plans').delete(id);
    });
    await this.dropKey(key);
  }

  // ---- bytes ---------------------------------------------------------------------------------------------------

  async progress({ key, file }: FileId): Promise<FileProgress> {
    const range = under(key, file);
    return this.#database.transact(['seals', 'parts'], 'readonly', 'relaxed', async (transaction) => {
      const sealStore = transaction.objectStore('seals');
      const [sealKeys, hashes, partKeys] = await Promise.all([
        promisifyRequest(sealStore.getAllKeys(range)),
        promisifyRequest(sealStore.getAll(range) as IDBRequest<string[]>),
        promisifyRequest(transaction.objectStore('parts').getAllKeys(range)),
      ]);
      const seals = new Map(sealKeys.map((sealKey, i) => [last(sealKey, 2), hashes[i]!]));
      // A part begins where the one before ends; the length of a chunk's last one only it knows itself.
      const lastParts = new Map(partKeys.map((partKey) => [last(partKey, 2), partKey]));
      const begun = new Map<number, number>();
      for (const [chunk, partKey] of lastParts) {
        const part = await promisifyRequest(transaction.objectStore('parts').get(partKey) as IDBRequest<Blob>);
        begun.set(chunk, last(partKey, 3) + part.size);
      }
      return { seals, begun };
    });
  }

  addPart({ key, file }: FileId, chunk: number, offset: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    // A Blob takes its copy at once, and off the heap.
    return set([key, file, chunk, offset], new Blob([bytes]), this.#database.store('parts'));
  }

  async readParts(id: FileId, chunk: number, use: (bytes: Uint8Array) => void): Promise<number> {
    const parts = await this.#database.store('parts')('readonly', (store) => joined(store, id, chunk));
    return readBlob(parts, use).catch(() => 0);
  }

  /** The browser puts the parts together by itself: no byte of them comes into the page. */
  seal(id: FileId, chunk: number, length: number, sha256: string): Promise<boolean> {
    const place = [id.key, id.file, chunk];
    return this.#database.transact(BYTES, 'readwrite', 'strict', async (transaction) => {
      const parts = transaction.objectStore('parts');
      const blob = await joined(parts, id, chunk);
      if (blob.size !== length) return false;
      transaction.objectStore('chunks').put(blob, place);
      transaction.objectStore('seals').put(sha256, place);
      parts.delete(under(...place));
      return true;
    });
  }

  async readChunk({ key, file }: FileId, chunk: number, use: (bytes: Uint8Array) => void): Promise<number> {
    const blob = await get<Blob>([key, file, chunk], this.#database.store('chunks'));
    // The record may be there, and what it stands for not: the disk lost it.
    return blob ? readBlob(blob, use).catch(() => 0) : 0;
  }

  dropChunk({ key, file }: FileId, chunk: number): Promise<void> {
    return this.#write(BYTES, 'relaxed', (store) => {
      store('chunks').delete([key, file, chunk]);
      store('seals').delete([key, file, chunk]);
      store('parts').delete(under(key, file, chunk));
    });
  }

  dropFile({ key, file }: FileId): Promise<void> {
    return this.#drop(under(key, file));
  }

  dropKey(key: ModelKey): Promise<void> {
    return this.#drop(under(key));
  }

  async keys(): Promise<ModelKey[]> {
    const found = new Set<ModelKey>();
    for (const name of BYTES) {
      const store = this.#database.store(name);
      // From key to key, over all that lies under each: there are thousands of parts, and few models.
      let next: IDBKeyRange | undefined;
      for (;;) {
        const key = await store('readonly', (open) =>
          promisifyRequest(open.getKey(next ?? IDBKeyRange.lowerBound([]))),
        );
        if (!Array.isArray(key)) break;
        found.add(key[0] as ModelKey);
        next = IDBKeyRange.lowerBound([key[0], []]);
      }
    }
    return [...found];
  }

  countChunks(key: ModelKey): Promise<number> {
    return this.#database.store('chunks')('readonly', (store) => promisifyRequest(store.count(under(key))));
  }

  source(manifest: Manifest, file: StoredFile): ByteSource & BlobBacked {
    const index = manifest.files.indexOf(file);
    return new StoredSource(file, () => this.#blobOf(manifest, file, index));
  }

  async space(): Promise<Space | undefined> {
    // Pages that are not trusted (plain http) are not told, nor are those in older browsers or some private windows.
    const storage = (navigator as Partial<Navigator>).storage as Partial<StorageManager> | undefined;
    const { quota, usage } = (await storage?.estimate?.().catch(() => undefined)) ?? {};
    return quota === undefined || usage === undefined ? undefined : { quota, used: usage };
  }

  close(): void {
    this.#database.close();
  }

  // ----------------------------------------------------------------------------------------------------------------

  /** All chunks as one Blob: handles, no bytes. */
  async #blobOf({ key }: Manifest, file: StoredFile, index: number): Promise<Blob> {
    const chunks = await this.#database.store('chunks')('readonly', (store) =>
      promisifyRequest(store.getAll(under(key, index)) as IDBRequest<Blob[]>),
    );
    const blob = new Blob(chunks);
    if (chunks.length !== file.chunks.length || blob.size !== file.size) throw lost(file.path);
    return blob;
  }

  #drop(range: IDBKeyRange): Promise<void> {
    return this.#write(BYTES, 'relaxed', (store) => {
      for (const name of BYTES) store(name).delete(range);
    });
  }

  async #write(
    stores: readonly string[],
    durability: IDBTransactionDurability,
    change: (store: (name: string) => IDBObjectStore) => void,
  ): Promise<void> {
    await this.#database.transact(stores, 'readwrite', durability, (transaction) => {
      change((name) => transaction.objectStore(name));
    });
  }
}

/** All keys that begin so: an array is greater than every number and text. */
function under(...begin: readonly IDBValidKey[]): IDBKeyRange {
  return IDBKeyRange.bound([...begin], [...begin, []]);
}

/**
 * A chunk's parts as one, as far as each begins where the one before ends. Where there are no locks, two tabs may have
 * written the same chunk, cut otherwise.
 */
async function joined(parts: IDBObjectStore, { key, file }: FileId, chunk: number): Promise<Blob> {
  const range = under(key, file, chunk);
  const [keys, blobs] = await Promise.all([
    promisifyRequest(parts.getAllKeys(range)),
    promisifyRequest(parts.getAll(range) as IDBRequest<Blob[]>),
  ]);
  const chain: Blob[] = [];
  let end = 0;
  for (const [i, blob] of blobs.entries()) {
    if (last(keys[i]!, 3) !== end) continue;
    chain.push(blob);
    end += blob.size;
  }
  return new Blob(chain);
}

function last(key: IDBValidKey, index: number): number {
  return Array.isArray(key) ? Number(key[index]) : NaN;
}

function lost(path: string): StoreError {
  return new StoreError('damaged', `Parts of ${path} are not there any more. Let the model be repaired, or delete it.`);
}

/** A stored file; its chunks are looked up when it is read first. */
export interface BlobBacked {
  /** The whole file, without its bytes: a handle on what the browser holds. */
  blob(): Promise<Blob>;
}

class StoredSource implements ByteSource, BlobBacked {
  readonly name: string;
  readonly size: number;
  readonly #find: () => Promise<Blob>;
  #blob: Promise<Blob> | undefined;

  constructor({ path, size }: StoredFile, find: () => Promise<Blob>) {
    this.name = path;
    this.size = size;
    this.#find = find;
  }

  blob(): Promise<Blob> {
    this.#blob ??= this.#find();
    return this.#blob;
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    const source = blobSource(await this.blob(), this.name);
    try {
      return await source.read(offset, length, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof SourceError && error.problem === 'outside') throw error;
      throw lost(this.name);
    }
  }
}

export function isBlobBacked(source: ByteSource): source is ByteSource & BlobBacked {
  return 'blob' in source;
}
