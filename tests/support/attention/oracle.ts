/**
 * Attention as ONNX Runtime's CPU operators compute it: an oracle that shares no code and no author with ours.
 *
 *   Attention             (opset 23) any mask and bias, given as a tensor of numbers that are added to the scores; its own
 *                         causal mask hangs on the top left corner, so it is used for Sq = Sk alone
 *   GroupQueryAttention   (com.microsoft) causal over a cache: appended keys, rotary, a left window, sinks
 */
import type { AttentionShapes, ReferenceOptions } from '$gpu/attention/reference';
import { runNode, type OnnxInput } from '../onnx';
import type { CacheProblem } from './cache';
import type { Inputs } from './problem';

function floats(data: Float32Array, ...dims: readonly number[]): OnnxInput {
  return { type: 'float32', dims, data };
}

function integers(data: Int32Array, ...dims: readonly number[]): OnnxInput {
  return { type: 'int32', dims, data };
}

/** `[B, S, H, D]` as `[B, H, S, D]`, or with S and H exchanged the way back. */
function transposed(
  x: Float32Array,
  [batch, seq, heads, headDim]: readonly [number, number, number, number],
): Float32Array {
  const out = new Float32Array(x.length);
  for (let b = 0; b < batch; b++) {
    for (let s = 0; s < seq; s++) {
      for (let h = 0; h < heads; h++) {
        const from = ((b * seq + s) * heads + h) * headDim;
        out.set(x.subarray(from, from + headDim), ((b * heads + h) * seq + s) * headDim);
      }
    }
  }
  return out;
}

// ---- Attention -------------------------------------------------------------------------------------------------

export type MaskStyle = 'explicit mask' | 'its own causal mask';

/** Output `[B, Sq, Hq, D]`. Rows without keys are the operator's own business: it knows no zeros for them. */
export async function onnxAttention(
  shapes: AttentionShapes,
  options: ReferenceOptions,
  { q, k, v }: Inputs,
  style: MaskStyle = 'explicit mask',
): Promise<Float32Array> {
  const { batch, seqQ, seqK, headsQ, headsKv, headDim } = shapes;
  const keys = (x: Float32Array): OnnxInput =>
    floats(transposed(x, [batch, seqK, headsKv, headDim]), batch, headsKv, seqK, headDim);
  const bias = (): OnnxInput => floats(biasOf(shapes, options), batch, headsQ, seqQ, seqK);
  const out = await runNode({
    operator: 'Attention',
    domain: '',
    inputs: [
      floats(transposed(q, [batch, seqQ, headsQ, headDim]), batch, headsQ, seqQ, headDim),
      keys(k),
      keys(v),
      style === 'explicit mask' ? bias() : null,
    ],
    outputs: ['float32'],
    ints: { is_causal: style === 'its own causal mask' ? 1 : 0 },
    floats: {
      ...(options.softcap && { softcap: options.softcap }),
      ...(options.softmaxScale !== undefined && { scale: options.softmaxScale }),
    },
  });
  return transposed(out, [batch, headsQ, seqQ, headDim]);
}

/** `[B, Hq, Sq, Sk]`: ALiBi where a key is visible, -inf where it is not; straight from flash_attn's documentation. */
function biasOf({ batch, seqQ, seqK, headsQ }: AttentionShapes, options: ReferenceOptions): Float32Array {
  const { causal = false, windowSize = [-1, -1], alibiSlopes = [], seqlensK, leftpadK } = options;
  const [left, right] = windowSize;
  const bias = new Float32Array(batch * headsQ * seqQ * seqK).fill(-Infinity);
  for (let b = 0; b < batch; b++) {
    const first = leftpadK?.[b] ?? 0;
    const end = seqlensK?.[b] ?? seqK;
    for (let h = 0; h < headsQ; h++) {
      const slope = alibiSlopes[alibiSlopes.length > headsQ ? b * headsQ + h : h] ?? 0;
      for (let i = 0; i < seqQ; i++) {
        for (let row = first; row < end; row++) {
          const distance = row - first - (i + (end - first) - seqQ);
          const isHidden =
            (causal && distance > 0) || (left >= 0 && distance < -left) || (right >= 0 && distance > right);
          if (!isHidden) bias[((b * headsQ + h) * seqQ + i) * seqK + row] = -slope * Math.abs(distance);
        }
      }
    }
  }
  return bias;
}

// ---- GroupQueryAttention ---------------------------------------------------------------------------------------

/**
 * Output `[B, Sq, Hq, D]` of a causal call on a plain cache to which Sq keys are appended. The operator takes several
 * queries for one batch entry alone, or one query for several.
 */
export async function onnxGroupQueryAttention(problem: CacheProblem): Promise<Float32Array> {
  const { setup, q, k, v, kCache, vCache, seqlens, rotary } = problem;
  const { shapes, options } = setup;
  const { batch, seqQ, seqK, headsQ, headsKv, headDim } = shapes;
  const fresh = (x: Float32Array): OnnxInput => floats(x, batch, seqQ, headsKv * headDim);
  // Our caches are poisoned where no key is; this operator may multiply them by a weight of zero.
  const past = (x: Float32Array): OnnxInput => {
    const numbers = x.map((value) => (Number.isNaN(value) ? 0 : value));
    return floats(transposed(numbers, [batch, seqK, headsKv, headDim]), batch, headsKv, seqK, headDim);
  };
  const table = (values: Float32Array): OnnxInput => floats(values, rotary!.positions, rotary!.rotaryDim / 2);
  const totals = seqlens.map((length) => length + seqQ);
  const { windowSize = [-1, -1], softcap, softmaxScale, sinks } = options;
  const out = await runNode({
    operator: 'GroupQueryAttention',
    domain: 'com.microsoft',
    inputs: [
      floats(q, batch, seqQ, headsQ * headDim),
      fresh(k!),
      fresh(v!),
      past(kCache),
      past(vCache),
      integers(
        totals.map((total) => total - 1),
        batch,
      ),
      integers(Int32Array.of(Math.max(...totals)), 1),
      rotary ? table(rotary.cos) : null,
      rotary ? table(rotary.sin) : null,
      null,
      null,
      sinks ? floats(Float32Array.from(sinks), headsQ) : null,
    ],
    outputs: ['float32', 'float32', 'float32'],
    ints: {
      num_heads: headsQ,
      kv_num_heads: headsKv,
      // It counts the query's own position into the window; -1 is none.
      local_window_size: windowSize[0] < 0 ? -1 : windowSize[0] + 1,
      do_rotary: rotary ? 1 : 0,
      rotary_interleaved: rotary?.interleaved ? 1 : 0,
    },
    floats: { ...(softcap && { softcap }), ...(softmaxScale !== undefined && { scale: softmaxScale }) },
  });
  return out;
}
