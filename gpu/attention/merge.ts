/** Joining partial attentions by their log-sum-exp (merge.wesl). */
import { ArgumentError, describe, flatGrid, formatShape } from '../device';
import type { Gpu, PipelineSpec, Tensor } from '../device';
import { castTensor } from './cast';
import type { AttentionResult } from './options';
import { bindOperand, contiguous, isRagged, problemParams, OPEN } from './problem';
import type { Call } from './problem';
import { keptSpec, sources } from './specs';

/** Stacked partial results: out `[count, tokens, Hq, D up to a vec4]` f32, lse `[count, B, Hq, Sq]` f32. */
export interface Parts {
  readonly count: number;
  readonly out: Tensor;
  readonly lse: Tensor;
}

/** Attention over a part of the keys. */
export interface PartialResult {
  readonly out: Tensor;
  readonly lse: Tensor;
}

/** Scratch for `count` partial results of a call. */
export function partsFor(gpu: Gpu, call: Call, count: number): Parts {
  const { headsQ, headDim } = call.dims;
  return {
    count,
    out: gpu.scratch([count, call.tokens, headsQ, paddedDim(headDim)], 'f32'),
    lse: gpu.scratch([count, call.tokens * headsQ], 'f32'),
  };
}

/** Writes the call's out and lse from its parts. */
export function mergeParts(gpu: Gpu, call: Call, parts: Parts): void {
  const out = bindOperand(call.out);
  const vectors = Math.ceil(call.dims.headDim / 4);
  gpu.dispatch({
    pipeline: gpu.pipeline(mergeSpec(call)),
    bindings: [null, parts.out, parts.lse, null, out.binding, call.lse],
    params: problemParams(call, { out: out.offset }, { splits: parts.count }),
    workgroups: flatGrid(gpu, call.tokens * call.dims.headsQ * vectors),
  });
}

function mergeSpec({ dims, out }: Call): PipelineSpec {
  const { dtype } = out.tensor;
  const ragged = isRagged(dims.headDim, out);
  return keptSpec(`merge ${dims.headDim} ${dtype} ${ragged}`, () => ({
    label: 'attention/merge',
    module: 'attention/merge',
    sources,
    conditions: { OUT_F32: dtype === 'f32', OUT_F16: dtype === 'f16', OUT_BF16: dtype === 'bf16', RAGGED: ragged },
    constants: { HEAD_DIM: dims.headDim },
    bindings: ['uniform', 'read', 'read', 'none', 'write', 'write'],
  }));
}

/**
 * Attention over the union of disjoint sets of keys, from the attention over each: split-KV, or keys held elsewhere.
 * Parts: out `[B, Sq, Hq, D]` of any float dtype, lse `[B, Hq, Sq]` f32. The result is f32, with its lse.
 * Throws ArgumentError on parts that do not fit together.
 */
export function mergeAttention(gpu: Gpu, parts: readonly PartialResult[]): Required<AttentionResult> {
  checkParts(parts);
  const [batch, seqQ, headsQ, headDim] = parts[0]!.out.shape as [number, number, number, number];
  const out = gpu.empty([batch, seqQ, headsQ, headDim], 'f32');
  const lse = gpu.empty([batch, headsQ, seqQ], 'f32');
  if (out.size > 0) gpu.scoped(() => mergeResults(gpu, resultOnly(out, lse), parts));
  return { out, lse };
}

/** Joins results of a call over parts of its keys: out `[B, Sq, Hq, D]`, lse `[B, Hq, Sq]` each. */
export function mergeResults(gpu: Gpu, call: Call, results: readonly PartialResult[]): void {
  const { headDim } = call.dims;
  const stacked = partsFor(gpu, call, results.length);
  const pitch = paddedDim(headDim);
  results.forEach(({ out, lse }, n) => {
    castTensor(gpu, out, stacked.out, { width: headDim, pitch, offset: n * (out.size / headDim) * pitch });
    castTensor(gpu, lse, stacked.lse, { width: lse.size, pitch: lse.size, offset: n * lse.size });
  });
  mergeParts(gpu, call, stacked);
}

/** A call that only says where its result goes. */
function resultOnly(out: Tensor, lse: Tensor): Call {
  const [batch, seqQ, headsQ, headDim] = out.shape as [number, number, number, number];
  const operand = contiguous(out);
  return {
    dims: { batch, seqQ, seqK: 0, headsQ, headsKv: headsQ, headDim },
    q: operand,
    k: operand,
    v: operand,
    out: operand,
    lse,
    lseBatch: headsQ * seqQ,
    lseHead: seqQ,
    lseOffset: 0,
    tokens: batch * seqQ,
    scoring: { scale: 1, left: OPEN, right: OPEN, softcap: 0 },
    shift: 0,
    splits: 0,
  };
}

function checkParts(parts: readonly PartialResult[]): void {
  const first = parts[0];
  if (!first) throw new ArgumentError('parts', 'none', 'at least one { out, lse }');
  parts.forEach(({ out, lse }, n) => {
    if (out.shape.length !== 4 || formatShape(out.shape) !== formatShape(first.out.shape)) {
      throw new ArgumentError(
        `parts[${n}].out`,
        describe(out),
        `[B, Sq, Hq, D] as in parts[0], ${formatShape(first.out.shape)}`,
      );
    }
    if (!['f32', 'f16', 'bf16'].includes(out.dtype))
      throw new ArgumentError(`parts[${n}].out`, describe(out), 'a float dtype');
    const [batch, seqQ, headsQ] = out.shape;
    const expected = formatShape([batch!, headsQ!, seqQ!]);
    if (lse.dtype !== 'f32' || formatShape(lse.shape) !== expected) {
      throw new ArgumentError(`parts[${n}].lse`, describe(lse), `f32 ${expected}`);
    }
  });
}

function paddedDim(headDim: number): number {
  return Math.ceil(headDim / 4) * 4;
}
