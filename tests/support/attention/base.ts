/**
 * The «base» of flash-attention's rule: plain, unfused attention at the storage type's own precision.
 *
 * It is what PyTorch does with one operator after the other: each operator computes in float32 and rounds its result
 * to the storage type, for that is what it writes to memory. The scale is folded into k, as in flash-attention's own
 * baseline; with ALiBi slopes the scores stay float32 from there on, since the float32 bias promotes them.
 *
 * A sharper base keeps the scores in float32 and rounds weights and output alone. Our kernels promise float32 scores,
 * so they have to be as good as that one too; where scores are large (a softcap of 50, in bf16) the plain base is
 * wrong by 0.3, and twice that would hide any mistake.
 *
 * It shares no code with attentionReference on purpose: a mask is a question about one pair (i, j) here, and a run of
 * keys there.
 */
import type { AttentionShapes, ReferenceOptions } from '$gpu/attention/reference';
import type { Inputs, Problem } from './problem';
import { rounder, type Round } from './rounding';

/** The output `[B, Sq, Hq, D]`; rows that `options.queryRows` leaves out are NaN. */
export function attentionBase(
  { shapes, options, dtype }: Problem,
  inputs: Inputs,
  scores: 'storage scores' | 'f32 scores' = 'storage scores',
): Float32Array {
  const round = rounder(dtype);
  return unfusedAttention(shapes, options, inputs, {
    score: scores === 'f32 scores' ? Math.fround : round,
    store: round,
  });
}

interface Rounding {
  readonly score: Round;
  /** Of weights and output. */
  readonly store: Round;
}

/** Which key of the sequence lies in each row of the cache, and how the sequence ends: what masks are made of. */
interface Sequence {
  readonly leftpad: number;
  /** Logical Sk. */
  readonly length: number;
}

/** Where one query row and the keys of its head lie, and what the head adds to its scores. */
interface Row {
  readonly i: number;
  readonly query: number;
  readonly firstKey: number;
  readonly keyStride: number;
  readonly slope: number;
  readonly sink: number;
}

function unfusedAttention(
  shapes: AttentionShapes,
  options: ReferenceOptions,
  { q, k, v }: Inputs,
  round: Rounding,
): Float32Array {
  const { batch, seqQ, seqK, headsQ, headsKv, headDim } = shapes;
  const scale = options.softmaxScale ?? 1 / Math.sqrt(headDim);
  const scaledK = k.map((x) => round.score(x * scale));
  const scores = new Float32Array(seqK);
  const out = new Float32Array(q.length).fill(NaN);

  for (let b = 0; b < batch; b++) {
    const leftpad = options.leftpadK?.[b] ?? 0;
    const sequence: Sequence = { leftpad, length: (options.seqlensK?.[b] ?? seqK) - leftpad };
    for (let h = 0; h < headsQ; h++) {
      for (const i of Array.from(options.queryRows ?? Array.from({ length: seqQ }).keys())) {
        const row: Row = {
          i,
          query: ((b * seqQ + i) * headsQ + h) * headDim,
          firstKey: (b * seqK * headsKv + Math.floor((h * headsKv) / headsQ)) * headDim,
          keyStride: headsKv * headDim,
          slope: slopeOf(shapes, options, b, h),
          sink: options.sinks?.[h] ?? -Infinity,
        };
        scoreRow(q, scaledK, shapes, options, sequence, row, round.score, scores);
        softmaxRow(scores, row.sink, round.store);
        weightedSum(scores, v, row, round.store, out.subarray(row.query, row.query + headDim));
      }
    }
  }
  return out;
}

/** `[Sk]` scores of one query, -inf where the mask says so. */
function scoreRow(
  q: Float32Array,
  scaledK: Float32Array,
  { seqQ, headDim }: AttentionShapes,
  options: ReferenceOptions,
  sequence: Sequence,
  { i, query, firstKey, keyStride, slope }: Row,
  round: Round,
  scores: Float32Array,
): void {
  const { softcap = 0 } = options;
  for (let at = 0; at < scores.length; at++) {
    const j = at - sequence.leftpad;
    if (!isVisible(options, sequence, seqQ, i, j)) {
      scores[at] = -Infinity;
      continue;
    }
    const dot = dotProduct(q, query, scaledK, firstKey + at * keyStride, headDim);
    let score = round(dot);
    if (softcap > 0) score = round(softcap * round(Math.tanh(round(score / softcap))));
    const distance = Math.abs(i + sequence.length - seqQ - j);
    scores[at] = score + Math.fround(-slope * distance);
  }
}

/** In float32, with four running sums as vector units keep them (and because one alone is slow). */
function dotProduct(a: Float32Array, aAt: number, b: Float32Array, bAt: number, count: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let d = 0;
  for (; d + 3 < count; d += 4) {
    s0 = Math.fround(s0 + a[aAt + d]! * b[bAt + d]!);
    s1 = Math.fround(s1 + a[aAt + d + 1]! * b[bAt + d + 1]!);
    s2 = Math.fround(s2 + a[aAt + d + 2]! * b[bAt + d + 2]!);
    s3 = Math.fround(s3 + a[aAt + d + 3]! * b[bAt + d + 3]!);
  }
  for (; d < count; d++) s0 = Math.fround(s0 + a[aAt + d]! * b[bAt + d]!);
  return Math.fround(Math.fround(s0 + s1) + Math.fround(s2 + s3));
}

/** Softmax of one row in place: computed in float32, stored in the storage type. A row without keys becomes zeros. */
function softmaxRow(scores: Float32Array, sink: number, round: Round): void {
  const max = scores.reduce((a, b) => Math.max(a, b), Math.fround(sink));
  if (max === -Infinity) {
    scores.fill(0);
    return;
  }
  let sum = Math.fround(Math.exp(sink - max));
  for (let at = 0; at < scores.length; at++) {
    const weight = Math.fround(Math.exp(Math.fround(scores[at]! - max)));
    scores[at] = weight;
    sum = Math.fround(sum + weight);
  }
  for (let at = 0; at < scores.length; at++) scores[at] = round(Math.fround(scores[at]! / sum));
}

function weightedSum(
  weights: Float32Array,
  v: Float32Array,
  { firstKey, keyStride }: Row,
  round: Round,
  out: Float32Array,
): void {
  out.fill(0);
  for (let at = 0; at < weights.length; at++) {
    const weight = weights[at]!;
    // Masked rows of a cache may hold anything, NaN too: a plain attention would have been given a shorter tensor.
    if (weight === 0) continue;
    const value = firstKey + at * keyStride;
    for (let d = 0; d < out.length; d++) out[d] = out[d]! + weight * v[value + d]!;
  }
  for (let d = 0; d < out.length; d++) out[d] = round(out[d]!);
}

function isVisible(options: ReferenceOptions, sequence: Sequence, seqQ: number, i: number, j: number): boolean {
  if (j < 0 || j >= sequence.length) return false;
  const ahead = j - (i + sequence.length - seqQ);
  const [left, right] = options.windowSize ?? [-1, -1];
  if (options.causal && ahead > 0) return false;
  if (left >= 0 && -ahead > left) return false;
  return !(right >= 0 && ahead > right);
}

function slopeOf({ batch, headsQ }: AttentionShapes, { alibiSlopes }: ReferenceOptions, b: number, h: number): number {
  if (!alibiSlopes) return 0;
  return alibiSlopes[alibiSlopes.length === batch * headsQ ? b * headsQ + h : h]!;
}
