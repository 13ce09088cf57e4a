/**
 * Takes a file's bytes in order and writes them down: in parts as they come, of which the depot makes a sealed chunk when
 * it has all. Works in one part's memory, whatever the file's size.
 */
import type { Depot, FileId } from './depot';
import { type Hasher, sha256 } from './hash';
import { PART_BYTES, type PlannedFile } from './records';

/** What is written into: its maps are kept up to date. */
export interface WrittenFile {
  readonly id: FileId;
  readonly file: PlannedFile;
  readonly chunkBytes: number;
  readonly seals: Map<number, string>;
  readonly begun: Map<number, number>;
  lengthOf(chunk: number): number;
}

/** Parts of a chunk are not there any more; what is left of it was taken out, and it is to be fetched again. */
export class Lost extends Error {}

/** What one connection works with, run after run. */
export interface WriterMemory {
  readonly part: Uint8Array<ArrayBuffer>;
  readonly hasher: Hasher;
}

export async function writerMemory(): Promise<WriterMemory> {
  return { part: new Uint8Array(PART_BYTES), hasher: await sha256() };
}

export class ChunkWriter {
  readonly #depot: Depot;
  readonly #target: WrittenFile;
  readonly #memory: WriterMemory;
  /** Is told of bytes that came, and, negative, of those that were lost. */
  readonly #moved: (bytes: number) => void;
  #isOpen = false;
  #chunk = 0;
  /** Where in the chunk the next byte goes, and how much of it is written down; what lies between is in memory. */
  #at = 0;
  #written = 0;

  /** @param memory nobody else's meanwhile */
  constructor(depot: Depot, target: WrittenFile, memory: WriterMemory, moved: (bytes: number) => void) {
    this.#depot = depot;
    this.#memory = memory;
    this.#target = target;
    this.#moved = moved;
  }

  get path(): string {
    return this.#target.file.path;
  }

  get file(): PlannedFile {
    return this.#target.file;
  }

  /**
   * @param position in the file where the bytes begin; of its chunk there is as much already. Rejects with `Lost` where
   *   there is not.
   */
  async begin(position: number): Promise<void> {
    const at = position % this.#target.chunkBytes;
    await this.#enter(Math.floor(position / this.#target.chunkBytes), at);
    if (this.#written < at) throw new Lost();
  }

  /** `bytes` may be used again when this has resolved. Bytes that are there already are passed over. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      // Not before there is something for it: where this run ends, the next chunk is somebody else's.
      if (this.#at === this.#target.lengthOf(this.#chunk)) await this.#enter(this.#chunk + 1, 0);
      const count = Math.min(bytes.length - done, this.#target.lengthOf(this.#chunk) - this.#at);
      await this.#put(bytes.subarray(done, done + count));
      done += count;
    }
  }

  /** A chunk that has all its parts. Rejects with `Lost` where it has not (any more). */
  async sealFull(chunk: number): Promise<void> {
    await this.begin(chunk * this.#target.chunkBytes);
    if (this.#written < this.#target.lengthOf(chunk)) throw new Lost();
    await this.#seal();
  }

  /** Writes down what is not yet: who stops loses nothing. */
  async end(): Promise<void> {
    if (this.#isOpen && !this.#isSealed) await this.#flush();
  }

  get #isSealed(): boolean {
    return this.#target.seals.has(this.#chunk);
  }

  /** Reads what there is of the chunk: its hash goes on from there. */
  async #enter(chunk: number, at: number): Promise<void> {
    this.#isOpen = true;
    this.#chunk = chunk;
    this.#at = at;
    this.#written = 0;
    const { id, begun } = this.#target;
    const expected = begun.get(chunk);
    this.#memory.hasher.reset();
    if (expected === undefined || this.#isSealed) return;
    const length = await this.#depot.readParts(id, chunk, (bytes) => this.#memory.hasher.update(bytes));
    // More than is known of: without locks, another tab may be at it too.
    if (length >= expected) {
      this.#written = length;
      return;
    }
    await this.#drop(expected);
    this.#memory.hasher.reset();
  }

  async #drop(length: number): Promise<void> {
    await this.#depot.dropChunk(this.#target.id, this.#chunk);
    this.#target.begun.delete(this.#chunk);
    this.#moved(-length);
  }

  async #put(bytes: Uint8Array): Promise<void> {
    const known = Math.max(0, this.#written - this.#at);
    if (this.#isSealed || bytes.length <= known) {
      this.#at += bytes.length;
      return;
    }
    this.#at += known;
    for (let done = known; done < bytes.length;) {
      const begin = this.#at - this.#written;
      const piece = bytes.subarray(done, done + PART_BYTES - begin);
      this.#memory.part.set(piece, begin);
      this.#at += piece.length;
      done += piece.length;
      this.#moved(piece.length);
      const isFull = this.#at === this.#target.lengthOf(this.#chunk);
      if (isFull || this.#at - this.#written === PART_BYTES) await this.#flush();
      if (isFull) await this.#seal();
    }
  }

  async #flush(): Promise<void> {
    // Where bytes that are there already are passed over, it is behind.
    if (this.#at <= this.#written) return;
    const bytes = this.#memory.part.subarray(0, this.#at - this.#written);
    await this.#depot.addPart(this.#target.id, this.#chunk, this.#written, bytes);
    this.#memory.hasher.update(bytes);
    this.#written = this.#at;
    this.#target.begun.set(this.#chunk, this.#at);
  }

  async #seal(): Promise<void> {
    const hash = this.#memory.hasher.digest();
    if (!(await this.#depot.seal(this.#target.id, this.#chunk, this.#written, hash))) {
      await this.#drop(this.#written);
      throw new Lost();
    }
    this.#target.begun.delete(this.#chunk);
    this.#target.seals.set(this.#chunk, hash);
  }
}
