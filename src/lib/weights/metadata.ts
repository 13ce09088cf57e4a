/** What a header says about its model: names and values, read with the type one needs, or an error that tells. */
import { FormatError } from './errors';
import { StringTable } from './string-table';

/** Arrays of numbers as they are in the file; of booleans, bytes that are 0 or 1. */
export type NumberArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigUint64Array
  | BigInt64Array;

export type MetadataArray = NumberArray | StringTable | readonly MetadataArray[];

/** 64-bit integers are numbers where a float64 holds them exactly, else bigints. */
export type MetadataValue = number | bigint | boolean | string | MetadataArray;

export class Metadata {
  readonly #file: string;
  readonly #values: ReadonlyMap<string, MetadataValue>;

  /** @param file the name that errors give */
  constructor(file: string, values: ReadonlyMap<string, MetadataValue> = new Map()) {
    this.#file = file;
    this.#values = values;
  }

  /** In the order of the file. */
  entries(): IterableIterator<[string, MetadataValue]> {
    return this.#values.entries();
  }

  get size(): number {
    return this.#values.size;
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  get(key: string): MetadataValue | undefined {
    return this.#values.get(key);
  }

  number(key: string): number;
  number<F>(key: string, fallback: F): number | F;
  number(key: string, ...fallback: unknown[]): unknown {
    return this.#read(key, 'a number', (value) => Number.isFinite(value), fallback);
  }

  /** What is divided by, or raised to a power. */
  positive(key: string, ...fallback: readonly number[]): number {
    const isPositive = (value: MetadataValue): boolean => Number.isFinite(value) && (value as number) > 0;
    return this.#read(key, 'a number above 0', isPositive, fallback) as number;
  }

  /** A count of what there is at least one of, and at most `most`. */
  extent(key: string, most: number, ...fallback: readonly number[]): number {
    const isSize = (value: MetadataValue): boolean =>
      Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= most;
    const wanted = most < Infinity ? `a whole number from 1 to ${most}` : 'a whole number from 1';
    return this.#read(key, wanted, isSize, fallback) as number;
  }

  /** A number that counts something: whole, and not negative. */
  count(key: string): number;
  count<F>(key: string, fallback: F): number | F;
  count(key: string, ...fallback: unknown[]): unknown {
    const isCount = (value: MetadataValue) => Number.isSafeInteger(value) && (value as number) >= 0;
    return this.#read(key, 'a whole number, not negative', isCount, fallback);
  }

  boolean(key: string): boolean;
  boolean<F>(key: string, fallback: F): boolean | F;
  boolean(key: string, ...fallback: unknown[]): unknown {
    return this.#read(key, 'true or false', (value) => typeof value === 'boolean', fallback);
  }

  string(key: string): string;
  string<F>(key: string, fallback: F): string | F;
  string(key: string, ...fallback: unknown[]): unknown {
    return this.#read(key, 'a text', (value) => typeof value === 'string', fallback);
  }

  strings(key: string): StringTable;
  strings<F>(key: string, fallback: F): StringTable | F;
  strings(key: string, ...fallback: unknown[]): unknown {
    return this.#read(key, 'a list of texts', (value) => value instanceof StringTable, fallback);
  }

  numbers(key: string): Exclude<NumberArray, BigUint64Array | BigInt64Array>;
  numbers<F>(key: string, fallback: F): Exclude<NumberArray, BigUint64Array | BigInt64Array> | F;
  numbers(key: string, ...fallback: unknown[]): unknown {
    const isNumbers = (value: MetadataValue) =>
      ArrayBuffer.isView(value) && !(value instanceof BigUint64Array) && !(value instanceof BigInt64Array);
    return this.#read(key, 'a list of numbers', isNumbers, fallback);
  }

  /** `fallback` is a list, since a fallback of `undefined` is another thing than none. */
  #read(key: string, wanted: string, fits: (value: MetadataValue) => boolean, fallback: readonly unknown[]): unknown {
    const value = this.#values.get(key);
    if (value === undefined) {
      if (fallback.length > 0) return fallback[0];
      throw new FormatError(this.#file, 'missing', key, `the header does not have it; it should be ${wanted}.`);
    }
    if (fits(value)) return value;
    throw new FormatError(this.#file, 'malformed', key, `should be ${wanted}, but is ${describe(value)}.`);
  }
}

function describe(value: MetadataValue): string {
  if (typeof value === 'string') return `the text ${JSON.stringify(value.slice(0, 40))}`;
  if (typeof value !== 'object') return String(value);
  if (value instanceof StringTable) return `a list of ${value.length} texts`;
  return `a list of ${value.length} ${ArrayBuffer.isView(value) ? 'numbers' : 'lists'}`;
}
