/** Packed inputs give what the same inputs give apart: the kernels read them where they lie, with other strides. */
import { describe, expect, it } from 'vitest';
import { flashAttention, flashAttentionKvPacked, flashAttentionQkvPacked } from '$gpu/attention';
import type { FloatDType } from '$gpu/formats/dtype';
import { deviceOptions, useGpu, withTensors } from '../../support/attention/device';
import {
  decodedDtype,
  DTYPES,
  rowsHere,
  extraOptions,
  hasItsModification,
  maskOptions,
  type Alibi,
} from '../../support/attention/grid';
import { pack } from '../../support/attention/layout';
import { randomInputs, seedOf, type Problem } from '../../support/attention/problem';
import { expectByTheRule, expectWithinUlps, judgeOf } from '../../support/attention/rule';
import { coveringArray } from '../../support/covering';

/** Kernels that flashAttention's grid has as well: see there. One query has one storage type for each D. */
function hasKernelOfGrid(row: {
  readonly headDim?: number;
  readonly lengths?: readonly [number, number];
  readonly alibi?: Alibi;
  readonly dtype?: FloatDType;
}): boolean {
  const isDecoded = row.headDim !== undefined && row.lengths?.[0] === 1;
  if (isDecoded && row.dtype !== undefined && row.dtype !== decodedDtype(row.headDim)) return false;
  return hasItsModification({ ...row, softcap: 0, sinks: false });
}

const factors = {
  headDim: [32, 59, 128],
  lengths: [
    [65, 65],
    [1, 1],
    [130, 130],
  ],
  mask: ['no mask', 'causal', 'window'],
  alibi: ['no ALiBi', 'ALiBi [Hq]'],
  dtype: DTYPES,
} as const;

const rows = rowsHere(coveringArray(factors, hasKernelOfGrid));

const crossFactors = {
  headDim: [32, 59, 128],
  lengths: [
    [65, 130],
    [1, 239],
    [33, 17],
  ],
  heads: [
    [3, 3],
    [6, 2],
    [4, 1],
  ],
  mask: ['no mask', 'causal', 'window'],
  dtype: DTYPES,
} as const;

const crossRows = rowsHere(coveringArray(crossFactors, (row) => hasKernelOfGrid({ ...row, alibi: 'no ALiBi' })));

describe('packed tensors', () => {
  const gpu = useGpu();

  it.each(rows)('qkv [B, S, 3, H, D]: D $headDim, $lengths, $mask, $alibi, $dtype', async (row) => {
    const seed = seedOf(JSON.stringify(row));
    const [batch, heads, seq, headDim] = [2, 3, row.lengths[0], row.headDim];
    const options = {
      ...maskOptions(row.mask, seq, seed),
      ...extraOptions({ alibi: row.alibi, softcap: 0, sinks: false }, batch, heads, seed),
    };
    const shapes = { batch, seqQ: seq, seqK: seq, headsQ: heads, headsKv: heads, headDim };
    const problem: Problem = { shapes, dtype: row.dtype, options };
    const inputs = randomInputs(problem, seed);
    await withTensors(gpu(), async (tensors) => {
      const upload = (x: Float32Array) => tensors.upload(x, [batch, seq, heads, headDim], row.dtype);
      const packed = pack([inputs.q, inputs.k, inputs.v], heads * headDim);
      const qkv = tensors.upload(packed, [batch, seq, 3, heads, headDim], row.dtype);
      const call = () => ({
        ...deviceOptions(tensors, options, heads),
        out: tensors.poisoned([batch, seq, heads, headDim], row.dtype),
      });
      const [apart, together] = [
        flashAttention(gpu(), upload(inputs.q), upload(inputs.k), upload(inputs.v), call()),
        flashAttentionQkvPacked(gpu(), qkv, call()),
      ];
      const out = await gpu().download(tensors.keep(together.out));
      expectByTheRule({ out, lse: await gpu().download(tensors.keep(together.lse!)) }, judgeOf(problem, inputs));
      expectWithinUlps(out, await gpu().download(tensors.keep(apart.out)), row.dtype, 1);
      tensors.keep(apart.lse!);
    });
  });

  it.each(crossRows)('kv [B, Sk, 2, Hkv, D]: D $headDim, $lengths, $heads, $mask, $dtype', async (row) => {
    const seed = seedOf(JSON.stringify(row));
    const [headsQ, headsKv] = row.heads;
    const [seqQ, seqK] = row.lengths;
    const options = maskOptions(row.mask, seqK, seed);
    const shapes = { batch: 2, seqQ, seqK, headsQ, headsKv, headDim: row.headDim };
    const problem: Problem = { shapes, dtype: row.dtype, options };
    const inputs = randomInputs(problem, seed);
    await withTensors(gpu(), async (tensors) => {
      const q = tensors.upload(inputs.q, [2, seqQ, headsQ, row.headDim], row.dtype);
      const packed = pack([inputs.k, inputs.v], headsKv * row.headDim);
      const kv = tensors.upload(packed, [2, seqK, 2, headsKv, row.headDim], row.dtype);
      const out = tensors.poisoned([2, seqQ, headsQ, row.headDim], row.dtype);
      const result = flashAttentionKvPacked(gpu(), q, kv, { ...deviceOptions(tensors, options, headsQ), out });
      expect(result.out).toBe(out);
      const lse = await gpu().download(tensors.keep(result.lse!));
      expectByTheRule({ out: await gpu().download(out), lse }, judgeOf(problem, inputs));
    });
  });
});
