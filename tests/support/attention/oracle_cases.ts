/** What the oracle is asked, by the test of the reference and by the test of the kernels. */
import { cacheProblem, type CacheProblem } from './cache';
import { ALIBI, extraOptions, hasItsModification, HEAD_COUNTS, HEADS, maskOptions, MASKS } from './grid';
import { onnxAttention, onnxGroupQueryAttention, type MaskStyle } from './oracle';
import { randomInputs, seedOf, type Inputs, type Problem } from './problem';
import { coveringArray } from '../covering';

/** Everything that ONNX's Attention can express: sinks it cannot. */
const attentionFactors = {
  headDim: [32, 40, 59, 64],
  lengths: [
    [64, 64],
    [1, 239],
    [33, 70],
    [70, 33],
  ],
  heads: HEADS,
  mask: MASKS,
  alibi: ALIBI,
  softcap: [0, 50],
  scale: ['1/sqrt(D)', 'scale 0.3'],
} as const;

/** By kernels that flashAttention's grid has as well, and for one query by one more for each D: see there. */
export const ATTENTION_CASES = coveringArray(attentionFactors, (row) => {
  const isOneQuery = row.lengths?.[0] === 1;
  return hasItsModification({ ...row, dtype: 'f32', sinks: false }) && !(isOneQuery && row.heads === 'MHA');
});

export type AttentionCase = (typeof ATTENTION_CASES)[number];

/** Everything that GroupQueryAttention can: always causal, one query of each of two entries, or several of one. */
export const CACHE_CASES = coveringArray({
  headDim: [32, 128],
  queries: ['one query of two entries', 'seven queries of one entry'],
  heads: HEADS,
  rotary: ['no rotary', 'whole interleaved rotary', 'whole split rotary'],
  mask: ['causal', 'causal window'],
  softcap: [0, 50],
  sinks: [false, true],
} as const);

export type CacheCase = (typeof CACHE_CASES)[number];

export interface AttentionQuestion {
  readonly problem: Problem;
  readonly inputs: Inputs;
  /** ONNX Runtime's answer, `[B, Sq, Hq, D]`. */
  readonly answer: (style?: MaskStyle) => Promise<Float32Array>;
}

export function attentionQuestion(row: AttentionCase): AttentionQuestion {
  const seed = seedOf(JSON.stringify(row));
  const [headsQ, headsKv] = HEAD_COUNTS[row.heads];
  const [seqQ, seqK] = row.lengths;
  const shapes = { batch: 2, seqQ, seqK, headsQ, headsKv, headDim: row.headDim };
  const options = {
    ...maskOptions(row.mask, seqK, seed),
    ...extraOptions({ alibi: row.alibi, softcap: row.softcap, sinks: false }, 2, headsQ, seed),
    ...(row.scale === 'scale 0.3' && { softmaxScale: 0.3 }),
  };
  const problem: Problem = { shapes, dtype: 'f32', options };
  const inputs = randomInputs(problem, seed);
  return { problem, inputs, answer: (style) => onnxAttention(shapes, options, inputs, style) };
}

export interface CacheQuestion {
  readonly problem: CacheProblem;
  readonly answer: () => Promise<Float32Array>;
}

export function cacheQuestion(row: CacheCase): CacheQuestion {
  const seed = seedOf(JSON.stringify(row));
  const [headsQ, headsKv] = HEAD_COUNTS[row.heads];
  const [batch, seqQ] = row.queries === 'one query of two entries' ? [2, 1] : [1, 7];
  const problem = cacheProblem({
    shapes: { batch, seqQ, seqK: 150, headsQ, headsKv, headDim: row.headDim },
    dtype: 'f32',
    options: {
      ...maskOptions(row.mask, 150, seed),
      ...extraOptions({ alibi: 'no ALiBi', softcap: row.softcap, sinks: row.sinks }, batch, headsQ, seed),
    },
    storage: 'cache',
    append: 'append Sq',
    rotary: row.rotary,
    seed,
  });
  return { problem, answer: () => onnxGroupQueryAttention(problem) };
}

/** How far two float32 computations of outputs of the order of 1 may differ; scores reach 50 and more with a softcap. */
export const ORACLE_TOLERANCE = 1e-4;

/** An output with NaN, which comparisons leave out, in the rows whose LSE says that they see no key. */
export function rowsWithKeys(
  out: ArrayLike<number>,
  lse: ArrayLike<number>,
  { seqQ, headsQ, headDim }: { seqQ: number; headsQ: number; headDim: number },
): Float64Array {
  return Float64Array.from(out, (x, at) => {
    const row = Math.floor(at / headDim);
    const [h, i, b] = [row % headsQ, Math.floor(row / headsQ) % seqQ, Math.floor(row / headsQ / seqQ)];
    return lse[(b * headsQ + h) * seqQ + i] === -Infinity ? NaN : x;
  });
}
