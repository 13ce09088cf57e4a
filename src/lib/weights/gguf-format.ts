/** GGUF's constants, for the reader and the writer: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md */

/** «GGUF» as a little-endian number. */
export const GGUF_MAGIC = 0x46554747;
export const GGUF_VERSIONS: readonly number[] = [2, 3];
export const DEFAULT_ALIGNMENT = 32;
export const ALIGNMENT_KEY = 'general.alignment';

/** Types of metadata values, by their number in the file. */
export const VALUE_TYPES = [
  'u8',
  'i8',
  'u16',
  'i16',
  'u32',
  'i32',
  'f32',
  'bool',
  'string',
  'array',
  'u64',
  'i64',
  'f64',
] as const;

export type ValueType = (typeof VALUE_TYPES)[number];
export type NumberType = Exclude<ValueType, 'bool' | 'string' | 'array' | 'u64' | 'i64'>;

/** Bytes of one value. Strings and arrays have lengths of their own. */
export const VALUE_BYTES: Readonly<Record<Exclude<ValueType, 'string' | 'array'>, number>> = {
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  f32: 4,
  bool: 1,
  u64: 8,
  i64: 8,
  f64: 8,
};

/** `offset` rounded up to a multiple of `alignment`; without bit operations, which end at 32 bits. */
export function alignUp(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}
