/** A NaN or an infinity is found wherever it can hide. */
import { describe, expect, test } from 'vitest';
import { blockMapOf } from '../../../gpu/formats/block_maps';
import { TENSOR_TYPES, tensorTypeInfo, type TensorType } from '../../../gpu/formats/blocks';
import { canDequantise, dequantise } from '../../../gpu/formats/dequantise';
import { firstNotFinite } from '../../../gpu/formats/finite';

const TYPES = (Object.keys(TENSOR_TYPES) as TensorType[]).filter(canDequantise);
const BLOCKED = TYPES.filter((type) => blockMapOf(type));

describe('firstNotFinite', () => {
  test.each(BLOCKED)('of %s: any scale of any block', (type) => {
    const { blockBytes } = tensorTypeInfo(type);
    const bytes = new Uint8Array(3 * blockBytes).fill(0x35);
    expect(firstNotFinite(type, bytes)).toBeUndefined();
    expect(dequantise(type, bytes).every(Number.isFinite)).toBe(true);
    for (const { at } of blockMapOf(type)!.heads) {
      // Infinity, its negative, and a NaN.
      for (const upper of [0x7c, 0xfc, 0x7e]) {
        const bad = bytes.slice();
        bad[blockBytes + at] = 0;
        bad[blockBytes + at + 1] = upper;
        expect(firstNotFinite(type, bad)).toBe(blockBytes + at);
        expect(dequantise(type, bad).every(Number.isFinite)).toBe(false);
      }
    }
  });

  test.each([
    ['F32', Float32Array.of(1, 3.4e38, -0, 1e-45, NaN), 16],
    ['F32', Float32Array.of(1, -Infinity), 4],
    ['F16', Uint16Array.of(0x7bff, 0x8001, 0xfc00), 4],
    ['BF16', Uint16Array.of(0x7f7f, 0x7f80), 2],
  ] as const)('of %s: any number, at any place in memory', (type, words, at) => {
    const bytes = new Uint8Array(words.buffer);
    expect(firstNotFinite(type, bytes)).toBe(at);
    const moved = new Uint8Array(bytes.length + 1);
    moved.set(bytes, 1);
    expect(firstNotFinite(type, moved.subarray(1))).toBe(at);
    expect(firstNotFinite(type, bytes.subarray(0, at))).toBeUndefined();
  });

  test('of other types: an error, as nobody computes with them', () => {
    expect(() => firstNotFinite('IQ1_S', new Uint8Array(50))).toThrow(TypeError);
  });
});
