/** How a vocabulary is cut into groups for the kernels of this room. The twin of shape.wesl. */
import { ArgumentError, LimitError, ParamWriter } from '../device';
import type { Gpu, Params } from '../device';

/** Masses of more tokens could overflow their words (sample_cut.wesl). */
const MAX_VOCAB = 2 ** 19;
const LANES = 64;
const ELEMENTS = 32;

/** The most tokens that are told of beside the one drawn, and in a row of `topTokens`. */
export const MAX_TOP = 20;

export interface Shape {
  readonly vocab: number;
  /** Workgroups of a scan. */
  readonly blocks: number;
  readonly groups: number;
  readonly params: Params;
}

export function shapeOf(vocab: number, top = 0): Shape {
  if (!Number.isSafeInteger(vocab) || vocab < 1)
    throw new ArgumentError('vocab', String(vocab), 'a whole number from 1');
  if (vocab > MAX_VOCAB) throw new LimitError('tokens that can be sampled from', vocab, MAX_VOCAB, 'a vocabulary');
  const blocks = Math.ceil(vocab / (LANES * ELEMENTS));
  const groups = blocks * LANES;
  return { vocab, blocks, groups, params: new ParamWriter().u32(vocab).u32(groups).u32(ELEMENTS).u32(top).done() };
}

/** Threads of a pick, which is one workgroup; they are 4^n, so that sums go by rows of as many rows. */
export type Threads = 64 | 256;

/** A software adapter pays for every thread at every barrier; a GPU has them anyway. */
export function threadsOn(gpu: Gpu): Threads {
  return gpu.info.isFallback ? 64 : 256;
}

/** Constants of a pick's shader. */
export function pickConstants(threads: Threads): Record<string, number> {
  return { THREADS: threads, ROW: Math.sqrt(threads), BIN_BITS: Math.log2(threads) };
}

export function checkTop(top: number): void {
  if (Number.isSafeInteger(top) && top >= 0 && top <= MAX_TOP) return;
  throw new ArgumentError('top', String(top), `a whole number up to ${MAX_TOP}`);
}
