/**
 * Rotary position embedding (Su et al., «RoFormer», arXiv 2104.09864) in float64: pairs of channels turn by an angle
 * that grows with the position.
 *
 *     interleaved    pairs (0, 1), (2, 3), ...             GPT-J's way
 *     half-split     pairs (0, R/2), (1, R/2 + 1), ...     GPT-NeoX's way
 *
 * R, the rotary dimension, may be smaller than the head; channels from R on stay as they are.
 */
import { random } from '../gpu';
import { rounder, rounded } from './rounding';
import type { FloatDType } from '$gpu/formats/dtype';

export interface RotaryTables {
  /** `[positions, R / 2]` */
  readonly cos: Float32Array;
  readonly sin: Float32Array;
  readonly positions: number;
  readonly rotaryDim: number;
}

/** Tables of random angles: a model's own are smooth in the position, and would hide an index that is off by one. */
export function randomTables(seed: number, positions: number, rotaryDim: number, dtype: FloatDType): RotaryTables {
  const next = random(seed);
  const angles = Array.from({ length: (positions * rotaryDim) / 2 }, () => 2 * Math.PI * next());
  return {
    cos: rounded(angles.map(Math.cos), dtype),
    sin: rounded(angles.map(Math.sin), dtype),
    positions,
    rotaryDim,
  };
}

/**
 * x `[B, S, H, D]` rotated, where token s of batch entry b stands at `position(b, s)`; rounded to the storage type, as
 * the rotated keys are when they are written into the cache.
 */
export function rotate(
  x: Float32Array,
  [batch, seq, heads, headDim]: readonly [number, number, number, number],
  { cos, sin, rotaryDim }: RotaryTables,
  interleaved: boolean,
  position: (b: number, s: number) => number,
  dtype: FloatDType,
): Float32Array {
  const out = x.slice();
  const half = rotaryDim / 2;
  const round = rounder(dtype);
  for (let b = 0; b < batch; b++) {
    for (let s = 0; s < seq; s++) {
      const table = position(b, s) * half;
      for (let h = 0; h < heads; h++) {
        const head = ((b * seq + s) * heads + h) * headDim;
        for (let r = 0; r < half; r++) {
          const first = head + (interleaved ? 2 * r : r);
          const second = head + (interleaved ? 2 * r + 1 : r + half);
          out[first] = round(x[first]! * cos[table + r]! - x[second]! * sin[table + r]!);
          out[second] = round(x[first]! * sin[table + r]! + x[second]! * cos[table + r]!);
        }
      }
    }
  }
  return out;
}
