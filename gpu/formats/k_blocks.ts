/**
 * The K types: 256 elements, cut into groups of 16 or 32 whose scales (and minimums) are small integers, and one
 * binary16 `d` (and `m`) for them all.
 *
 *   Q2_K   scales(16)  codes(64) d(2) m(2)              16 groups of 16: code (scale d) - (min m), 4 bits each
 *   Q3_K   high(32) codes(64) scales(12) d(2)           16 groups of 16: (code - 4) (scale - 32) d
 *   Q4_K   d(2) m(2) scales(12) codes(128)               8 groups of 32: code (scale d) - (min m), 6 bits each
 *   Q5_K   d(2) m(2) scales(12) high(32) codes(128)      the same with a fifth bit
 *   Q6_K   low(128) high(64) scales(16, signed) d(2)    16 groups of 16: (code - 32) scale d
 *
 * Every product fits float64 exactly, so the one rounding is the store into float32: the same numbers as ggml's.
 */
import { f16At, signedByte } from './plain_blocks';

export function decodeQ2K(bytes: Uint8Array, at: number, out: Float32Array, to: number): void {
  const d = f16At(bytes, at + 80);
  const m = f16At(bytes, at + 82);
  for (let group = 0; group < 16; group++) {
    const packed = bytes[at + group]!;
    const scale = d * (packed & 15);
    const minimum = m * (packed >> 4);
    // 128 elements share 32 bytes: two bits for each group pair, from the lowest up.
    const codes = at + 16 + (group >> 3) * 32 + (group & 1) * 16;
    const shift = ((group >> 1) & 3) * 2;
    for (let i = 0; i < 16; i++) out[to + group * 16 + i] = ((bytes[codes + i]! >> shift) & 3) * scale - minimum;
  }
}

export function decodeQ3K(bytes: Uint8Array, at: number, out: Float32Array, to: number): void {
  const d = f16At(bytes, at + 108);
  for (let group = 0; group < 16; group++) {
    const scale = d * (sixBitScale(bytes, at + 96, group) - 32);
    const codes = at + 32 + (group >> 3) * 32 + (group & 1) * 16;
    const shift = ((group >> 1) & 3) * 2;
    // Bit `group / 2` of the high bytes belongs to this group pair; where it is clear, 4 is taken off.
    const high = at + (group & 1) * 16;
    const bit = group >> 1;
    for (let i = 0; i < 16; i++) {
      const low = (bytes[codes + i]! >> shift) & 3;
      const taken = (bytes[high + i]! >> bit) & 1 ? 0 : 4;
      out[to + group * 16 + i] = scale * (low - taken);
    }
  }
}

/** Scale `group` of Q3_K: 12 bytes hold 16 low halves, then 16 pairs of high bits. */
function sixBitScale(bytes: Uint8Array, at: number, group: number): number {
  const low = (bytes[at + (group & 7)]! >> (group < 8 ? 0 : 4)) & 15;
  const high = (bytes[at + 8 + (group & 3)]! >> ((group >> 2) * 2)) & 3;
  return low | (high << 4);
}

export function decodeQ4K(bytes: Uint8Array, at: number, out: Float32Array, to: number): void {
  const d = f16At(bytes, at);
  const m = f16At(bytes, at + 2);
  for (let group = 0; group < 8; group++) {
    const scale = d * groupScale(bytes, at + 4, group);
    const minimum = m * groupMinimum(bytes, at + 4, group);
    const codes = at + 16 + (group >> 1) * 32;
    const shift = (group & 1) * 4;
    for (let i = 0; i < 32; i++) out[to + group * 32 + i] = ((bytes[codes + i]! >> shift) & 15) * scale - minimum;
  }
}

export function decodeQ5K(bytes: Uint8Array, at: number, out: Float32Array, to: number): void {
  const d = f16At(bytes, at);
  const m = f16At(bytes, at + 2);
  for (let group = 0; group < 8; group++) {
    const scale = d * groupScale(bytes, at + 4, group);
    const minimum = m * groupMinimum(bytes, at + 4, group);
    const codes = at + 48 + (group >> 1) * 32;
    const shift = (group & 1) * 4;
    for (let i = 0; i < 32; i++) {
      const code = ((bytes[codes + i]! >> shift) & 15) | (((bytes[at + 16 + i]! >> group) & 1) << 4);
      out[to + group * 32 + i] = code * scale - minimum;
    }
  }
}

/** Of Q4_K and Q5_K: groups 0 to 3 have a byte each; 4 to 7 a nibble, and the first four bytes' top bits. */
function groupScale(bytes: Uint8Array, at: number, group: number): number {
  if (group < 4) return bytes[at + group]! & 63;
  return (bytes[at + group + 4]! & 15) | ((bytes[at + group - 4]! >> 6) << 4);
}

function groupMinimum(bytes: Uint8Array, at: number, group: number): number {
  if (group < 4) return bytes[at + group + 4]! & 63;
  return (bytes[at + group + 4]! >> 4) | ((bytes[at + group]! >> 6) << 4);
}

export function decodeQ6K(bytes: Uint8Array, at: number, out: Float32Array, to: number): void {
  const d = f16At(bytes, at + 208);
  for (let group = 0; group < 16; group++) {
    const scale = d * signedByte(bytes[at + 192 + group]!);
    // Each 128 elements: 64 bytes of low nibbles (low halves first), 32 bytes of high pairs.
    const half = group >> 3;
    const quarter = (group >> 1) & 3;
    const low = at + half * 64 + (quarter & 1) * 32 + (group & 1) * 16;
    const high = at + 128 + half * 32 + (group & 1) * 16;
    for (let i = 0; i < 16; i++) {
      const code =
        ((bytes[low + i]! >> (quarter >> 1 ? 4 : 0)) & 15) | (((bytes[high + i]! >> (quarter * 2)) & 3) << 4);
      out[to + group * 16 + i] = (code - 32) * scale;
    }
  }
}
