/** attentionReference against masks drawn by hand, closed forms, and an attention written another way. */
import { describe, expect, it } from 'vitest';
import { attentionReference, type AttentionShapes, type ReferenceOptions } from '$gpu/attention/reference';
import { attentionBase } from '../../support/attention/base';
import { ALIBI, DTYPES, extraOptions, HEAD_COUNTS, HEADS, maskOptions, MASKS } from '../../support/attention/grid';
import { normals, randomInputs, seedOf, type Problem } from '../../support/attention/problem';
import { worstOf } from '../../support/attention/rule';
import { coveringArray } from '../../support/covering';

const ONE_HEAD = { batch: 1, headsQ: 1, headsKv: 1, headDim: 1 };

/**
 * Which keys each query sees, as rows of 1 and 0: all scores are equal, and key j's value is 2^j, so the output is the
 * mean of the powers of two that are visible.
 */
function visibility(seqQ: number, seqK: number, options: ReferenceOptions, capacity = seqK): string[] {
  const q = new Float64Array(seqQ);
  const k = new Float64Array(capacity);
  const v = Float64Array.from({ length: capacity }, (_, row) => 2 ** (row - (options.leftpadK?.[0] ?? 0)));
  const { out, lse } = attentionReference(q, k, v, { ...ONE_HEAD, seqQ, seqK: capacity }, options);
  return Array.from(out, (mean, i) => {
    const visible = Math.round(mean * Math.round(Math.exp(lse[i]!)));
    return Array.from({ length: seqK }, (_, j) => (visible >> j) & 1).join(' ');
  });
}

describe('masks hang on the bottom right corner', () => {
  it('causal, more keys than queries', () => {
    expect(visibility(2, 5, { causal: true })).toEqual(['1 1 1 1 0', '1 1 1 1 1']);
  });

  it('causal, more queries than keys: the first rows see nothing', () => {
    expect(visibility(5, 2, { causal: true })).toEqual(['0 0', '0 0', '0 0', '1 0', '1 1']);
  });

  it('window to both sides', () => {
    expect(visibility(3, 5, { windowSize: [1, 1] })).toEqual(['0 1 1 1 0', '0 0 1 1 1', '0 0 0 1 1']);
  });

  it('window [0, 0] is the diagonal', () => {
    expect(visibility(2, 4, { windowSize: [0, 0] })).toEqual(['0 0 1 0', '0 0 0 1']);
  });

  it('-1 leaves a side open', () => {
    expect(visibility(2, 4, { windowSize: [1, -1] })).toEqual(['0 1 1 1', '0 0 1 1']);
    expect(visibility(2, 4, { windowSize: [-1, 0] })).toEqual(['1 1 1 0', '1 1 1 1']);
    expect(visibility(2, 4, { windowSize: [-1, -1] })).toEqual(['1 1 1 1', '1 1 1 1']);
  });

  it('causal closes the right side of a window', () => {
    expect(visibility(2, 4, { causal: true, windowSize: [1, 3] })).toEqual(['0 1 1 0', '0 0 1 1']);
  });

  it('keys end at seqlensK and begin at leftpadK, and the corner moves with them', () => {
    expect(visibility(2, 4, { causal: true, seqlensK: [4] }, 7)).toEqual(['1 1 1 0', '1 1 1 1']);
    expect(visibility(2, 3, { causal: true, seqlensK: [5], leftpadK: [2] }, 7)).toEqual(['1 1 0', '1 1 1']);
    expect(visibility(3, 2, { causal: true, seqlensK: [2] }, 6)).toEqual(['0 0', '1 0', '1 1']);
  });
});

describe('closed forms', () => {
  const shapes = { ...ONE_HEAD, seqQ: 1, seqK: 2 };

  it('softmax of two scores, with the default scale 1/sqrt(D)', () => {
    const wide = { ...shapes, headDim: 4 };
    const { out, lse } = attentionReference([3, 0, 0, 0], [1, 0, 0, 0, 2, 0, 0, 0], [1, 1, 1, 1, 5, 5, 5, 5], wide);
    const [first, second] = [Math.exp(1.5), Math.exp(3)];
    expect(out[0]).toBeCloseTo((first + 5 * second) / (first + second), 12);
    expect(lse[0]).toBeCloseTo(Math.log(first + second), 12);
  });

  it('softcap bends the score before ALiBi and mask', () => {
    const { lse } = attentionReference([1], [3, 4], [1, 1], shapes, { softcap: 2, alibiSlopes: [0.5] });
    const scores = [2 * Math.tanh(3 / 2) - 0.5, 2 * Math.tanh(4 / 2)];
    expect(lse[0]).toBeCloseTo(Math.log(Math.exp(scores[0]!) + Math.exp(scores[1]!)), 12);
  });

  it('ALiBi measures the distance to the diagonal, to both sides', () => {
    const three = { ...ONE_HEAD, seqQ: 2, seqK: 3 };
    const { lse } = attentionReference([0, 0], [0, 0, 0], [1, 1, 1], three, { alibiSlopes: [1] });
    expect(lse[0]).toBeCloseTo(Math.log(Math.exp(-1) + 1 + Math.exp(-1)), 12);
    expect(lse[1]).toBeCloseTo(Math.log(Math.exp(-2) + Math.exp(-1) + 1), 12);
  });

  it('ALiBi slopes of each batch entry and head', () => {
    const two = { ...ONE_HEAD, batch: 2, headsQ: 2, headsKv: 2, seqQ: 1, seqK: 2 };
    const slopes = [1, 2, 3, 4];
    const { lse } = attentionReference([0, 0, 0, 0], new Array<number>(8).fill(0), new Array<number>(8).fill(1), two, {
      alibiSlopes: slopes,
    });
    slopes.forEach((slope, row) => expect(lse[row]).toBeCloseTo(Math.log(1 + Math.exp(-slope)), 12));
  });

  it('a sink takes its share and gives nothing', () => {
    const { out, lse } = attentionReference([1], [0, 0], [1, 3], shapes, { sinks: [Math.log(2)] });
    expect(out[0]).toBeCloseTo((1 + 3) / (1 + 1 + 2), 12);
    expect(lse[0]).toBeCloseTo(Math.log(4), 12);
  });

  it('query heads share key heads in runs', () => {
    const grouped = { batch: 1, seqQ: 1, seqK: 1, headsQ: 6, headsKv: 2, headDim: 1 };
    const { out } = attentionReference([0, 0, 0, 0, 0, 0], [0, 0], [7, 9], grouped);
    expect(Array.from(out)).toEqual([7, 7, 7, 9, 9, 9]);
  });
});

describe('rows that see nothing', () => {
  const shapes = { ...ONE_HEAD, seqQ: 3, seqK: 2 };

  it('give zeros and an LSE of -inf, never NaN', () => {
    const { out, lse } = attentionReference([1, 1, 1], [1, 1], [1, 1], shapes, { causal: true });
    expect([out[0], lse[0]]).toEqual([0, -Infinity]);
    expect(out[1]).toBe(1);
  });

  it('give zeros and the sink, where there is one', () => {
    const { out, lse } = attentionReference([1, 1, 1], [1, 1], [1, 1], shapes, { causal: true, sinks: [0.5] });
    expect([out[0], lse[0]]).toEqual([0, 0.5]);
  });

  it('are all rows where there are no keys', () => {
    const { out, lse } = attentionReference([1, 1, 1], [], [], { ...shapes, seqK: 0 });
    expect(Array.from(out)).toEqual([0, 0, 0]);
    expect(Array.from(lse)).toEqual([-Infinity, -Infinity, -Infinity]);
  });

  it('are also those whose every score is -inf', () => {
    const { out, lse } = attentionReference([1, 1, 1], [-Infinity, -Infinity], [1, 1], shapes);
    expect([out[2], lse[2]]).toEqual([0, -Infinity]);
  });

  it('do not look at keys outside the lengths, whatever lies there', () => {
    const options = { seqlensK: [3], leftpadK: [1] };
    const k = [NaN, 1, 1, NaN];
    const { out } = attentionReference([1], k, [NaN, 2, 4, NaN], { ...shapes, seqQ: 1, seqK: 4 }, options);
    expect(out[0]).toBe(3);
  });
});

describe('the reference and the unfused base are the same maths', () => {
  const rows = coveringArray({
    headDim: [8, 33, 64],
    lengths: [
      [1, 37],
      [29, 53],
      [53, 29],
    ],
    heads: HEADS,
    mask: MASKS,
    alibi: ALIBI,
    softcap: [0, 50],
    sinks: [false, true],
    ragged: [false, true],
    dtype: DTYPES,
  } as const);

  /** What rounding weights and outputs of the order of 1 to each type may cost. */
  const tolerance = { f32: 3e-5, f16: 3e-3, bf16: 2e-2 };

  it.each(rows)('D $headDim, $lengths, $heads, $mask, $alibi, softcap $softcap, $dtype', (row) => {
    const seed = seedOf(JSON.stringify(row));
    const [headsQ, headsKv] = HEAD_COUNTS[row.heads];
    const [seqQ, seqK] = row.lengths;
    const problem: Problem = {
      shapes: { batch: 2, seqQ, seqK, headsQ, headsKv, headDim: row.headDim },
      dtype: row.dtype,
      options: {
        ...maskOptions(row.mask, seqK, seed),
        ...extraOptions(row, 2, headsQ, seed),
        ...(row.ragged && { seqlensK: [seqK - 3, seqK], leftpadK: [2, 5] }),
      },
    };
    const inputs = randomInputs(problem, seed);
    const { out } = attentionReference(inputs.q, inputs.k, inputs.v, problem.shapes, problem.options);
    expect(worstOf(attentionBase(problem, inputs, 'f32 scores'), out).error).toBeLessThan(tolerance[row.dtype]);
  });
});

describe('queryRows', () => {
  it('computes those rows alone, the same as otherwise', () => {
    const shapes = { batch: 2, seqQ: 5, seqK: 7, headsQ: 2, headsKv: 1, headDim: 4 };
    const [q, k, v] = [normals(1, 80), normals(2, 56), normals(3, 56)];
    const whole = attentionReference(q, k, v, shapes, { causal: true });
    const some = attentionReference(q, k, v, shapes, { causal: true, queryRows: [4, 1] });
    const isComputed = (at: number): boolean => [1, 4].includes(Math.floor(at / 8) % 5);
    expect(Array.from(some.out)).toEqual(Array.from(whole.out, (x, at) => (isComputed(at) ? x : NaN)));
    expect(Array.from(some.lse)).toEqual(Array.from(whole.lse, (x, at) => ([1, 4].includes(at % 5) ? x : NaN)));
  });
});

describe('wrong arguments are named', () => {
  const shapes: AttentionShapes = { batch: 2, seqQ: 2, seqK: 3, headsQ: 4, headsKv: 2, headDim: 2 };
  const numbers = (count: number): Float32Array => new Float32Array(count);
  const call =
    (changed: Partial<AttentionShapes>, options: ReferenceOptions = {}, lengths: readonly number[] = [32, 24, 24]) =>
    (): unknown =>
      attentionReference(
        numbers(lengths[0]!),
        numbers(lengths[1]!),
        numbers(lengths[2]!),
        { ...shapes, ...changed },
        options,
      );

  it.each<[string, () => unknown]>([
    ['shapes.batch', call({ batch: 0 })],
    ['shapes.seqQ', call({ seqQ: -1 })],
    ['shapes.seqK', call({ seqK: 1.5 })],
    ['shapes.headDim', call({ headDim: NaN })],
    ['shapes.headsKv', call({ headsKv: 3 })],
    ['q', call({}, {}, [31, 24, 24])],
    ['k', call({}, {}, [32, 25, 24])],
    ['v', call({}, {}, [32, 24, 12])],
    ['softmaxScale', call({}, { softmaxScale: Infinity })],
    ['softcap', call({}, { softcap: -1 })],
    ['windowSize', call({}, { windowSize: [-2, 0] })],
    ['windowSize', call({}, { windowSize: [0.5, 0] })],
    ['alibiSlopes', call({}, { alibiSlopes: numbers(5) })],
    ['sinks', call({}, { sinks: numbers(8) })],
    ['seqlensK', call({}, { seqlensK: [3] })],
    ['seqlensK[1]', call({}, { seqlensK: [3, 4] })],
    ['seqlensK[0]', call({}, { seqlensK: [-1, 3] })],
    ['leftpadK[1]', call({}, { seqlensK: [3, 2], leftpadK: [0, 3] })],
    ['queryRows[0]', call({}, { queryRows: [2] })],
  ])('%s', (argument, wrong) => {
    expect(wrong).toThrow(expect.objectContaining({ name: 'ArgumentError', argument }));
  });
});
