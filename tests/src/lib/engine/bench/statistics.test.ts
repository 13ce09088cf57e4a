/** Figures with their noise. */
import { expect, test } from 'vitest';
import { differenceOf, noiseOf, ratioOf, summarize } from '$lib/engine/bench/statistics';

test('the median and the quartiles, between neighbours where they fall there', () => {
  expect(summarize([5, 1, 4, 2, 3])).toEqual({ median: 3, low: 2, high: 4, least: 1, most: 5, samples: 5 });
  expect(summarize([1, 2, 3, 4])).toMatchObject({ median: 2.5, low: 1.75, high: 3.25 });
  expect(summarize([7])).toEqual({ median: 7, low: 7, high: 7, least: 7, most: 7, samples: 1 });
  expect(() => summarize([])).toThrow(RangeError);
});

test('one wild sample moves neither the median nor the noise by much', () => {
  const calm = summarize([10, 10, 10, 11, 11]);
  const wild = summarize([10, 10, 10, 11, 1000]);
  expect(wild.median).toBe(calm.median);
  expect(noiseOf(wild)).toBe(noiseOf(calm));
});

test('noise is half the distance between the quartiles, as a share of the median', () => {
  expect(noiseOf(summarize([8, 9, 10, 11, 12]))).toBeCloseTo(0.1, 12);
  expect(noiseOf(summarize([0, 0, 0]))).toBe(0);
});

test('a ratio carries the noise of both sides', () => {
  const ratio = ratioOf(summarize([6, 18, 20, 22, 40]), summarize([8, 9, 10, 11, 12]));
  expect(ratio.value).toBe(2);
  expect(ratio.noise).toBeCloseTo(Math.hypot(0.1, 0.1), 12);
});

test('what one more repetition costs, from the whole and the part, with the worst of both spreads', () => {
  const whole = summarize([100, 110, 120]);
  const part = summarize([20, 30, 40]);
  expect(differenceOf(whole, part, 8)).toEqual({
    median: 10,
    low: 8.75,
    high: 11.25,
    least: 7.5,
    most: 12.5,
    samples: 3,
  });
  expect(differenceOf(part, whole, 8).median).toBe(0);
});
