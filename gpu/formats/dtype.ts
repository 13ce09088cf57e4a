/**
 * Element types of tensors, and their conversion on the CPU.
 *
 * Pure data: this room imports nothing, and both floors of the house read it.
 */

export type DType = 'f32' | 'f16' | 'bf16' | 'i32' | 'u32' | 'u8';

export type FloatDType = 'f32' | 'f16' | 'bf16';

export const DTYPES: readonly DType[] = ['f32', 'f16', 'bf16', 'i32', 'u32', 'u8'];

const BYTES: Readonly<Record<DType, number>> = { f32: 4, f16: 2, bf16: 2, i32: 4, u32: 4, u8: 1 };

export function bytesPerElement(dtype: DType): number {
  return BYTES[dtype];
}

export function isFloat(dtype: DType): dtype is FloatDType {
  return dtype === 'f32' || dtype === 'f16' || dtype === 'bf16';
}

export function isDType(name: string): name is DType {
  return name in BYTES;
}

// ---- bits of one number ----------------------------------------------------------------------------------------

const oneFloat = new Float32Array(1);
const oneBits = new Uint32Array(oneFloat.buffer);

/** Bits of `value` as IEEE binary16, rounded to nearest, ties to even. NaN stays NaN (quiet), its sign is kept. */
export function f16Bits(value: number): number {
  oneFloat[0] = value;
  return f16FromF32Bits(oneBits[0]!);
}

/** Bits of `value` as bfloat16, rounded to nearest, ties to even. */
export function bf16Bits(value: number): number {
  oneFloat[0] = value;
  return bf16FromF32Bits(oneBits[0]!);
}

/** The number that 16 bits of binary16 stand for. */
export function f16Value(bits: number): number {
  return f16Table()[bits & 0xffff]!;
}

/** The number that 16 bits of bfloat16 stand for: the upper half of a float32. */
export function bf16Value(bits: number): number {
  oneBits[0] = bits << 16;
  return oneFloat[0]!;
}

// ---- whole arrays ----------------------------------------------------------------------------------------------

/** Writes `source` as binary16 bits into `target`, both of the same length. */
export function f32ToF16(source: Float32Array, target: Uint16Array): void {
  const bits = wordsOf(source);
  for (let i = 0; i < bits.length; i++) target[i] = f16FromF32Bits(bits[i]!);
}

/** Writes `source` as bfloat16 bits into `target`, both of the same length. */
export function f32ToBf16(source: Float32Array, target: Uint16Array): void {
  const bits = wordsOf(source);
  for (let i = 0; i < bits.length; i++) target[i] = bf16FromF32Bits(bits[i]!);
}

export function f16ToF32(source: Uint16Array, target: Float32Array): void {
  const table = f16Table();
  for (let i = 0; i < source.length; i++) target[i] = table[source[i]!]!;
}

export function bf16ToF32(source: Uint16Array, target: Float32Array): void {
  const bits = wordsOf(target);
  for (let i = 0; i < source.length; i++) bits[i] = source[i]! << 16;
}

function wordsOf(floats: Float32Array): Uint32Array {
  return new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
}

// ---- the conversions themselves --------------------------------------------------------------------------------

const F32_INFINITY = 0x7f800000;
/** 65520, half way between the largest finite half (65504) and the next power: from here on, infinity. */
const F16_OVERFLOW = 0x477ff000;
/** 2^-14, the smallest normal half. */
const F16_SMALLEST_NORMAL = 0x38800000;
/** 2^-25, half of the smallest subnormal: it and all below round to zero (the tie goes to even, which is zero). */
const F16_ROUNDS_TO_ZERO = 0x33000000;

function f16FromF32Bits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude >= F16_OVERFLOW) return magnitude > F32_INFINITY ? sign | 0x7e00 : sign | 0x7c00;
  if (magnitude >= F16_SMALLEST_NORMAL) {
    // Move the exponent's bias from 127 to 15; adding 0xfff, and one more where the kept part is odd, rounds
    // ties to even, and a carry out of the mantissa walks into the exponent, where it belongs.
    const rebiased = magnitude - ((127 - 15) << 23) + 0xfff + ((magnitude >>> 13) & 1);
    return sign | (rebiased >>> 13);
  }
  if (magnitude <= F16_ROUNDS_TO_ZERO) return sign;
  // A subnormal half counts units of 2^-24: shift the mantissa with its hidden bit down to that unit.
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  const shift = 126 - (magnitude >>> 23);
  const kept = mantissa >>> shift;
  const rest = mantissa & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  const up = rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0;
  return sign | (kept + up);
}

function bf16FromF32Bits(bits: number): number {
  if ((bits & 0x7fffffff) > F32_INFINITY) return ((bits >>> 16) & 0x8000) | 0x7fc0;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

let table: Float32Array | undefined;

/** All 65536 halves as floats: one load each beats the arithmetic by some times when whole tensors come back. */
function f16Table(): Float32Array {
  if (table) return table;
  table = new Float32Array(0x10000);
  for (let bits = 0; bits < 0x10000; bits++) table[bits] = f16ValueByArithmetic(bits);
  return table;
}

function f16ValueByArithmetic(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const mantissa = bits & 0x3ff;
  if (exponent === 31) return mantissa ? NaN : sign * Infinity;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}
