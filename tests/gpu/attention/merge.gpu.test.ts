/** mergeAttention: attention over parts of the keys, joined by their LSE, is attention over all of them. */
import { describe, expect, it } from 'vitest';
import { flashAttention, mergeAttention } from '$gpu/attention';
import type { Tensor } from '$gpu/device';
import type { FloatDType } from '$gpu/formats/dtype';
import { random } from '../../support/gpu';
import { poisonArena, useGpu, withTensors, type Tensors } from '../../support/attention/device';
import { DTYPES, PLAIN_HEAD_DIM, rowsHere } from '../../support/attention/grid';
import { mergeReference } from '../../support/attention/merge';
import { normals, randomInputs, seedOf, type Inputs, type Problem } from '../../support/attention/problem';
import { expectByTheRule, expectClose, judgeOf } from '../../support/attention/rule';
import { coveringArray } from '../../support/covering';

interface Part {
  readonly out: Tensor;
  readonly lse: Tensor;
}

const factors = {
  headDim: [32, 59, 128],
  /** Keys at which the whole is cut; an empty part is one that has seen nothing. */
  cuts: [[], [1], [100], [64, 128], [0, 77, 78], [13, 13, 99, 180]],
  seqQ: [2, 70],
  dtype: DTYPES,
} as const;

/** Parts come from kernels that flashAttention's grid has as well: see there. */
const rows = rowsHere(
  coveringArray(
    factors,
    ({ headDim, dtype }) => headDim === undefined || dtype === undefined || headDim === PLAIN_HEAD_DIM[dtype],
  ),
);

/** What storing each part's output in the dtype costs, as a part of the largest output. */
const STORED: Readonly<Record<FloatDType, number>> = { f32: 0, f16: 2 ** -11, bf16: 2 ** -8 };

describe('mergeAttention', () => {
  const gpu = useGpu();

  async function downloadMerged(
    tensors: Tensors,
    parts: readonly Part[],
  ): Promise<{ out: Float32Array; lse: Float32Array }> {
    const { out, lse } = mergeAttention(gpu(), parts);
    const values = { out: await gpu().download(out), lse: await gpu().download(lse) };
    tensors.keep(out);
    tensors.keep(lse);
    return values;
  }

  it.each(rows)('any split gives the whole: D $headDim, $seqQ queries, cut at $cuts, $dtype', async (row) => {
    const seed = seedOf(JSON.stringify(row));
    const shapes = { batch: 2, seqQ: row.seqQ, seqK: 203, headsQ: 4, headsKv: 2, headDim: row.headDim };
    const problem: Problem = { shapes, dtype: row.dtype, options: {} };
    const inputs = randomInputs(problem, seed);
    const judge = judgeOf(problem, inputs);
    await withTensors(gpu(), async (tensors) => {
      const ends = [0, ...row.cuts, shapes.seqK];
      const parts = ends.slice(1).map((to, n) => partOf(tensors, problem, inputs, ends[n]!, to));
      const largest = judge.ref.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
      // Parts may be larger than their mean, by twice or so.
      const tolerance = judge.tolerance + 2 * STORED[row.dtype] * largest;
      expectByTheRule(await downloadMerged(tensors, parts), { ...judge, tolerance });
    });
  });

  /** Attention over keys `from` to `to` of the problem, by the kernels. */
  function partOf(tensors: Tensors, { shapes, dtype }: Problem, { q, k, v }: Inputs, from: number, to: number): Part {
    const { batch, seqQ, seqK, headsQ, headsKv, headDim } = shapes;
    const row = headsKv * headDim;
    const cut = (x: Float32Array): Tensor => {
      const entries = Array.from({ length: batch }, (_, b) => x.slice((b * seqK + from) * row, (b * seqK + to) * row));
      const values = Float32Array.from(entries.flatMap((entry) => Array.from(entry)));
      return tensors.upload(values, [batch, to - from, headsKv, headDim], dtype);
    };
    const query = tensors.upload(q, [batch, seqQ, headsQ, headDim], dtype);
    const { out, lse } = flashAttention(gpu(), query, cut(k), cut(v), { returnLse: true });
    return { out: tensors.keep(out), lse: tensors.keep(lse!) };
  }

  const shapes = { batch: 2, seqQ: 7, headsQ: 3, headDim: 20 };
  const outShape = [2, 7, 3, 20];
  const lseShape = [2, 3, 7];

  /** A part made of random numbers; `spread` is how far apart LSEs are. */
  function randomPart(
    tensors: Tensors,
    seed: number,
    spread: number,
  ): Part & { host: { out: Float32Array; lse: Float32Array } } {
    const host = { out: normals(seed, 840), lse: normals(seed + 1, 42, 'f32', spread) };
    return { host, out: tensors.upload(host.out, outShape), lse: tensors.upload(host.lse, lseShape) };
  }

  it.each([
    [2, 1],
    [3, 30],
    [9, 300],
  ])('%i parts whose LSEs are some %i apart', async (count, spread) => {
    await withTensors(gpu(), async (tensors) => {
      const parts = Array.from({ length: count }, (_, n) => randomPart(tensors, 10 * n + count, spread));
      poisonArena(gpu(), outShape, 'f32');
      const merged = await downloadMerged(tensors, parts);
      const expected = mergeReference(
        parts.map((part) => part.host),
        shapes,
      );
      // Weights are exponentials of differences, whose error is a step of float32 at the size of the LSEs.
      expectClose('out', merged.out, expected.out, 1e-5 + spread * 2 ** -20);
      expectClose('lse', merged.lse, expected.lse, 1e-5 + spread * 2 ** -20);
    });
  });

  it('is associative, and does not mind the order', async () => {
    await withTensors(gpu(), async (tensors) => {
      const [a, b, c] = [randomPart(tensors, 1, 3), randomPart(tensors, 2, 3), randomPart(tensors, 3, 3)];
      const merge = (...parts: Part[]): Part => {
        const { out, lse } = mergeAttention(gpu(), parts);
        return { out: tensors.keep(out), lse: tensors.keep(lse) };
      };
      const ways = [merge(a, b, c), merge(merge(a, b), c), merge(a, merge(b, c)), merge(c, a, b)];
      const [first, ...others] = await Promise.all(
        ways.map(async ({ out, lse }) => ({ out: await gpu().download(out), lse: await gpu().download(lse) })),
      );
      for (const other of others) {
        expectClose('out', other.out, first!.out, 1e-5);
        expectClose('lse', other.lse, first!.lse, 1e-5);
      }
    });
  });

  it('gives one part back bit for bit', async () => {
    await withTensors(gpu(), async (tensors) => {
      const part = randomPart(tensors, 5, 4);
      const merged = await downloadMerged(tensors, [part]);
      expect(merged.out).toEqual(part.host.out);
      expect(merged.lse).toEqual(part.host.lse);
    });
  });

  it('gives parts that have seen no key no weight, even where their out is NaN', async () => {
    await withTensors(gpu(), async (tensors) => {
      const seen = randomPart(tensors, 6, 2);
      const next = random(7);
      const lse = Float32Array.from({ length: 42 }, () => (next() < 0.5 ? -Infinity : 0));
      const out = Float32Array.from({ length: 840 }, (_, at) => (lse[lseIndex(at)] === 0 ? 1 : NaN));
      const half = { out: tensors.upload(out, outShape), lse: tensors.upload(lse, lseShape) };
      const merged = await downloadMerged(tensors, [half, seen]);
      const expected = mergeReference([{ out, lse }, seen.host], shapes);
      expectClose('out', merged.out, expected.out, 1e-5);
      expectClose('lse', merged.lse, expected.lse, 1e-5);
    });
  });

  it('gives zeros and -inf where no part has seen a key', async () => {
    await withTensors(gpu(), async (tensors) => {
      const lse = new Float32Array(42).fill(-Infinity);
      const nothing = (): Part => ({ out: tensors.poisoned(outShape, 'f32'), lse: tensors.upload(lse, lseShape) });
      const merged = await downloadMerged(tensors, [nothing(), nothing()]);
      expect(merged.out).toEqual(new Float32Array(840));
      expect(merged.lse).toEqual(lse);
    });
  });

  /** The LSE that belongs to element `at` of an out `[2, 7, 3, 20]`. */
  function lseIndex(at: number): number {
    const [h, i, b] = [Math.floor(at / 20) % 3, Math.floor(at / 60) % 7, Math.floor(at / 420)];
    return (b * 3 + h) * 7 + i;
  }
});
