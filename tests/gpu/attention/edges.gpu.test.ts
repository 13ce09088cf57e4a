/** Where attention usually breaks: rows that see nothing, lengths of 0, scores and values at the ends of their range. */
import { describe, expect, it } from 'vitest';
import { flashAttention, flashAttentionWithKvCache, standardAttention } from '$gpu/attention';
import type { ReferenceOptions } from '$gpu/attention/reference';
import type { FloatDType } from '$gpu/formats/dtype';
import { attendOnGpu, downloadResult, useGpu, withTensors } from '../../support/attention/device';
import { DTYPES_HERE, MODIFIED_HEAD_DIM, PLAIN_HEAD_DIM } from '../../support/attention/grid';
import { normals, randomInputs, type Inputs, type Problem } from '../../support/attention/problem';
import { rounded } from '../../support/attention/rounding';
import { expectByTheRule, expectClose, judgeOf } from '../../support/attention/rule';

const FUNCTIONS = { flashAttention, standardAttention };

describe.each(['flashAttention', 'standardAttention'] as const)('%s', (name) => {
  const gpu = useGpu();
  const attend = FUNCTIONS[name];

  const problemOf = (
    [seqQ, seqK]: readonly [number, number],
    headDim: number,
    dtype: FloatDType,
    options: ReferenceOptions,
  ): Problem => ({ shapes: { batch: 2, seqQ, seqK, headsQ: 4, headsKv: 2, headDim }, dtype, options });

  describe('rows that see no key are zeros with an LSE of -inf, their neighbours are right', () => {
    const masks: [string, readonly [number, number], ReferenceOptions][] = [
      ['causal, more queries than keys', [70, 9], { causal: true }],
      ['causal, one key', [40, 1], { causal: true }],
      ['a window that leaves the keys behind', [50, 20], { windowSize: [3, 0] }],
      ['a right window that does not reach the keys', [90, 30], { windowSize: [-1, 10] }],
      ['causal with softcap and ALiBi', [33, 17], { causal: true, softcap: 30, alibiSlopes: [0.1, 0.2, 0.3, 0.4] }],
    ];
    // Softcap and ALiBi have kernels of their own, which take long to compile: one dtype says it, masks are shared.
    const dtypesOf = ({ softcap }: ReferenceOptions): readonly FloatDType[] => (softcap ? ['f16'] : DTYPES_HERE);
    it.each(
      masks.flatMap(([what, lengths, options]) =>
        dtypesOf(options).map((dtype) => [what, dtype, lengths, options] as const),
      ),
    )('%s, %s', async (_, dtype, lengths, options) => {
      const headDim = (options.softcap ? MODIFIED_HEAD_DIM : PLAIN_HEAD_DIM)[dtype];
      const problem = problemOf(lengths, headDim, dtype, options);
      const inputs = randomInputs(problem, headDim);
      const judge = judgeOf(problem, inputs);
      const result = await attendOnGpu(gpu(), attend, problem, inputs);
      expect(judge.refLse.filter((x) => x === -Infinity).length).toBeGreaterThan(0);
      expectByTheRule(result, judge);
      judge.ref.forEach((x, at) => {
        if (x === 0 && result.out[at] !== 0) expect.fail(`element ${at} of a row without keys is ${result.out[at]}`);
      });
    });

    it('with a sink their LSE is the sink', async () => {
      const problem = problemOf([20, 5], MODIFIED_HEAD_DIM.f32, 'f32', { causal: true, sinks: [1, -2, 0.5, 3] });
      const inputs = randomInputs(problem, 1);
      expectByTheRule(await attendOnGpu(gpu(), attend, problem, inputs), judgeOf(problem, inputs));
    });
  });

  it('a softcap far above the scores leaves them as they are', async () => {
    const options = { softcap: 1e4, alibiSlopes: [0.1, 0.2, 0.3, 0.4] };
    const problem = problemOf([40, 60], MODIFIED_HEAD_DIM.f32, 'f32', options);
    const inputs = randomInputs({ ...problem, options: {} }, 9);
    expectByTheRule(await attendOnGpu(gpu(), attend, problem, inputs), judgeOf(problem, inputs));
  });

  it.each([
    [0, 5],
    [2, 0],
    [0, 0],
    [40, 0],
  ] as const)('%i queries on %i keys', async (seqQ, seqK) => {
    const headDim = PLAIN_HEAD_DIM.f16;
    const problem = problemOf([seqQ, seqK], headDim, 'f16', {});
    const result = await attendOnGpu(gpu(), attend, problem, randomInputs(problem, 1));
    expect(result.out).toEqual(new Float32Array(2 * seqQ * 4 * headDim));
    expect(result.lse).toEqual(new Float32Array(2 * 4 * seqQ).fill(-Infinity));
  });

  describe.each([
    ['many queries', 70],
    ['one query', 1],
  ] as const)('numbers at the ends of their range, %s', (_, seqQ) => {
    const plainProblem = (dtype: FloatDType, options: ReferenceOptions = {}): Problem => ({
      shapes: { batch: 1, seqQ, seqK: 130, headsQ: 4, headsKv: 1, headDim: PLAIN_HEAD_DIM[dtype] },
      dtype,
      options,
    });

    /** Scores of some +-1e4: softmax is all but one-hot, and exp of a plain score would be inf. */
    it.each(DTYPES_HERE)('scores of 1e4, %s', async (dtype) => {
      const problem = plainProblem(dtype);
      const { q, k, v } = randomInputs(problem, 2);
      const inputs: Inputs = {
        q: rounded(
          q.map((x) => x * 100),
          dtype,
        ),
        k: rounded(
          k.map((x) => x * 32),
          dtype,
        ),
        v,
      };
      const judge = judgeOf(problem, inputs);
      expect(Math.max(...judge.refLse)).toBeGreaterThan(8000);
      // A float32 score of 1e4 is exact to some 1e-3, and so are the weights of keys that are near the first.
      expectByTheRule(await attendOnGpu(gpu(), attend, problem, inputs), {
        ...judge,
        tolerance: judge.tolerance + 1e-2,
      });
    });

    it.each(DTYPES_HERE)('values near the largest that f16 holds, %s', async (dtype) => {
      const problem = plainProblem(dtype);
      const { q, k, v } = randomInputs(problem, 3);
      const inputs = {
        q,
        k,
        v: rounded(
          v.map((x) => Math.sign(x) * 6e4),
          dtype,
        ),
      };
      expectByTheRule(await attendOnGpu(gpu(), attend, problem, inputs), judgeOf(problem, inputs));
    });

    it.each(DTYPES_HERE)('keys so far below the others that they weigh nothing, %s', async (dtype) => {
      const problem = plainProblem(dtype);
      const { q, k, v } = randomInputs(problem, 4);
      const lowest = dtype === 'f16' ? -6e4 : -1e30;
      // Queries are positive, so these keys' scores are about as low as their elements.
      const far = (at: number): boolean => Math.floor(at / problem.shapes.headDim) % 3 === 0;
      const inputs = {
        q: q.map(Math.abs),
        k: rounded(
          k.map((x, at) => (far(at) ? lowest : x)),
          dtype,
        ),
        v,
      };
      expectByTheRule(await attendOnGpu(gpu(), attend, problem, inputs), {
        ...judgeOf(problem, inputs),
        lseTolerance: 1e-4,
      });
    });

    it('all keys that low: still a mean, and no NaN', async () => {
      const problem = plainProblem('f32');
      const { q, v } = randomInputs(problem, 5);
      const inputs = { q: q.map(() => 1), k: v.map(() => -1e20), v };
      const { out } = await attendOnGpu(gpu(), attend, problem, inputs);
      expectClose('out', out, judgeOf(problem, inputs).ref, 1e-5);
    });

    it('equal scores give the mean of the values', async () => {
      const problem = plainProblem('f32', { softmaxScale: 0 });
      const inputs = randomInputs(problem, 6);
      expectByTheRule(await attendOnGpu(gpu(), attend, problem, inputs), judgeOf(problem, inputs));
    });

    it.each([-0.2, 3])('a softmaxScale of %f', async (softmaxScale) => {
      const problem = plainProblem('f32', { softmaxScale });
      const inputs = randomInputs(problem, 7);
      expectByTheRule(await attendOnGpu(gpu(), attend, problem, inputs), judgeOf(problem, inputs));
    });

    it('windows far larger than the sequence see it all', async () => {
      const problem = plainProblem('f32', { windowSize: [2 ** 31 - 1, 2 ** 31 - 1] });
      const inputs = randomInputs(problem, 8);
      expectByTheRule(await attendOnGpu(gpu(), attend, problem, inputs), judgeOf(problem, inputs));
    });
  });
});

describe('a cache without keys', () => {
  const gpu = useGpu();

  it.each([0, 1, 4])('gives zeros and -inf, %i splits', async (numSplits) => {
    await withTensors(gpu(), async (tensors) => {
      const q = tensors.upload(normals(1, 2 * 4 * 64), [2, 1, 4, 64]);
      const cache = (): ReturnType<typeof tensors.poisoned> => tensors.poisoned([2, 600, 2, 64], 'f32');
      const out = tensors.poisoned([2, 1, 4, 64], 'f32');
      const lengths = { cacheSeqlens: tensors.ints(Int32Array.of(0, 0)), numSplits };
      const result = flashAttentionWithKvCache(gpu(), q, cache(), cache(), { ...lengths, out, returnLse: true });
      const { out: values, lse } = await downloadResult(gpu(), result);
      expect(values).toEqual(new Float32Array(512));
      expect(lse).toEqual(new Float32Array(8).fill(-Infinity));
    });
  });
});
