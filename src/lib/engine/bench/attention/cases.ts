/** What is timed: shapes, the work in them, and inputs that are the same in every process. */
import { bytesPerElement } from '$gpu/formats/dtype';

export type Schedule = 'prefill' | 'decode';
export type FloatType = 'f32' | 'f16';

/** q `[1, Sq, Hq, D]` on k and v `[1, Sk, Hkv, D]`, causal: Sq = Sk in prefill, Sq = 1 in decode. */
export interface Case {
  readonly schedule: Schedule;
  readonly dtype: FloatType;
  readonly headDim: number;
  readonly keys: number;
  /** Default: HEADS_Q and HEADS_KV. */
  readonly headsQ?: number;
  readonly headsKv?: number;
}

export const HEADS_Q = 8;
export const HEADS_KV = 2;
export const PREFILL_SIZES: readonly number[] = [256, 512, 1024, 2048, 4096, 8192];
export const DECODE_SIZES: readonly number[] = [256, 512, 1024, 2048, 4096, 8192, 16384, 32768];

export interface Dims {
  readonly batch: 1;
  readonly seqQ: number;
  readonly seqK: number;
  readonly headsQ: number;
  readonly headsKv: number;
  readonly headDim: number;
}

export function dimsOf({ schedule, headDim, keys, headsQ = HEADS_Q, headsKv = HEADS_KV }: Case): Dims {
  const seqQ = schedule === 'prefill' ? keys : 1;
  return { batch: 1, seqQ, seqK: keys, headsQ, headsKv, headDim };
}

/** Cases that share kernels: they differ in their number of keys alone. */
export function blockOf({ schedule, dtype, headDim }: Case): string {
  return `${schedule}, ${dtype}, D ${headDim}`;
}

export function nameOf(one: Case): string {
  return `${blockOf(one)}, ${one.schedule === 'prefill' ? 'S' : 'keys'} ${one.keys}`;
}

/** Two multiply-adds an element of q and of v, for the pairs that the mask lets through, and nothing for the softmax. */
export function flopsOf(one: Case): number {
  const { seqQ, seqK, headsQ, headDim } = dimsOf(one);
  // Bottom-right aligned: the last query sees all keys, the one before it one less, and so on.
  const pairs = seqQ * seqK - (seqQ * (seqQ - 1)) / 2;
  return 4 * headsQ * headDim * pairs;
}

/** K and V, once. */
export function cacheBytesOf(one: Case): number {
  const { seqK, headsKv, headDim } = dimsOf(one);
  return 2 * seqK * headsKv * headDim * bytesPerElement(one.dtype);
}

export interface Wanted {
  readonly schedules: readonly Schedule[];
  readonly dtypes: readonly FloatType[];
  readonly headDims: readonly number[];
  /** Numbers of keys; each schedule's own where none are given. */
  readonly sizes?: readonly number[] | undefined;
}

/** Small sizes first: what they take tells how long the larger ones will. */
export function casesOf({ schedules, dtypes, headDims, sizes }: Wanted): Case[] {
  const sizesOf = (schedule: Schedule) =>
    [...(sizes ?? (schedule === 'prefill' ? PREFILL_SIZES : DECODE_SIZES))].sort((a, b) => a - b);
  return dtypes.flatMap((dtype) =>
    headDims.flatMap((headDim) =>
      schedules.flatMap((schedule) => sizesOf(schedule).map((keys) => ({ schedule, dtype, headDim, keys }))),
    ),
  );
}

// ---- inputs ----------------------------------------------------------------------------------------------------

/** q `[1, Sq, Hq, D]`, k and v `[1, Sk, Hkv, D]`. */
export interface Inputs {
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
}

export function inputsOf(one: Case): Inputs {
  const { seqQ, seqK, headsQ, headsKv, headDim } = dimsOf(one);
  return {
    q: values(seqQ * headsQ * headDim, 1),
    k: values(seqK * headsKv * headDim, 2),
    v: values(seqK * headsKv * headDim, 3),
  };
}

/** Multiples of 1/64 in [-1, 1]: exact in f32 and f16 alike. */
function values(length: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return ((state >>> 16) % 129) / 64 - 1;
  });
}
