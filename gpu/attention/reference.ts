/**
 * Attention in float64 on the CPU: what every kernel of this room is measured against.
 *
 * Semantics are those of flash_attn 2.8. With logical lengths Sq and Sk, query i and key j:
 *
 *     s[i,j] = scale * q[i] . k[j]
 *     s[i,j] = softcap * tanh(s[i,j] / softcap)                 where softcap > 0
 *     s[i,j] = s[i,j] - slope * |i + Sk - Sq - j|               where there are ALiBi slopes
 *     s[i,j] = -inf                                             unless j is visible from i
 *     out[i] = sum_j exp(s[i,j] - lse[i]) * v[j]
 *     lse[i] = log(exp(sink) + sum_j exp(s[i,j]))               without a sink the first term is absent
 *
 * Masks hang on the bottom right corner, so the last query sees the last key: j is visible from i where
 * `j <= i + Sk - Sq` (causal) and `i + Sk - Sq - left <= j <= i + Sk - Sq + right` (window). Every mask of flash_attn
 * is such a run of keys; that is why a row is described by its first and last visible key and nothing else.
 *
 * A row that sees no key, or only scores of -inf, gives zeros, never NaN, and an LSE of -inf (the sink, where it has one).
 *
 * It is written to be read, not to be fast: one row at a time, two passes over its scores, no tiles, no online softmax.
 */
import { ArgumentError } from '../device/errors';

/** q `[B, Sq, Hq, D]`; k and v `[B, Sk, Hkv, D]`; query head h reads key head `floor(h / (Hq / Hkv))`. */
export interface AttentionShapes {
  readonly batch: number;
  readonly seqQ: number;
  readonly seqK: number;
  readonly headsQ: number;
  readonly headsKv: number;
  readonly headDim: number;
}

export interface ReferenceOptions {
  /** Default `1 / sqrt(D)`. */
  readonly softmaxScale?: number;
  readonly causal?: boolean;
  /** `[left, right]`: how many keys before and after its own position a query sees; -1 = open. */
  readonly windowSize?: readonly [number, number];
  /** 0 = none. */
  readonly softcap?: number;
  /** `[Hq]` or `[B, Hq]`. */
  readonly alibiSlopes?: ArrayLike<number>;
  /** `[Hq]`: a logit per head that takes part in the softmax and has no value. */
  readonly sinks?: ArrayLike<number>;
  /** `[B]`: where the keys of each batch entry end within its `Sk` rows. Default `Sk`. */
  readonly seqlensK?: ArrayLike<number>;
  /** `[B]`: where they begin. Row `leftpadK[b]` is key j = 0, and the logical Sk is `seqlensK[b] - leftpadK[b]`. */
  readonly leftpadK?: ArrayLike<number>;
  /** Compute only these query rows (of every batch entry and head); the others stay NaN. For sampling large problems. */
  readonly queryRows?: ArrayLike<number>;
}

export interface ReferenceResult {
  /** `[B, Sq, Hq, D]` */
  readonly out: Float64Array;
  /** `[B, Hq, Sq]` */
  readonly lse: Float64Array;
}

export function attentionReference(
  q: ArrayLike<number>,
  k: ArrayLike<number>,
  v: ArrayLike<number>,
  shapes: AttentionShapes,
  options: ReferenceOptions = {},
): ReferenceResult {
  checkShapes(shapes);
  checkInputs(q, k, v, shapes);
  checkOptions(shapes, options);

  const { batch, seqQ, headsQ, headDim } = shapes;
  const inputs = { q: new Float64Array(q), k: new Float64Array(k), v: new Float64Array(v) };
  const out = new Float64Array(batch * seqQ * headsQ * headDim).fill(NaN);
  const lse = new Float64Array(batch * headsQ * seqQ).fill(NaN);
  const scores = new Float64Array(shapes.seqK);
  const rows = options.queryRows ?? Array.from({ length: seqQ }, (_, i) => i);

  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < headsQ; h++) {
      for (let r = 0; r < rows.length; r++) {
        const i = rows[r]!;
        const at = ((b * seqQ + i) * headsQ + h) * headDim;
        const outRow = out.subarray(at, at + headDim);
        lse[(b * headsQ + h) * seqQ + i] = attendRow(inputs, shapes, options, { b, h, i }, scores, outRow);
      }
    }
  }
  return { out, lse };
}

// ---- one row ---------------------------------------------------------------------------------------------------

interface Inputs {
  readonly q: Float64Array;
  readonly k: Float64Array;
  readonly v: Float64Array;
}

interface Row {
  readonly b: number;
  readonly h: number;
  readonly i: number;
}

/** Writes one row of the output `[D]`, returns its LSE. `scores` is room for one row `[Sk]`. */
function attendRow(
  { q, k, v }: Inputs,
  shapes: AttentionShapes,
  options: ReferenceOptions,
  row: Row,
  scores: Float64Array,
  outRow: Float64Array,
): number {
  const { b, h, i } = row;
  const { seqQ, seqK, headsQ, headsKv, headDim } = shapes;
  const { softmaxScale = 1 / Math.sqrt(headDim), softcap = 0 } = options;
  const slope = alibiSlope(shapes, options, row);
  const keys = visibleKeys(shapes, options, row);

  // Key j of this batch entry and head starts at `firstKey + j * keyStride`, in k and v alike.
  const keyStride = headsKv * headDim;
  const headKv = Math.floor(h / (headsQ / headsKv));
  const firstKey = (b * seqK + keys.leftpad) * keyStride + headKv * headDim;
  const query = q.subarray(((b * seqQ + i) * headsQ + h) * headDim);

  const sink = options.sinks ? options.sinks[h]! : -Infinity;
  let max = sink;
  for (let j = keys.from; j < keys.to; j++) {
    const key = firstKey + j * keyStride;
    let dot = 0;
    for (let d = 0; d < headDim; d++) dot += query[d]! * k[key + d]!;
    let score = softmaxScale * dot;
    if (softcap > 0) score = softcap * Math.tanh(score / softcap);
    if (slope !== 0) score -= slope * Math.abs(keys.diagonal - j);
    scores[j] = score;
    max = Math.max(max, score); // a NaN score makes the maximum, and so the row, NaN
  }

  outRow.fill(0);
  if (max === -Infinity) return -Infinity;

  let sum = Math.exp(sink - max);
  for (let j = keys.from; j < keys.to; j++) {
    const weight = Math.exp(scores[j]! - max);
    sum += weight;
    const value = firstKey + j * keyStride;
    for (let d = 0; d < headDim; d++) outRow[d] = outRow[d]! + weight * v[value + d]!;
  }
  for (let d = 0; d < headDim; d++) outRow[d] = outRow[d]! / sum;
  return max + Math.log(sum);
}

interface VisibleKeys {
  /** Row of the batch entry at which key j = 0 lies. */
  readonly leftpad: number;
  /** The key at the query's own position: `i + Sk - Sq`. May lie before the first or behind the last key. */
  readonly diagonal: number;
  /** Keys `from <= j < to` are visible; none where `from >= to`. */
  readonly from: number;
  readonly to: number;
}

function visibleKeys({ seqQ, seqK }: AttentionShapes, options: ReferenceOptions, { b, i }: Row): VisibleKeys {
  const leftpad = options.leftpadK ? options.leftpadK[b]! : 0;
  const end = options.seqlensK ? options.seqlensK[b]! : seqK;
  const length = end - leftpad;
  const diagonal = i + length - seqQ;
  const [left, openRight] = options.windowSize ?? [-1, -1];
  const right = options.causal ? 0 : openRight;
  return {
    leftpad,
    diagonal,
    from: left < 0 ? 0 : Math.max(0, diagonal - left),
    to: right < 0 ? length : Math.min(length, diagonal + right + 1),
  };
}

function alibiSlope({ batch, headsQ }: AttentionShapes, { alibiSlopes }: ReferenceOptions, { b, h }: Row): number {
  if (!alibiSlopes) return 0;
  const perBatch = alibiSlopes.length === batch * headsQ;
  return alibiSlopes[perBatch ? b * headsQ + h : h]!;
}

// ---- checks ----------------------------------------------------------------------------------------------------

function checkShapes(shapes: AttentionShapes): void {
  const { headsQ, headsKv } = shapes;
  for (const name of ['batch', 'headsQ', 'headsKv', 'headDim'] as const) {
    if (!isCount(shapes[name]) || shapes[name] === 0) fail(`shapes.${name}`, shapes[name], 'a positive integer');
  }
  for (const name of ['seqQ', 'seqK'] as const) {
    if (!isCount(shapes[name])) fail(`shapes.${name}`, shapes[name], 'an integer that is not negative');
  }
  if (headsQ % headsKv !== 0) fail('shapes.headsKv', headsKv, `a divisor of headsQ = ${headsQ}`);
}

function checkInputs(q: ArrayLike<number>, k: ArrayLike<number>, v: ArrayLike<number>, shapes: AttentionShapes): void {
  const { batch, seqQ, seqK, headsQ, headsKv, headDim } = shapes;
  checkLength('q', q, batch * seqQ * headsQ * headDim, '[B, Sq, Hq, D]');
  checkLength('k', k, batch * seqK * headsKv * headDim, '[B, Sk, Hkv, D]');
  checkLength('v', v, batch * seqK * headsKv * headDim, '[B, Sk, Hkv, D]');
}

function checkOptions(shapes: AttentionShapes, options: ReferenceOptions): void {
  const { batch, seqQ, headsQ } = shapes;
  const { softmaxScale, windowSize, softcap, alibiSlopes, sinks, queryRows } = options;
  if (softmaxScale !== undefined && !Number.isFinite(softmaxScale))
    fail('softmaxScale', softmaxScale, 'a finite number');
  if (softcap !== undefined && !(softcap >= 0 && softcap < Infinity)) fail('softcap', softcap, 'a number >= 0');
  if (windowSize && !(windowSize.length === 2 && windowSize.every((w) => Number.isInteger(w) && w >= -1))) {
    fail('windowSize', `[${windowSize.join(', ')}]`, '[left, right], integers >= -1');
  }
  if (alibiSlopes && alibiSlopes.length !== headsQ && alibiSlopes.length !== batch * headsQ) {
    fail('alibiSlopes', `${alibiSlopes.length} elements`, `[Hq] = ${headsQ} or [B, Hq] = ${batch * headsQ}`);
  }
  if (sinks) checkLength('sinks', sinks, headsQ, '[Hq]');
  checkKeyRange(shapes, options);
  checkEach('queryRows', queryRows ?? [], (row) => row < seqQ, `row numbers below Sq = ${seqQ}`);
}

function checkKeyRange({ batch, seqK }: AttentionShapes, { seqlensK, leftpadK }: ReferenceOptions): void {
  if (seqlensK) {
    checkLength('seqlensK', seqlensK, batch, '[B]');
    checkEach('seqlensK', seqlensK, (end) => end <= seqK, `lengths up to Sk = ${seqK}`);
  }
  if (leftpadK) {
    checkLength('leftpadK', leftpadK, batch, '[B]');
    checkEach(
      'leftpadK',
      leftpadK,
      (pad, b) => pad <= (seqlensK?.[b] ?? seqK),
      'paddings up to the length of the keys',
    );
  }
}

function checkLength(argument: string, array: ArrayLike<number>, length: number, shape: string): void {
  if (array.length !== length) fail(argument, `${array.length} elements`, `${shape} = ${length} elements`);
}

function checkEach(
  argument: string,
  values: ArrayLike<number>,
  isGood: (value: number, index: number) => boolean,
  expected: string,
): void {
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    if (!isCount(value) || !isGood(value, index)) fail(`${argument}[${index}]`, value, expected);
  }
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0;
}

function fail(argument: string, got: number | string, expected: string): never {
  throw new ArgumentError(argument, String(got), expected);
}
