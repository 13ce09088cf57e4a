/**
 * Takes a file's bytes in order and writes them down: in parts as they come, as a sealed chunk when it is full. Works in
 * one chunk's memory, whatever the file's size.
 */
import type { Depot, FileId } from './depot';
import { sha256Of } from './hash';
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

export class ChunkWriter {
  readonly #depot: Depot;
  readonly #target: WrittenFile;
  readonly #moved: (bytes: number) => void;
  readonly #memory: Uint8Array<ArrayBuffer>;
  #isOpen = false;
  #chunk = 0;
  /** Where in the chunk the next byte goes, how much of it is there, and how much of that is written down. */
  #at = 0;
  #filled = 0;
  #written = 0;

  /** @param memory of one chunk, nobody else's meanwhile */
  constructor(depot: Depot, target: WrittenFile, memory: Uint8Array<ArrayBuffer>, moved: (bytes: number) => void) {
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

  /** @param position in the file where the bytes begin; of its chunk there is at least as much */
  async begin(position: number): Promise<void> {
    await this.#enter(Math.floor(position / this.#target.chunkBytes), position % this.#target.chunkBytes);
  }

  /** `bytes` may be used again when this has resolved. Bytes that are there already are passed over. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const length = this.#target.lengthOf(this.#chunk);
      const count = Math.min(bytes.length - done, length - this.#at);
      await this.#put(bytes.subarray(done, done + count));
      done += count;
      if (this.#at === length && this.#chunk * this.#target.chunkBytes + length < this.#target.file.size) {
        await this.#enter(this.#chunk + 1, 0);
      }
    }
  }

  /** A chunk that has all its parts. */
  async sealFull(chunk: number): Promise<void> {
    await this.#enter(chunk, 0);
    await this.#seal(this.#target.lengthOf(chunk));
  }

  /** Writes down what is not yet: who stops loses nothing. */
  async end(): Promise<void> {
    if (this.#isOpen && !this.#isSealed) await this.#flush();
  }

  get #isSealed(): boolean {
    return this.#target.seals.has(this.#chunk);
  }

  async #enter(chunk: number, at: number): Promise<void> {
    this.#isOpen = true;
    this.#chunk = chunk;
    this.#at = at;
    this.#filled = this.#written = 0;
    if (!this.#target.begun.has(chunk) || this.#isSealed) return;
    this.#filled = this.#written = await this.#depot.readParts(this.#target.id, chunk, this.#memory);
  }

  async #put(bytes: Uint8Array): Promise<void> {
    const end = this.#at + bytes.length;
    const at = this.#at;
    this.#at = end;
    if (this.#isSealed || end <= this.#filled) return;
    this.#memory.set(bytes, at);
    this.#moved(end - this.#filled);
    this.#filled = end;
    if (end === this.#target.lengthOf(this.#chunk)) await this.#seal(end);
    else if (end - this.#written >= PART_BYTES) await this.#flush();
  }

  async #flush(): Promise<void> {
    if (this.#filled === this.#written) return;
    const bytes = this.#memory.subarray(this.#written, this.#filled);
    await this.#depot.addPart(this.#target.id, this.#chunk, this.#written, bytes);
    this.#written = this.#filled;
    this.#target.begun.set(this.#chunk, this.#filled);
  }

  async #seal(length: number): Promise<void> {
    const bytes = this.#memory.subarray(0, length);
    const hash = await sha256Of(bytes);
    await this.#depot.seal(this.#target.id, this.#chunk, bytes, hash);
    this.#target.begun.delete(this.#chunk);
    this.#target.seals.set(this.#chunk, hash);
  }
}
