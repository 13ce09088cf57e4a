/**
 * Reads the header of a GGUF file, version 2 or 3, little-endian: metadata and the table of tensors. Of the tensors'
 * data not a byte is touched.
 *
 *   magic u32 | version u32 | tensor count u64 | key count u64
 *   keys      name string, type u32, value
 *   tensors   name string, dimension count u32, dimensions u64 (innermost first), type u32, offset u64
 *   padding to the alignment; offsets count from here
 *
 * Strings are a length (u64) and UTF-8. Every count is checked against what is left of the file before memory is
 * spent on it: a count of n items of at least k bytes needs n k bytes.
 */
import { type TensorType, tensorTypeFromGgml } from '../../../gpu/formats/blocks';
import { ALIGNMENT_KEY, alignUp, DEFAULT_ALIGNMENT, GGUF_MAGIC, GGUF_VERSIONS } from './gguf-format';
import { readText, readValue } from './gguf-values';
import { HeaderReader } from './header-reader';
import {
  MAX_ALIGNMENT,
  MAX_DIMENSIONS,
  MAX_GGUF_HEADER_BYTES,
  MAX_KEY_BYTES,
  MAX_KEYS,
  MAX_NAME_BYTES,
  MAX_TENSORS,
} from './limits';
import { Metadata, type MetadataValue } from './metadata';
import type { ByteSource } from './source';
import { checkLayout, tensorBytes } from './tensor-table';
import type { TensorEntry, WeightsFile } from './types';

/** A key has at least an empty name, a type, and one byte; a tensor an empty name, no dimension, type and offset. */
const LEAST_KEY_BYTES = 8 + 4 + 1;
const LEAST_TENSOR_BYTES = 8 + 4 + 4 + 8;

export async function readGguf(source: ByteSource, signal?: AbortSignal): Promise<WeightsFile> {
  const reader = new HeaderReader(source, MAX_GGUF_HEADER_BYTES, signal);
  const { tensorCount, keyCount } = await readPreamble(reader);
  const metadata = await readMetadata(reader, keyCount);
  const unplaced = await readTensorTable(reader, tensorCount);

  const alignment = readAlignment(reader, metadata);
  const dataStart = alignUp(reader.position, alignment);
  const tensors = new Map(unplaced.map((tensor) => [tensor.name, placed(reader, tensor, dataStart, alignment)]));
  checkLayout(source.name, tensors.values(), dataStart, source.size);
  return { format: 'gguf', files: [source], metadata, tensors };
}

async function readPreamble(reader: HeaderReader): Promise<{ tensorCount: number; keyCount: number }> {
  await reader.need(8, 'magic');
  if (reader.u32() !== GGUF_MAGIC) reader.fail('format', 'magic', 'this is no GGUF file.');
  const version = reader.u32();
  if (!GGUF_VERSIONS.includes(version)) {
    const bigEndian = version >= 2 ** 24;
    const what = bigEndian ? 'the file is big-endian' : `this is version ${version}`;
    reader.fail(
      'unsupported',
      'version',
      `${what}; little-endian versions ${GGUF_VERSIONS.join(' and ')} can be read.`,
    );
  }
  await reader.need(16, 'counts');
  const tensorCount = reader.u64('tensor count');
  const keyCount = reader.u64('key count');
  checkCount(reader, 'tensor count', tensorCount, MAX_TENSORS, LEAST_TENSOR_BYTES);
  checkCount(reader, 'key count', keyCount, MAX_KEYS, LEAST_KEY_BYTES);
  return { tensorCount, keyCount };
}

function checkCount(reader: HeaderReader, field: string, count: number, limit: number, leastBytes: number): void {
  if (count > limit) reader.fail('limit', field, `${count} is more than the ${limit} that any model needs.`);
  reader.checkRemaining(count * leastBytes, field);
}

async function readMetadata(reader: HeaderReader, count: number): Promise<Metadata> {
  const values = new Map<string, MetadataValue>();
  for (let i = 0; i < count; i++) {
    const key = await readText(reader, `key ${i}`, MAX_KEY_BYTES);
    if (values.has(key)) reader.fail('duplicate', key, 'the key is there twice.');
    values.set(key, await readValue(reader, key));
  }
  return new Metadata(reader.file, values);
}

/** The entries with offsets as in the file: counted from where the data begin. */
async function readTensorTable(reader: HeaderReader, count: number): Promise<TensorEntry[]> {
  const names = new Set<string>();
  const tensors: TensorEntry[] = [];
  for (let i = 0; i < count; i++) {
    const tensor = await readTensor(reader, i);
    if (names.has(tensor.name)) reader.fail('duplicate', tensor.name, 'the tensor is there twice.');
    names.add(tensor.name);
    tensors.push(tensor);
  }
  return tensors;
}

async function readTensor(reader: HeaderReader, number: number): Promise<TensorEntry> {
  const name = await readText(reader, `name of tensor ${number}`, MAX_NAME_BYTES);
  await reader.need(4, name);
  const dimensions = reader.u32();
  if (dimensions > MAX_DIMENSIONS) {
    reader.fail('limit', name, `${dimensions} dimensions are more than the ${MAX_DIMENSIONS} that can be read.`);
  }
  await reader.need(dimensions * 8 + 12, name);
  const shape = Array.from({ length: dimensions }, () => reader.u64(name)).reverse();
  const type = readType(reader, name);
  const offset = reader.u64(name);
  return { name, type, shape, file: 0, offset, byteLength: tensorBytes(reader.file, name, type, shape) };
}

function readType(reader: HeaderReader, name: string): TensorType {
  const id = reader.u32();
  const type = tensorTypeFromGgml(id);
  return type ?? reader.fail('unsupported', name, `its type has number ${id}, which is unknown here.`);
}

function readAlignment(reader: HeaderReader, metadata: Metadata): number {
  const alignment = metadata.count(ALIGNMENT_KEY, DEFAULT_ALIGNMENT);
  const isPowerOfTwo = alignment > 0 && alignment <= MAX_ALIGNMENT && (alignment & (alignment - 1)) === 0;
  if (!isPowerOfTwo) reader.fail('malformed', ALIGNMENT_KEY, `${alignment} is no power of two up to ${MAX_ALIGNMENT}.`);
  return alignment;
}

function placed(reader: HeaderReader, tensor: TensorEntry, dataStart: number, alignment: number): TensorEntry {
  if (tensor.offset % alignment !== 0) {
    reader.fail('malformed', tensor.name, `its offset ${tensor.offset} is no multiple of the alignment ${alignment}.`);
  }
  return { ...tensor, offset: dataStart + tensor.offset };
}
