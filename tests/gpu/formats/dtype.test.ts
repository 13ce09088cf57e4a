import { describe, expect, test } from 'vitest';
import {
  bf16Bits,
  bf16ToF32,
  bf16Value,
  bytesPerElement,
  DTYPES,
  f16Bits,
  f16ToF32,
  f16Value,
  f32ToBf16,
  f32ToF16,
  isDType,
  isFloat,
} from '$gpu/formats/dtype';

/** Bits of a float32. */
function floatBits(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0]!;
}

/** The float32 with these bits. */
function floatOf(bits: number): number {
  return new Float32Array(Uint32Array.of(bits).buffer)[0]!;
}

const HALF_INFINITY = 0x7c00;

describe('f16', () => {
  test('every half is the number its fields say', () => {
    expect(f16Value(0x3c00)).toBe(1);
    expect(f16Value(0xc000)).toBe(-2);
    expect(f16Value(0x7bff)).toBe(65504);
    expect(f16Value(0x0001)).toBe(2 ** -24);
    expect(f16Value(0x03ff)).toBe(1023 * 2 ** -24);
    expect(f16Value(0x0400)).toBe(2 ** -14);
    expect(f16Value(HALF_INFINITY)).toBe(Infinity);
    expect(f16Value(0xfc00)).toBe(-Infinity);
    expect(Object.is(f16Value(0x8000), -0)).toBe(true);
    expect(f16Value(0x7e01)).toBeNaN();
  });

  test('every finite half and both infinities survive the way to a number and back', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      if ((bits & 0x7fff) > HALF_INFINITY) continue;
      if (f16Bits(f16Value(bits)) !== bits) expect.fail(`half 0x${bits.toString(16)}`);
    }
  });

  test('between any two neighbours the nearer one is taken, and of a tie the even one', () => {
    for (let low = 0; low < HALF_INFINITY; low++) {
      const high = low + 1;
      // The step past 65504 ends at infinity, and rounds as if it ended at 65536.
      const top = high === HALF_INFINITY ? 65536 : f16Value(high);
      const middle = (f16Value(low) + top) / 2;
      const below = floatOf(floatBits(middle) - 1);
      const above = floatOf(floatBits(middle) + 1);
      const even = low % 2 === 0 ? low : high;
      if (f16Bits(middle) !== even) expect.fail(`tie above 0x${low.toString(16)}`);
      if (f16Bits(below) !== low) expect.fail(`just below the tie above 0x${low.toString(16)}`);
      if (f16Bits(above) !== high) expect.fail(`just above the tie above 0x${low.toString(16)}`);
      if (f16Bits(-above) !== (high | 0x8000)) expect.fail(`the same below zero, 0x${low.toString(16)}`);
    }
  });

  test('what is too small is a zero of its sign, what is too large an infinity of its sign, NaN stays NaN', () => {
    expect(f16Bits(floatOf(1))).toBe(0);
    expect(f16Bits(-1e-30)).toBe(0x8000);
    expect(f16Bits(2 ** -25)).toBe(0);
    expect(f16Bits(1e30)).toBe(HALF_INFINITY);
    expect(f16Bits(-Infinity)).toBe(0xfc00);
    expect(f16Value(f16Bits(NaN))).toBeNaN();
  });
});

describe('bf16', () => {
  test('is the upper half of a float32, rounded to nearest, ties to even', () => {
    for (let low = 0; low < 0x7f80; low++) {
      const tie = floatOf(((low << 16) | 0x8000) >>> 0);
      const even = low % 2 === 0 ? low : low + 1;
      if (bf16Bits(tie) !== even) expect.fail(`tie above 0x${low.toString(16)}`);
      if (bf16Bits(floatOf(((low << 16) | 0x7fff) >>> 0)) !== low) expect.fail(`below the tie, 0x${low.toString(16)}`);
      if (bf16Bits(-floatOf(((low << 16) | 0x8001) >>> 0)) !== ((low + 1) | 0x8000)) {
        expect.fail(`above the tie and negative, 0x${low.toString(16)}`);
      }
    }
  });

  test('infinities and NaN stay what they are', () => {
    expect(bf16Value(bf16Bits(Infinity))).toBe(Infinity);
    expect(bf16Value(bf16Bits(-Infinity))).toBe(-Infinity);
    // A NaN whose payload sits in the lower half must become neither an infinity nor, by rounding up, a zero.
    const nans = new Float32Array(Uint32Array.of(0x7f800001, 0xff80_0001, 0x7fff_ffff).buffer);
    const bits = new Uint16Array(3);
    f32ToBf16(nans, bits);
    expect(Array.from(bits, bf16Value)).toEqual([NaN, NaN, NaN]);
    f32ToF16(nans, bits);
    expect(Array.from(bits, f16Value)).toEqual([NaN, NaN, NaN]);
    expect(bf16Bits(3.4028234e38)).toBe(0x7f80);
  });
});

test('arrays are converted as single numbers are', () => {
  const source = Float32Array.of(0, -0, 1, 1 / 3, 65520, 1e-7, 6e-8, -2.5, Infinity, 3.1e38);
  const halves = new Uint16Array(source.length);
  const bfloats = new Uint16Array(source.length);
  f32ToF16(source, halves);
  f32ToBf16(source, bfloats);
  expect([...halves]).toEqual(Array.from(source, f16Bits));
  expect([...bfloats]).toEqual(Array.from(source, bf16Bits));
  const back = new Float32Array(source.length);
  f16ToF32(halves, back);
  expect([...back]).toEqual(Array.from(halves, f16Value));
  bf16ToF32(bfloats, back);
  expect([...back]).toEqual(Array.from(bfloats, bf16Value));
});

test('views into the middle of a buffer are converted in their bounds', () => {
  const source = new Float32Array([9, 1, 2, 9]).subarray(1, 3);
  const target = new Uint16Array(4);
  f32ToF16(source, target.subarray(1, 3));
  expect([...target]).toEqual([0, f16Bits(1), f16Bits(2), 0]);
});

test('dtypes know their width and their kind', () => {
  expect(DTYPES.map(bytesPerElement)).toEqual([4, 2, 2, 4, 4, 1]);
  expect(DTYPES.filter(isFloat)).toEqual(['f32', 'f16', 'bf16']);
  expect(isDType('bf16')).toBe(true);
  expect(isDType('f64')).toBe(false);
});
