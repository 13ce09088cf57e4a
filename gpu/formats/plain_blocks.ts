/**
 * Blocks of 32 with one scale, and where the name ends in `_1` a minimum. Half of a block's nibbles lie low and half
 * high: byte i of the codes holds elements i and i + 16.
 *
 *   Q4_0   d(2)             codes(16)   (code - 8) d
 *   Q4_1   d(2) m(2)        codes(16)   code d + m
 *   Q5_0   d(2)      top(4) codes(16)   (code - 16) d, the fifth bit of element i is bit i of `top`
 *   Q5_1   d(2) m(2) top(4) codes(16)   code d + m
 *   Q8_0   d(2)             codes(32)   code d, signed
 *
 * Code, scale and minimum have so few bits that each product is exact in float64: the one rounding is the store.
 */
import { f16Value } from './dtype';

export function f16At(bytes: Uint8Array, at: number): number {
  return f16Value(bytes[at]! | (bytes[at + 1]! << 8));
}

function u32At(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

export function decodeQ4_0(bytes: Uint8Array, at: number, out: Float32Array, to: number): void {
  const d = f16At(bytes, at);
  for (let i = 0; i < 16; i++) {
    const pair = bytes[at + 2 + i]!;
    out[to + i] = ((pair & 15) - 8) * d;
    out[to + i + 16] = ((pair >> 4) - 8) * d;
  }
}

export function decodeQ4_1(bytes: Uint8Array, at: number, out: Float32Array, to: number): void {
  const d = f16At(bytes, at);
  const m = f16At(bytes, at + 2);
  for (let i = 0; i < 16; i++) {
    const pair = bytes[at + 4 + i]!;
    out[to + i] = (pair & 15) * d + m;
    out[to + i + 16] = (pair >> 4) * d + m;
  }
}

export function decodeQ5_0(bytes: Uint8Array, at: number, out: Float32Array, to: number): void {
  const d = f16At(bytes, at);
  const top = u32At(bytes, at + 2);
  for (let i = 0; i < 16; i++) {
    const pair = bytes[at + 6 + i]!;
    out[to + i] = ((pair & 15) + fifthBit(top, i) - 16) * d;
    out[to + i + 16] = ((pair >> 4) + fifthBit(top, i + 16) - 16) * d;
  }
}

export function decodeQ5_1(bytes: Uint8Array, at: number, out: Float32Array, to: number): void {
  const d = f16At(bytes, at);
  const m = f16At(bytes, at + 2);
  const top = u32At(bytes, at + 4);
  for (let i = 0; i < 16; i++) {
    const pair = bytes[at + 8 + i]!;
    out[to + i] = ((pair & 15) + fifthBit(top, i)) * d + m;
    out[to + i + 16] = ((pair >> 4) + fifthBit(top, i + 16)) * d + m;
  }
}

function fifthBit(top: number, i: number): number {
  return ((top >>> i) & 1) << 4;
}

export function decodeQ8_0(bytes: Uint8Array, at: number, out: Float32Array, to: number): void {
  const d = f16At(bytes, at);
  for (let i = 0; i < 32; i++) out[to + i] = signedByte(bytes[at + 2 + i]!) * d;
}

export function signedByte(byte: number): number {
  return (byte << 24) >> 24;
}
