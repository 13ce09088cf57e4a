/** Reading fields of files that anybody may have written: what is there has the type asked for, or an error names it. */
import { TokenizerError } from './errors';

export type Fields = Readonly<Record<string, unknown>>;

/** An object's own fields; `{}` where there is nothing. */
export function fieldsOf(value: unknown, field: string): Fields {
  if (value === undefined || value === null) return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value as Fields;
  throw new TokenizerError(field, 'must be an object');
}

export function stringOf(value: unknown, field: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  throw new TokenizerError(field, 'must be a string');
}

export function booleanOf(value: unknown, field: string): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'boolean') return value;
  throw new TokenizerError(field, 'must be true or false');
}

/** A whole number >= 0; also out of the bigint that 64-bit metadata are read as. */
export function countOf(value: unknown, field: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number;
  throw new TokenizerError(field, 'must be a whole number, 0 or more');
}

export function listOf(value: unknown, field: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw new TokenizerError(field, 'must be a list');
}

/** A list of strings: an array, or a table that decodes one when it is asked for. */
export interface Strings extends Iterable<string> {
  readonly length: number;
}

/** The list as it is, not copied: vocabularies are large. */
export function stringsOf(value: unknown, field: string): Strings {
  if (isTable(value)) return value;
  const list = listOf(value, field);
  const wrong = list.findIndex((entry) => typeof entry !== 'string');
  if (wrong >= 0) throw new TokenizerError(`${field}[${wrong}]`, 'must be a string');
  return list as readonly string[];
}

/** Has `at` and a length, but is neither an array nor numbers; what it holds, its reader has checked. */
function isTable(value: unknown): value is Strings {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) return false;
  return Symbol.iterator in value && 'length' in value && 'at' in value;
}

/** A list of numbers, plain or typed. */
export function numbersOf(value: unknown, field: string): ArrayLike<number> | undefined {
  if (value === undefined || value === null) return undefined;
  if (ArrayBuffer.isView(value) && !(value instanceof DataView) && !isBig(value)) {
    return value as unknown as ArrayLike<number>;
  }
  const list = listOf(value, field);
  const wrong = list.findIndex((entry) => typeof entry !== 'number');
  if (wrong >= 0) throw new TokenizerError(`${field}[${wrong}]`, 'must be a number');
  return list as readonly number[];
}

function isBig(view: ArrayBufferView): boolean {
  return view instanceof BigInt64Array || view instanceof BigUint64Array;
}
