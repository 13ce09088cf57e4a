/**
 * Numbers of the host as bytes of a tensor, and back.
 */
import { bf16ToF32, bytesPerElement, f16ToF32, f32ToBf16, f32ToF16 } from '../formats/dtype';
import type { DType } from '../formats/dtype';
import { ArgumentError } from './errors';

export type TypedArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint16Array | Uint8Array;

/** What can be uploaded. Lists of numbers are for tests and tables; weights come as typed arrays. */
export type HostData = TypedArray | readonly number[];

/** The dtype that data has when none is asked for. */
export function naturalDType(data: HostData): DType {
  if (data instanceof Int32Array) return 'i32';
  if (data instanceof Uint32Array) return 'u32';
  if (data instanceof Uint8Array) return 'u8';
  if (data instanceof Uint16Array) {
    throw new ArgumentError('dtype', 'none, for a Uint16Array', "'f16' or 'bf16': 16 bits alone do not say which");
  }
  return 'f32';
}

/** Elements converted at a time: the host never holds a second copy of a large tensor. */
const CHUNK_ELEMENTS = 1 << 20;

/**
 * Yields `data` as bytes of `dtype`, a chunk at a time. Chunks share memory: use one before asking for the next.
 * `byteOffset` of every chunk is a multiple of 4.
 */
export function* encodeChunks(
  data: HostData,
  dtype: DType,
): Generator<{ readonly bytes: Uint8Array; readonly byteOffset: number }> {
  const raw = rawBytes(data, dtype);
  if (raw) {
    yield { bytes: raw, byteOffset: 0 };
    return;
  }
  const width = bytesPerElement(dtype);
  const chunk = new Uint8Array(Math.min(data.length, CHUNK_ELEMENTS) * width);
  for (let start = 0; start < data.length; start += CHUNK_ELEMENTS) {
    const count = Math.min(CHUNK_ELEMENTS, data.length - start);
    convert(data, start, count, dtype, chunk);
    yield { bytes: chunk.subarray(0, count * width), byteOffset: start * width };
  }
}

/** The bytes as they are, where no conversion is needed. */
function rawBytes(data: HostData, dtype: DType): Uint8Array | undefined {
  const same =
    (data instanceof Float32Array && dtype === 'f32') ||
    (data instanceof Int32Array && dtype === 'i32') ||
    (data instanceof Uint32Array && dtype === 'u32') ||
    (data instanceof Uint8Array && dtype === 'u8') ||
    (data instanceof Uint16Array && (dtype === 'f16' || dtype === 'bf16'));
  if (!same) return undefined;
  const { buffer, byteOffset, byteLength } = data;
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function convert(data: HostData, start: number, count: number, dtype: DType, target: Uint8Array): void {
  switch (dtype) {
    case 'f16':
      f32ToF16(asFloats(data, start, count), new Uint16Array(target.buffer, 0, count));
      break;
    case 'bf16':
      f32ToBf16(asFloats(data, start, count), new Uint16Array(target.buffer, 0, count));
      break;
    case 'f32':
      new Float32Array(target.buffer, 0, count).set(slice(data, start, count));
      break;
    case 'i32':
      new Int32Array(target.buffer, 0, count).set(slice(data, start, count));
      break;
    case 'u32':
      new Uint32Array(target.buffer, 0, count).set(slice(data, start, count));
      break;
    case 'u8':
      target.set(slice(data, start, count));
      break;
  }
}

function slice(data: HostData, start: number, count: number): TypedArray | readonly number[] {
  return Array.isArray(data) ? data.slice(start, start + count) : (data as TypedArray).subarray(start, start + count);
}

function asFloats(data: HostData, start: number, count: number): Float32Array {
  const part = slice(data, start, count);
  return part instanceof Float32Array ? part : Float32Array.from(part);
}

// ---- back ------------------------------------------------------------------------------------------------------

/** Elements as float32, out of the raw bytes of a float tensor. */
export function decodeFloats(bytes: Uint8Array, dtype: DType, size: number): Float32Array {
  const out = new Float32Array(size);
  switch (dtype) {
    case 'f32':
      out.set(new Float32Array(bytes.buffer, bytes.byteOffset, size));
      return out;
    case 'f16':
      f16ToF32(new Uint16Array(bytes.buffer, bytes.byteOffset, size), out);
      return out;
    case 'bf16':
      bf16ToF32(new Uint16Array(bytes.buffer, bytes.byteOffset, size), out);
      return out;
    default:
      throw new ArgumentError('tensor', `dtype ${dtype}`, 'f32, f16 or bf16 (downloadInts gives integers)');
  }
}

/** Elements as integers, out of the raw bytes of an integer tensor. */
export function decodeInts(bytes: Uint8Array, dtype: DType, size: number): Int32Array | Uint32Array {
  switch (dtype) {
    case 'i32':
      return new Int32Array(bytes.buffer, bytes.byteOffset, size).slice();
    case 'u32':
      return new Uint32Array(bytes.buffer, bytes.byteOffset, size).slice();
    case 'u8':
      return Uint32Array.from(bytes.subarray(0, size));
    default:
      throw new ArgumentError('tensor', `dtype ${dtype}`, 'i32, u32 or u8 (download gives floats)');
  }
}
