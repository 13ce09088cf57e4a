/** Values of GGUF's metadata: one, a text, or an array that stays as compact as it is in the file. */
import { FormatError } from './errors';
import { VALUE_BYTES, VALUE_TYPES, type ValueType } from './gguf-format';
import type { HeaderReader } from './header-reader';
import { MAX_ARRAY_DEPTH, MAX_NESTED_ARRAYS, MAX_TEXT_BYTES } from './limits';
import type { MetadataArray, MetadataValue, NumberArray } from './metadata';
import { StringTable } from './string-table';

type FixedType = Exclude<ValueType, 'string' | 'array'>;

const SCALARS: Readonly<Record<FixedType, (view: DataView) => number | bigint | boolean>> = {
  u8: (view) => view.getUint8(0),
  i8: (view) => view.getInt8(0),
  u16: (view) => view.getUint16(0, true),
  i16: (view) => view.getInt16(0, true),
  u32: (view) => view.getUint32(0, true),
  i32: (view) => view.getInt32(0, true),
  f32: (view) => view.getFloat32(0, true),
  bool: (view) => view.getUint8(0) !== 0,
  u64: (view) => exact(view.getBigUint64(0, true)),
  i64: (view) => exact(view.getBigInt64(0, true)),
  f64: (view) => view.getFloat64(0, true),
};

/** Bytes as they are in the file, in memory of their own, which begins at an offset of zero. */
const ARRAYS: Readonly<Record<FixedType, (bytes: ArrayBuffer) => NumberArray>> = {
  u8: (bytes) => new Uint8Array(bytes),
  i8: (bytes) => new Int8Array(bytes),
  u16: (bytes) => new Uint16Array(bytes),
  i16: (bytes) => new Int16Array(bytes),
  u32: (bytes) => new Uint32Array(bytes),
  i32: (bytes) => new Int32Array(bytes),
  f32: (bytes) => new Float32Array(bytes),
  bool: (bytes) => new Uint8Array(bytes),
  u64: (bytes) => new BigUint64Array(bytes),
  i64: (bytes) => new BigInt64Array(bytes),
  f64: (bytes) => new Float64Array(bytes),
};

function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** A value after its key, type first. */
export async function readValue(reader: HeaderReader, key: string): Promise<MetadataValue> {
  await reader.need(4, key);
  const type = readValueType(reader, key);
  if (type === 'array') return readArray(reader, key, { depth: 1, arrays: 0 });
  if (type === 'string') return readText(reader, key, MAX_TEXT_BYTES, 'any');
  await reader.need(VALUE_BYTES[type], key);
  return SCALARS[type](reader.take(VALUE_BYTES[type]));
}

function readValueType(reader: HeaderReader, key: string): ValueType {
  const id = reader.u32();
  return VALUE_TYPES[id] ?? reader.fail('malformed', key, `there is no value type ${id}.`);
}

// A byte order mark is a character like any other here: vocabularies have a token for it.
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder('utf-8', { ignoreBOM: true });

/** A length and as many bytes. Names must be UTF-8; in values, which nothing depends on, U+FFFD stands for the rest. */
export async function readText(
  reader: HeaderReader,
  field: string,
  limit: number,
  encoding: 'utf-8' | 'any' = 'utf-8',
): Promise<string> {
  await reader.need(8, field);
  const length = reader.u64(field);
  if (length > limit) reader.fail('limit', field, `a text of ${length} bytes is longer than ${limit}.`);
  await reader.need(length, field);
  const bytes = reader.take(length);
  try {
    return (encoding === 'any' ? lenient : strict).decode(bytes);
  } catch (cause) {
    throw new FormatError(reader.file, 'malformed', field, 'the name is no UTF-8.', { cause });
  }
}

interface Nesting {
  readonly depth: number;
  /** So far, in this value. */
  arrays: number;
}

async function readArray(reader: HeaderReader, key: string, nesting: Nesting): Promise<MetadataArray> {
  await reader.need(12, key);
  const type = readValueType(reader, key);
  const count = reader.u64(key);
  if (type === 'array') return readNested(reader, key, count, nesting);
  if (type === 'string') return readTexts(reader, key, count);
  const length = count * VALUE_BYTES[type];
  await reader.need(length, key);
  const start = reader.position;
  reader.take(length);
  return ARRAYS[type](reader.copyFrom(start).buffer as ArrayBuffer);
}

async function readNested(reader: HeaderReader, key: string, count: number, nesting: Nesting): Promise<MetadataArray> {
  nesting.arrays += count;
  if (nesting.arrays > MAX_NESTED_ARRAYS || nesting.depth >= MAX_ARRAY_DEPTH) {
    const message = `arrays in arrays go ${MAX_ARRAY_DEPTH} deep and have ${MAX_NESTED_ARRAYS} members at most.`;
    reader.fail('limit', key, message);
  }
  const members: MetadataArray[] = [];
  for (let i = 0; i < count; i++) {
    const inner: Nesting = { depth: nesting.depth + 1, arrays: nesting.arrays };
    members.push(await readArray(reader, key, inner));
    nesting.arrays = inner.arrays;
  }
  return members;
}

/** Only the offsets are computed here; the strings are decoded when they are asked for. */
async function readTexts(reader: HeaderReader, key: string, count: number): Promise<StringTable> {
  reader.checkRemaining(count * 8, key);
  const offsets = new Uint32Array(count + 1);
  const start = reader.position;
  for (let i = 0; i < count; i++) {
    if (!reader.has(8)) await reader.need(8, key);
    const length = reader.u64(key);
    if (!reader.has(length)) await reader.need(length, key);
    reader.position += length;
    offsets[i + 1] = reader.position - start;
  }
  return new StringTable(reader.copyFrom(start), offsets, 8);
}
