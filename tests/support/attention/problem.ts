/** An attention problem: shapes, storage type, options, and the random numbers it is tried with. */
import type { AttentionShapes, ReferenceOptions } from '$gpu/attention/reference';
import type { FloatDType } from '$gpu/formats/dtype';
import { random } from '../gpu';
import { rounder } from './rounding';

export interface Problem {
  readonly shapes: AttentionShapes;
  readonly dtype: FloatDType;
  readonly options: ReferenceOptions;
}

/** q `[B, Sq, Hq, D]`, k and v `[B, Sk, Hkv, D]`: numbers that the storage type holds exactly. */
export interface Inputs {
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
}

/** Normally distributed numbers (Box and Muller), the same for the same seed. */
export function normal(seed: number): () => number {
  const uniform = random(seed);
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** `count` normally distributed numbers as a tensor of `dtype` holds them. */
export function normals(seed: number, count: number, dtype: FloatDType = 'f32', scale = 1): Float32Array {
  const next = normal(seed);
  const round = rounder(dtype);
  return Float32Array.from({ length: count }, () => round(next() * scale));
}

/** With a softcap the queries grow by it, as in flash-attention's own tests, so that scores reach the bend of tanh. */
export function randomInputs({ shapes, dtype, options }: Problem, seed: number): Inputs {
  const { batch, seqQ, seqK, headsQ, headsKv, headDim } = shapes;
  const keys = batch * seqK * headsKv * headDim;
  return {
    q: normals(seed, batch * seqQ * headsQ * headDim, dtype, options.softcap || 1),
    k: normals(seed + 1, keys, dtype),
    v: normals(seed + 2, keys, dtype),
  };
}

/** A whole number in `[0, below)`. */
export function randomInteger(seed: number, below: number): number {
  return Math.floor(random(seed)() * below);
}

/** ALiBi slopes as flash-attention's tests draw them: uniform in [0, 0.3). */
export function randomSlopes(seed: number, count: number): Float32Array {
  const next = random(seed);
  return Float32Array.from({ length: count }, () => 0.3 * next());
}

/** A number from a text: a stable seed for each case, whatever else is in the grid (FNV-1a). */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
