/** Few queries on many keys: the schedule that splits the keys over workgroups, and what it must not depend on. */
import { describe, expect, it } from 'vitest';
import { flashAttention, flashAttentionWithKvCache } from '$gpu/attention';
import { cachedCall } from '$gpu/attention/cached';
import { chosenKernel, decodeClassOf, decoders, stateOf } from '$gpu/attention/choice';
import { shuffles } from '$gpu/attention/decode';
import { attendOnGpu, deviceOptions, downloadResult, useGpu, withTensors } from '../../support/attention/device';
import {
  ALIBI,
  DTYPES,
  DTYPES_HERE,
  extraOptions,
  rowsOf,
  hasItsKernel,
  maskOptions,
} from '../../support/attention/grid';
import { randomInputs, seedOf, type Problem } from '../../support/attention/problem';
import { expectByTheRule, judgeOf } from '../../support/attention/rule';

/** Queries times heads of a group make the rows of a tile: 1, 2, 3, ... up to beyond what one workgroup takes. */
const factors = {
  headDim: [32, 59, 256],
  seqQ: [1, 2, 3, 5, 9],
  seqK: [1, 2, 63, 64, 65, 255, 256, 257, 1500],
  heads: [
    [1, 1],
    [2, 1],
    [3, 1],
    [8, 1],
    [9, 1],
    [6, 3],
    [16, 2],
  ],
  mask: ['no mask', 'causal', 'left window', 'causal window'],
  alibi: ALIBI,
  softcap: [0, 50],
  sinks: [false, true],
  numSplits: [0, 1, 2, 5, 40],
  dtype: DTYPES,
} as const;

/** A kernel for each number of rows is enough to compile: D has a storage type for one query and one for more. */
const rows = rowsOf({ factors, isWorthIt: (row) => hasItsKernel(row, row.seqQ && row.seqQ > 1) });

describe('decode', () => {
  const gpu = useGpu();

  it.each(rows)(
    'D $headDim, $seqQ queries on $seqK keys, heads $heads, $mask, $alibi, softcap $softcap, sinks $sinks, $numSplits splits, $dtype',
    async (row) => {
      const seed = seedOf(JSON.stringify(row));
      const [headsQ, headsKv] = row.heads;
      const { seqQ, seqK, headDim, dtype } = row;
      const shapes = { batch: 2, seqQ, seqK, headsQ, headsKv, headDim };
      const options = { ...maskOptions(row.mask, seqK, seed), ...extraOptions(row, 2, headsQ, seed) };
      const problem: Problem = { shapes, dtype, options };
      const inputs = randomInputs(problem, seed);
      await withTensors(gpu(), async (tensors) => {
        const q = tensors.upload(inputs.q, [2, seqQ, headsQ, headDim], dtype);
        const k = tensors.upload(inputs.k, [2, seqK, headsKv, headDim], dtype);
        const v = tensors.upload(inputs.v, [2, seqK, headsKv, headDim], dtype);
        const out = tensors.poisoned([2, seqQ, headsQ, headDim], dtype);
        const call = { ...deviceOptions(tensors, options, headsQ), numSplits: row.numSplits, out };
        const result = flashAttentionWithKvCache(gpu(), q, k, v, call);
        expectByTheRule(await downloadResult(gpu(), result), judgeOf(problem, inputs));
      });
    },
  );

  it.each(DTYPES_HERE)('16 queries on 20000 keys, %s', async (dtype) => {
    const shapes = { batch: 1, seqQ: 16, seqK: 20000, headsQ: 2, headsKv: 1, headDim: 32 };
    const problem: Problem = { shapes, dtype, options: { causal: true } };
    const inputs = randomInputs(problem, 20000);
    expectByTheRule(await attendOnGpu(gpu(), flashAttention, problem, inputs), judgeOf(problem, inputs));
  });

  it('leaves to the other schedule what would take more workgroups than a grid has', async () => {
    await withTensors(gpu(), async (tensors) => {
      const tensor = tensors.poisoned([1, 8, 1, 32], 'f32');
      const lengths = { tensor, slopesBatch: 0 };
      const call = cachedCall(gpu(), { q: tensor, keys: tensor, values: tensor, out: tensor, lengths });
      const kindOf = (tiles: number): string =>
        chosenKernel(gpu(), { ...call, dims: { ...call.dims, seqQ: 8 * tiles }, splits: 2 }).kind;
      const most = gpu().limits.maxComputeWorkgroupsPerDimension;
      expect([kindOf(most), kindOf(most + 1)]).toEqual(['decode', 'prefill']);
    });
  });

  it('takes the kernel that was measured to be faster, and the other where that is wrong or unfit', async (context) => {
    const traits = { headDim: 64, q: 'f32', kv: 'f32', out: 'f32', ragged: false, sequences: false } as const;
    const all = { ...traits, paged: false, scoreMods: false };
    if (!shuffles(gpu(), all)) context.skip('no subgroups of at least 4 lanes here');
    const { shuffledDecoders } = stateOf(gpu());
    const order = (): boolean[] => decoders(gpu(), all, 4).map(({ shuffled }) => shuffled === true);
    expect(order(), 'nothing measured').toEqual([false]);
    shuffledDecoders.set(decodeClassOf(all, 4), true);
    expect(order()).toEqual([true, false]);
    shuffledDecoders.set(decodeClassOf(all, 4), false);
    expect(order()).toEqual([false, true]);
    expect(decoders(gpu(), { ...all, headDim: 16 }, 4), 'a row of 4 vec4s').toHaveLength(1);
    shuffledDecoders.clear();
  });
});
