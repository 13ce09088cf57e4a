/**
 * Reads a header of unknown length from the start of a file: bytes come in growing steps, as they are needed.
 *
 * `need(n)` makes bytes available and is asynchronous; what takes them is not. Loops over many small values ask
 * `has(n)` first and await only where a step ended, so that a vocabulary of 150,000 strings costs a handful of
 * awaits, not 150,000.
 */
import { FormatError, type FormatProblem } from './errors';
import { checkRange, type ByteSource } from './source';

const FIRST_STEP = 256 * 1024;
const LARGEST_STEP = 8 * 2 ** 20;

export class HeaderReader {
  /** Where the next value begins. */
  position = 0;

  readonly #source: ByteSource;
  readonly #limit: number;
  readonly #signal: AbortSignal | undefined;
  #bytes = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);
  #filled = 0;

  /** @param limit how many bytes the header may have at most */
  constructor(source: ByteSource, limit: number, signal?: AbortSignal) {
    this.#source = source;
    this.#limit = limit;
    this.#signal = signal;
  }

  get file(): string {
    return this.#source.name;
  }

  /** Bytes of the file from here on. */
  get remaining(): number {
    return this.#source.size - this.position;
  }

  fail(problem: FormatProblem, field: string, message: string): never {
    throw new FormatError(this.file, problem, field, message);
  }

  has(count: number): boolean {
    return this.position + count <= this.#filled;
  }

  /** Makes the next `count` bytes available, or says that the file ends before them. */
  async need(count: number, field: string): Promise<void> {
    if (this.has(count)) return;
    this.checkRemaining(count, field);
    const end = this.position + count;
    const step = Math.min(Math.max(FIRST_STEP, this.#filled), LARGEST_STEP);
    const target = Math.min(Math.max(end, this.#filled + step), this.#limit, this.#source.size);
    await this.#fill(target);
  }

  /** Refuses `count` bytes that the file, or a header, cannot have: to be asked before memory is spent on them. */
  checkRemaining(count: number, field: string): void {
    if (count > this.remaining) {
      const message = `needs ${count} bytes, but the file ends ${this.remaining} bytes on. Download it again.`;
      this.fail('truncated', field, message);
    }
    if (this.position + count > this.#limit) {
      this.fail('limit', field, `the header is longer than ${this.#limit} bytes, which no known model needs.`);
    }
  }

  u32(): number {
    const value = this.#view.getUint32(this.position, true);
    this.position += 4;
    return value;
  }

  /** A 64-bit count or offset, refused where a float64 cannot hold it: no file is that long. */
  u64(field: string): number {
    const low = this.#view.getUint32(this.position, true);
    const high = this.#view.getUint32(this.position + 4, true);
    if (high >= 2 ** 21) {
      const value = (BigInt(high) << 32n) | BigInt(low);
      this.fail('malformed', field, `${value} is more than can be.`);
    }
    this.position += 8;
    return high * 2 ** 32 + low;
  }

  /** A view on the next `count` bytes, which are available; it holds until the next `need`. */
  take(count: number): DataView {
    checkRange(this.#source, this.position, count);
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + this.position, count);
    this.position += count;
    return view;
  }

  /** A copy of the bytes from `start` to here. */
  copyFrom(start: number): Uint8Array {
    const copy = new Uint8Array(this.position - start);
    copy.set(this.#bytes.subarray(start, this.position));
    return copy;
  }

  async #fill(target: number): Promise<void> {
    if (target > this.#bytes.length) this.#grow(target);
    const bytes = await this.#source.read(this.#filled, target - this.#filled, this.#signal);
    this.#bytes.set(bytes, this.#filled);
    this.#filled = target;
  }

  #grow(target: number): void {
    const bytes = new Uint8Array(target);
    bytes.set(this.#bytes.subarray(0, this.#filled));
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}
