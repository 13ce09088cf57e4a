/** Keys and values larger than one binding, on a device that binds little: the same result, or a typed error. */
import { describe, expect, it } from 'vitest';
import { flashAttention, flashAttentionWithKvCache } from '$gpu/attention';
import { LimitError } from '$gpu/device';
import { attendOnGpu, useGpu, withTensors } from '../../support/attention/device';
import { sampledRows } from '../../support/attention/grid';
import { randomInputs, type Problem } from '../../support/attention/problem';
import { expectByTheRule, judgeOf } from '../../support/attention/rule';

const BINDING = 64 * 1024;

describe(`bindings of at most ${BINDING / 1024} KiB`, () => {
  const gpu = useGpu({ reduce: { limits: { maxStorageBufferBindingSize: BINDING } } });

  /** A storage type for each: a kernel takes seconds to compile, and where it is cut depends on bytes alone. */
  const cases = [
    ['keys of one entry', 'f16', { batch: 1, seqQ: 20, seqK: 1100, headsQ: 2, headsKv: 2, headDim: 64 }],
    ['one query on many keys', 'f32', { batch: 1, seqQ: 1, seqK: 3000, headsQ: 4, headsKv: 1, headDim: 64 }],
    [
      'several entries, each of which fits',
      'f16',
      { batch: 5, seqQ: 30, seqK: 120, headsQ: 2, headsKv: 1, headDim: 64 },
    ],
    [
      'several entries, none of which fits',
      'bf16',
      { batch: 2, seqQ: 9, seqK: 700, headsQ: 3, headsKv: 3, headDim: 64 },
    ],
    ['queries and keys', 'f32', { batch: 1, seqQ: 600, seqK: 500, headsQ: 2, headsKv: 2, headDim: 96 }],
    ['ragged rows', 'bf16', { batch: 1, seqQ: 33, seqK: 900, headsQ: 3, headsKv: 3, headDim: 59 }],
  ] as const;
  const masks = [
    ['no mask', {}],
    ['causal', { causal: true }],
    ['a window', { windowSize: [400, 30] }],
  ] as const;

  it.each(
    cases.flatMap(([what, dtype, shapes]) => masks.map(([mask, options]) => ({ what, shapes, mask, options, dtype }))),
  )('$what, $mask, $dtype', async ({ shapes, options, dtype }) => {
    const queryRows = sampledRows(shapes.seqQ, 1);
    const problem: Problem = { shapes, dtype, options: { ...options, ...(queryRows && { queryRows }) } };
    const inputs = randomInputs(problem, shapes.seqK);
    const judge = judgeOf(problem, inputs);
    // Parts are joined in float32, once more than the rule counts on.
    expectByTheRule(await attendOnGpu(gpu(), flashAttention, problem, inputs), judge);
  });

  it('a cache with lengths that fits no binding is a LimitError', async () => {
    await withTensors(gpu(), (tensors) => {
      const q = tensors.poisoned([1, 1, 2, 64], 'f32');
      const cache = (): ReturnType<typeof tensors.poisoned> => tensors.poisoned([1, 2000, 2, 64], 'f32');
      const lengths = { cacheSeqlens: Int32Array.of(100) };
      expect(() => flashAttentionWithKvCache(gpu(), q, cache(), cache(), lengths)).toThrow(LimitError);
      return Promise.resolve();
    });
  });
});
