/** What tests of operations share: numbers, a float64 product, and how far results may be off. */
import { expect } from 'vitest';
import { random } from './gpu';

/** Uniform in [-1.7, 1.7]: of about unit variance. */
export function numbers(length: number, seed: number): Float32Array {
  const next = random(seed);
  return Float32Array.from({ length }, () => (next() * 2 - 1) * 1.7);
}

/** x `[M, K]` times W^T, W `[N, K]`, in float64. */
export function productReference(x: ArrayLike<number>, weights: ArrayLike<number>, columns: number): Float64Array {
  const tokens = x.length / columns;
  const rows = weights.length / columns;
  return Float64Array.from({ length: tokens * rows }, (_, at) => {
    const [m, n] = [Math.floor(at / rows), at % rows];
    let sum = 0;
    for (let k = 0; k < columns; k++) sum += x[m * columns + k]! * weights[n * columns + k]!;
    return sum;
  });
}

/** x / rms(x) * gain by rows of gain's length, in float64. */
export function normReference(x: ArrayLike<number>, gain: ArrayLike<number>, eps: number): Float64Array {
  const columns = gain.length;
  const out = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += columns) {
    let squares = 0;
    for (let k = 0; k < columns; k++) squares += x[start + k]! ** 2;
    const inverse = 1 / Math.sqrt(squares / columns + eps);
    for (let k = 0; k < columns; k++) out[start + k] = x[start + k]! * inverse * gain[k]!;
  }
  return out;
}

/** Every element within `tolerance`; NaN never is. */
export function expectNear(got: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number, what = 'out'): void {
  expect(got.length, `elements of ${what}`).toBe(wanted.length);
  for (let at = 0; at < wanted.length; at++) {
    if (!(Math.abs(got[at]! - wanted[at]!) <= tolerance)) {
      expect.fail(`${what}[${at}] is ${got[at]}, wanted ${wanted[at]} within ${tolerance}`);
    }
  }
}
