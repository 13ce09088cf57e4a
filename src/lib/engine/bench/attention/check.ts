/** No wrong kernel gets a time: some rows of its output against the float64 reference, and all of it for numbers. */
import { attentionReference } from '$gpu/attention';
import { dimsOf, type Case, type Inputs } from './cases';

/** Query rows that are compared: the ends, where masks and tiles have theirs, and some between. */
const BETWEEN = 4;

export function sampledRows(seqQ: number): number[] {
  const spread = Array.from({ length: BETWEEN }, (_, n) => Math.floor(((n + 0.37) / BETWEEN) * seqQ));
  const wanted = [0, 1, ...spread, seqQ - 2, seqQ - 1].filter((row) => row >= 0 && row < seqQ);
  return [...new Set(wanted)].sort((a, b) => a - b);
}

/** Rows of the reference, computed once for all the kernels of a case. */
export class Check {
  readonly #one: Case;
  readonly #rows: readonly number[];
  readonly #expected: Float64Array;

  constructor(one: Case, inputs: Inputs) {
    const dims = dimsOf(one);
    this.#one = one;
    this.#rows = sampledRows(dims.seqQ);
    const { q, k, v } = inputs;
    this.#expected = attentionReference(q, k, v, dims, { causal: true, queryRows: this.#rows }).out;
  }

  /** The largest error in the sampled rows of out `[1, Sq, Hq, D]`; NaN where anything at all is none. */
  errorOf(out: ArrayLike<number>): number {
    if (out.length !== this.#expected.length) throw new RangeError(`an output of ${out.length} elements`);
    for (let i = 0; i < out.length; i++) if (!Number.isFinite(out[i])) return NaN;
    const { headsQ, headDim } = dimsOf(this.#one);
    const width = headsQ * headDim;
    let largest = 0;
    for (const row of this.#rows) {
      for (let i = row * width; i < (row + 1) * width; i++) {
        largest = Math.max(largest, Math.abs(out[i]! - this.#expected[i]!));
      }
    }
    return largest;
  }
}

/** What is wrong with an error, in words. */
export function complaintOf(error: number, allowed: number): string | undefined {
  if (error <= allowed) return undefined;
  return Number.isNaN(error)
    ? 'wrong: not all of its output are numbers'
    : `wrong: off by ${error.toExponential(1)}, at most ${allowed} would do`;
}
