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
import { f16Bits, type FloatDType } from '$gpu/formats/dtype';
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

/** One step of the storage type: what a rotation in float32 may round otherwise than one in float64. */
const STEP: Readonly<Record<FloatDType, number>> = { f32: 2 ** -23, f16: 2 ** -10, bf16: 2 ** -7 };

/** `isRotated`: q and k are rotated by the kernel as well, and may differ from `inputs` by a step of the storage type. */
export function judgeOf(problem: Problem, inputs: Inputs, isRotated = false): Judge {
  const { shapes, options } = problem;
  const { out: ref, lse: refLse } = attentionReference(inputs.q, inputs.k, inputs.v, shapes, options);
  const bases = [attentionBase(problem, inputs)];
  if (problem.dtype !== 'f32') bases.push(attentionBase(problem, inputs, 'f32 scores'));
  return {
    shapes,
    ref,
    refLse,
    tolerance: 2 * Math.min(...bases.map((base) => worstOf(base, ref).error)) + 1e-5,
    lseTolerance: lseToleranceOf(problem, inputs, refLse) + (isRotated ? rotationTolerance(problem, inputs) : 0),
  };
}

/** Fails with the place and the numbers of the worst element. Rows that were not sampled may hold anything but NaN. */
export function expectByTheRule(result: Result, judge: Judge, what = ''): void {
  const { shapes, ref, refLse } = judge;
  const { seqQ, headsQ, headDim } = shapes;
  expectClose(`${what}out`, result.out, ref, judge.tolerance, [seqQ, headsQ, headDim], ['b', 'i', 'h', 'd']);
  if (result.lse) expectClose(`${what}lse`, result.lse, refLse, judge.lseTolerance, [headsQ, seqQ], ['b', 'h', 'i']);
}

/** Compares where `ref` is a number; elsewhere, in rows that were not sampled, any number will do, but no NaN. */
export function expectClose(
  name: string,
  got: ArrayLike<number>,
  ref: ArrayLike<number>,
  tolerance: number,
  innerShape: readonly number[] = [],
  axes: readonly string[] = ['at'],
): void {
  expect(got.length, `elements of ${name}`).toBe(ref.length);
  const place = (at: number): string =>
    unravel(at, innerShape)
      .map((index, axis) => `${axes[axis]} ${index}`)
      .join(', ');
  const poison = indexOfNaN(got);
  if (poison >= 0) expect.fail(`${name} is NaN at ${place(poison)}`);
  const { error, at } = worstOf(got, ref);
  const message = `${name} at ${place(at)}: got ${got[at]}, reference ${ref[at]}, allowed ${tolerance}`;
  expect(error, message).toBeLessThanOrEqual(tolerance);
}

/** Equal, or at most `ulps` neighbours apart in the storage type. */
export function expectWithinUlps(got: Float32Array, wanted: Float32Array, dtype: FloatDType, ulps: number): void {
  expect(got.length).toBe(wanted.length);
  for (let at = 0; at < wanted.length; at++) {
    const apart = Math.abs(orderOf(got[at]!, dtype) - orderOf(wanted[at]!, dtype));
    if (!(apart <= ulps))
      expect.fail(`element ${at}: ${got[at]} and ${wanted[at]} are ${apart} steps of ${dtype} apart`);
  }
}

const oneFloat = new Float32Array(1);
const oneBits = new Int32Array(oneFloat.buffer);

/** The number's place among all numbers of its type: neighbours differ by 1. NaN for NaN. */
function orderOf(value: number, dtype: FloatDType): number {
  if (Number.isNaN(value)) return NaN;
  oneFloat[0] = value;
  const magnitude =
    dtype === 'f16' ? f16Bits(Math.abs(value)) : (oneBits[0]! & 0x7fffffff) >>> (dtype === 'bf16' ? 16 : 0);
  return value < 0 ? -magnitude : magnitude;
}

/** The largest |got - ref| where `ref` is a number, and its place. Equal infinities agree. */
export function worstOf(got: ArrayLike<number>, ref: ArrayLike<number>): { error: number; at: number } {
  let worst = { error: 0, at: 0 };
  for (let at = 0; at < ref.length; at++) {
    const a = got[at]!;
    const b = ref[at]!;
    if (Number.isNaN(b) || a === b) continue;
    const error = Math.abs(a - b);
    if (!(error <= worst.error)) worst = { error, at };
    if (Number.isNaN(error)) break;
  }
  return worst;
}

function indexOfNaN(x: ArrayLike<number>): number {
  for (let at = 0; at < x.length; at++) if (Number.isNaN(x[at])) return at;
  return -1;
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

/** A score changes by a step of one of its products, or of a few. */
function rotationTolerance({ shapes: { headDim }, dtype, options }: Problem, { q, k }: Inputs): number {
  const scale = Math.abs(options.softmaxScale ?? 1 / Math.sqrt(headDim));
  return 2 * STEP[dtype] * scale * largestNumber(q) * largestNumber(k);
}

function largestNumber(x: Float32Array): number {
  return x.reduce((max, value) => (Number.isFinite(value) ? Math.max(max, Math.abs(value)) : max), 0);
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
