/**
 * Many strings in one piece of memory, decoded one at a time when asked for.
 *
 * A vocabulary has 150,000 tokens and more. As JavaScript strings they would cost some 10 MB and 100 ms before
 * anybody needs them; as the bytes of the file with a list of offsets they cost nothing but a copy.
 */
// A byte order mark stays: vocabularies have a token for it.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export class StringTable implements Iterable<string> {
  readonly #bytes: Uint8Array;
  readonly #starts: Uint32Array;
  readonly #gap: number;

  /**
   * @param bytes the strings in UTF-8, one after the other, each with `gap` bytes before it
   * @param starts [length + 1] where each string's gap begins, and the end
   */
  constructor(bytes: Uint8Array, starts: Uint32Array, gap = 0) {
    this.#bytes = bytes;
    this.#starts = starts;
    this.#gap = gap;
  }

  static of(strings: Iterable<string>): StringTable {
    const encoder = new TextEncoder();
    const parts = Array.from(strings, (text) => encoder.encode(text));
    const starts = new Uint32Array(parts.length + 1);
    parts.forEach((part, i) => (starts[i + 1] = starts[i]! + part.length));
    const bytes = new Uint8Array(starts[parts.length]!);
    parts.forEach((part, i) => bytes.set(part, starts[i]));
    return new StringTable(bytes, starts);
  }

  get length(): number {
    return this.#starts.length - 1;
  }

  /** String number `i`; bytes that are no UTF-8 become U+FFFD. */
  at(i: number): string {
    return decoder.decode(this.bytesAt(i));
  }

  /** The bytes of string number `i`, as they are in the file. */
  bytesAt(i: number): Uint8Array {
    if (!(i >= 0 && i < this.length)) throw new RangeError(`There is no string ${i} in a table of ${this.length}.`);
    return this.#bytes.subarray(this.#starts[i]! + this.#gap, this.#starts[i + 1]);
  }

  *[Symbol.iterator](): Generator<string> {
    for (let i = 0; i < this.length; i++) yield this.at(i);
  }

  toArray(): string[] {
    return Array.from(this);
  }
}
