/** Merging attention over parts of the keys by their LSE, in float64. */

export interface Part {
  /** `[B, Sq, Hq, D]` */
  readonly out: ArrayLike<number>;
  /** `[B, Hq, Sq]` */
  readonly lse: ArrayLike<number>;
}

export interface MergedPart {
  readonly out: Float64Array;
  readonly lse: Float64Array;
}

/**
 * `lse = log(sum_p exp(lse_p))` and `out = sum_p exp(lse_p - lse) * out_p`. A part with an LSE of -inf has seen no key
 * and counts nothing, whatever its out holds; where all are such, the row is zeros and -inf.
 */
export function mergeReference(
  parts: readonly Part[],
  { batch, seqQ, headsQ, headDim }: { batch: number; seqQ: number; headsQ: number; headDim: number },
): MergedPart {
  const out = new Float64Array(batch * seqQ * headsQ * headDim);
  const lse = new Float64Array(batch * headsQ * seqQ);
  for (let row = 0; row < lse.length; row++) {
    const i = row % seqQ;
    const h = Math.floor(row / seqQ) % headsQ;
    const b = Math.floor(row / seqQ / headsQ);
    const at = ((b * seqQ + i) * headsQ + h) * headDim;
    const max = Math.max(...parts.map((part) => part.lse[row]!));
    lse[row] = max === -Infinity ? max : max + Math.log(parts.reduce((sum, p) => sum + Math.exp(p.lse[row]! - max), 0));
    for (const part of parts) {
      if (part.lse[row] === -Infinity) continue;
      const weight = Math.exp(part.lse[row]! - lse[row]!);
      for (let d = 0; d < headDim; d++) out[at + d] = out[at + d]! + weight * part.out[at + d]!;
    }
  }
  return { out, lse };
}
