/** Frequencies of positions, scaled in every way, against the sources' formulas written out another way. */
import { describe, expect, test } from 'vitest';
import type { RopeConfig } from '$gpu/formats/model';
import { rotaryAngles, rotaryFrequencies } from '$gpu/ops';

const plain: RopeConfig = { theta: 500000, dims: 64, pairing: 'halves' };
const frequencies = rotaryFrequencies(plain, 8192);

describe('rotaryFrequencies', () => {
  test('plain: theta^(-2i/d)', () => {
    expect(frequencies).toHaveLength(32);
    expect(frequencies[0]).toBe(1);
    expect(frequencies[16]).toBeCloseTo(1 / Math.sqrt(500000), 12);
  });

  test('llama3: by wavelengths, as llama.cpp’s converter computes its factors', () => {
    const scaling = { kind: 'llama3', factor: 32, fast: 4, slow: 1, original: 8192 } as const;
    const got = rotaryFrequencies({ ...plain, scaling }, 8192);
    const wanted = frequencies.map((frequency) => {
      const wavelength = (2 * Math.PI) / frequency;
      if (wavelength < 8192 / 4) return frequency;
      if (wavelength > 8192) return frequency / 32;
      const smooth = (8192 / wavelength - 1) / (4 - 1);
      return frequency / (1 / ((1 - smooth) / 32 + smooth));
    });
    got.forEach((value, pair) => expect(value).toBeCloseTo(wanted[pair]!, 12));
    expect(got[0]).toBe(1);
    expect(got[31]! * 32).toBeCloseTo(frequencies[31]!, 15);
  });

  test('yarn: a ramp between the pairs that turn 32 times and once', () => {
    const rope = { ...plain, theta: 10000, dims: 128 };
    const scaling = { kind: 'yarn', factor: 4, fast: 32, slow: 1, original: 32768, magnitude: 1.1386 } as const;
    const unscaled = rotaryFrequencies(rope, 1);
    const ratios = rotaryFrequencies({ ...rope, scaling }, 131072).map((value, pair) => value / unscaled[pair]!);
    // 64 ln(32768 / 64 pi) / ln 10000 = 35.4 and 64 ln(32768 / 2 pi) / ln 10000 = 59.5: pairs 35 and 60.
    expect(ratios[35]).toBe(1);
    expect(ratios[60]).toBeCloseTo(0.25, 12);
    expect(ratios[47]).toBeCloseTo(1 - 0.75 * (12 / 25), 12);
  });

  test('factors: the short list up to the first training’s context, the long one beyond', () => {
    const rope = { ...plain, dims: 4 };
    const scaling = {
      kind: 'factors',
      short: [1, 2],
      long: 'ropeFactorsLong',
      original: 4096,
      magnitude: 1.2,
    } as const;
    const [first, second] = rotaryFrequencies(rope, 1);
    const lists = { ropeFactorsLong: [4, 8] };
    expect([...rotaryFrequencies({ ...rope, scaling }, 4096, lists)]).toEqual([first, second! / 2]);
    expect([...rotaryFrequencies({ ...rope, scaling }, 4097, lists)]).toEqual([first! / 4, second! / 8]);
  });
});

test('factors that lead nowhere are refused', () => {
  const scaling = { kind: 'factors', short: 'ropeFactors', long: 'ropeFactors', original: 10, magnitude: 1 } as const;
  const rope: RopeConfig = { theta: 100, dims: 4, pairing: 'halves', scaling };
  expect(() => rotaryAngles(rope, 3, { ropeFactors: [1, 0] })).toThrow(/rope.*pair 1/);
});

test('rotaryAngles: cos and sin of position times frequency, times the magnitude', () => {
  const scaling = { kind: 'factors', short: [1, 1], long: [1, 1], original: 10, magnitude: 2 } as const;
  const angles = rotaryAngles({ theta: 100, dims: 4, pairing: 'halves', scaling }, 3);
  const wanted = [0, 1, 2].flatMap((p) => [
    2 * Math.cos(p),
    2 * Math.sin(p),
    2 * Math.cos(p / 10),
    2 * Math.sin(p / 10),
  ]);
  wanted.forEach((value, at) => expect(angles[at]).toBeCloseTo(value, 6));
});
