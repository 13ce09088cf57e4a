/**
 * flash-attention's own rule for «exact»: with `ref` the same maths in high precision and `base` a plain, unfused
 * attention at the kernel's own precision,
 *
 *     max|out - ref| <= 2 * max|base - ref| + 1e-5
 *
 * and the same again with the sharper base of float32 scores.
 */
import { expect } from 'vitest';
import { attentionReference, type AttentionShapes } from '$gpu/attention/reference';
import { attentionBase } from './base';
import type { Inputs, Problem } from './problem';

/** What a result is judged by. */
export interface Judge {
  readonly shapes: AttentionShapes;
  /** `[B, Sq, Hq, D]`; NaN in rows that were not sampled. */
  readonly ref: Float64Array;
  /** `[B, Hq, Sq]`; NaN where not sampled. */
  readonly refLse: Float64Array;
  readonly tolerance: number;
  readonly lseTolerance: number;
}

export interface Result {
  readonly out: ArrayLike<number>;
  readonly lse?: ArrayLike<number>;
}

export function judgeOf(problem: Problem, inputs: Inputs): Judge {
  const { shapes, options } = problem;
  const { out: ref, lse: refLse } = attentionReference(inputs.q, inputs.k, inputs.v, shapes, options);
  const bases = [attentionBase(problem, inputs)];
  if (problem.dtype !== 'f32') bases.push(attentionBase(problem, inputs, 'f32 scores'));
  return {
    shapes,
    ref,
    refLse,
    tolerance: 2 * Math.min(...bases.map((base) => worstOf(base, ref).error)) + 1e-5,
    lseTolerance: lseToleranceOf(problem, inputs, refLse),
  };
}

/** Fails with the place and the numbers of the worst element. Rows that were not sampled have to be finite. */
export function expectByTheRule(result: Result, judge: Judge): void {
  const { shapes, ref, refLse } = judge;
  const { seqQ, headsQ, headDim } = shapes;
  expectClose('out', result.out, ref, judge.tolerance, [seqQ, headsQ, headDim], ['b', 'i', 'h', 'd']);
  if (result.lse) expectClose('lse', result.lse, refLse, judge.lseTolerance, [headsQ, seqQ], ['b', 'h', 'i']);
}

/** Compares where `ref` is a number; elsewhere, in rows that were not sampled, any number that is not NaN will do. */
export function expectClose(
  name: string,
  got: ArrayLike<number>,
  ref: ArrayLike<number>,
  tolerance: number,
  innerShape: readonly number[] = [],
  axes: readonly string[] = ['at'],
): void {
  expect(got.length, `elements of ${name}`).toBe(ref.length);
  const { error, at } = worstOf(got, ref);
  const place = unravel(at, innerShape).map((index, axis) => `${axes[axis]} ${index}`);
  const message = `${name} at ${place.join(', ')}: got ${got[at]}, reference ${ref[at]}, allowed ${tolerance}`;
  expect(error, message).toBeLessThanOrEqual(tolerance);
}

/** The largest |got - ref| and where. Equal infinities agree; a NaN in `got` is worse than any number. */
export function worstOf(got: ArrayLike<number>, ref: ArrayLike<number>): { error: number; at: number } {
  let worst = { error: 0, at: 0 };
  for (let at = 0; at < ref.length; at++) {
    const a = got[at]!;
    const b = ref[at]!;
    if (Number.isNaN(a)) return { error: NaN, at };
    if (Number.isNaN(b) || a === b) continue;
    const error = Math.abs(a - b);
    if (error > worst.error) worst = { error, at };
  }
  return worst;
}

/**
 * The LSE is float32 whatever the storage type. The error of a float32 dot product is a few units in the last place of
 * |q||k|, which softcap and exp pass on at most as it is.
 */
function lseToleranceOf({ shapes, options }: Problem, { q, k }: Inputs, lse: Float64Array): number {
  const { headDim } = shapes;
  const scale = Math.abs(options.softmaxScale ?? 1 / Math.sqrt(headDim));
  const largestScore = scale * largestNorm(q, headDim) * largestNorm(k, headDim);
  const largestLse = lse.reduce((max, x) => (Number.isFinite(x) ? Math.max(max, Math.abs(x)) : max), 0);
  return 1e-5 + 2 ** -22 * (largestScore + largestLse);
}

/** The largest Euclidean norm of a row of length `width`; rows that are not finite, as poisoned ones, do not count. */
function largestNorm(x: Float32Array, width: number): number {
  let largest = 0;
  for (let at = 0; at < x.length; at += width) {
    let square = 0;
    for (let d = 0; d < width; d++) square += x[at + d]! ** 2;
    if (Number.isFinite(square)) largest = Math.max(largest, square);
  }
  return Math.sqrt(largest);
}

function unravel(index: number, innerShape: readonly number[]): number[] {
  const place: number[] = [];
  let rest = index;
  for (const size of [...innerShape].reverse()) {
    place.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return [rest, ...place];
}
