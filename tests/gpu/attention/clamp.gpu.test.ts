/**
 * Lengths, indices and tables in tensors have been seen by no host: a kernel clamps them, and neither reads nor writes
 * anything else, whatever they say.
 */
import { describe, expect, it } from 'vitest';
import { flashAttentionVarlen, flashAttentionWithKvCache, type Indices, type KvCacheOptions } from '$gpu/attention';
import type { Tensor } from '$gpu/device';
import type { FloatDType } from '$gpu/formats/dtype';
import { useGpu, withTensors, type Tensors } from '../../support/attention/device';
import { DTYPES_HERE } from '../../support/attention/grid';
import { normals } from '../../support/attention/problem';

const MAX = 2 ** 31 - 1;
const MIN = -(2 ** 31);

// bf16 differs in how it is loaded alone.
describe.each(DTYPES_HERE.filter((dtype) => dtype !== 'bf16'))('%s', (dtype: FloatDType) => {
  const gpu = useGpu();
  const [entries, capacity, heads, headDim, fresh] = [4, 48, 2, 64, 3];
  const cacheShape = [entries, capacity, heads, headDim];
  const row = heads * headDim;

  interface Called {
    readonly out: Float32Array;
    readonly kCache: Float32Array;
    readonly vCache: Float32Array;
  }

  /** One call on a full cache, with new keys; always the same numbers. */
  async function call(
    tensors: Tensors,
    options: KvCacheOptions,
    shape: readonly number[] = cacheShape,
  ): Promise<Called> {
    const normal = (seed: number, dims: readonly number[]): Tensor =>
      tensors.upload(
        normals(
          seed,
          dims.reduce((a, b) => a * b),
          dtype,
        ),
        dims,
        dtype,
      );
    const q = normal(1, [2, 2, 4, headDim]);
    const [kCache, vCache] = [normal(2, shape), normal(3, shape)];
    const [k, v] = [normal(4, [2, fresh, heads, headDim]), normal(5, [2, fresh, heads, headDim])];
    const { out } = flashAttentionWithKvCache(gpu(), q, kCache, vCache, { causal: true, k, v, ...options });
    tensors.keep(out);
    const [o, kc, vc] = await Promise.all([out, kCache, vCache].map((tensor) => gpu().download(tensor)));
    return { out: o!, kCache: kc!, vCache: vc! };
  }

  const ints = (...values: number[]): Int32Array => Int32Array.from(values);

  /** As a tensor the numbers give what the clamped ones give, checked on the host. */
  async function expectClamped(
    wild: (as: (values: Int32Array) => Indices) => KvCacheOptions,
    clamped: KvCacheOptions,
    shape?: readonly number[],
  ): Promise<void> {
    await withTensors(gpu(), async (tensors) => {
      const expected = await call(tensors, clamped, shape);
      const got = await call(
        tensors,
        wild((values) => tensors.ints(values)),
        shape,
      );
      expect(got.out.some(Number.isNaN)).toBe(false);
      expect(got).toEqual(expected);
    });
  }

  it.each([
    ['negative', [-5, -1], [0, 0]],
    ['the least number', [MIN, 7], [0, 7]],
    ['past the cache', [capacity + 1, 1000], [capacity - fresh, capacity - fresh]],
    ['no room for the new keys', [capacity - 1, 20], [capacity - fresh, 20]],
    ['the largest number', [MAX, 0], [capacity - fresh, 0]],
  ])('cacheSeqlens: %s', async (_, wild, clamped) => {
    await expectClamped((as) => ({ cacheSeqlens: as(ints(...wild)) }), { cacheSeqlens: ints(...clamped) });
  });

  it.each([
    ['negative', [-1, 2], [0, 2]],
    ['past the cache', [1, 99], [1, entries - 1]],
    ['the ends of the range', [MIN, MAX], [0, entries - 1]],
  ])('cacheBatchIdx: %s', async (_, wild, clamped) => {
    const cacheSeqlens = ints(20, 11);
    await expectClamped((as) => ({ cacheSeqlens, cacheBatchIdx: as(ints(...wild)) }), {
      cacheSeqlens,
      cacheBatchIdx: ints(...clamped),
    });
  });

  it.each([
    ['negative', [-3, 4], [0, 4]],
    ['past the keys', [100, MAX], [23, 14]],
    ['the least number', [MIN, 0], [0, 0]],
  ])('cacheLeftpad: %s', async (_, wild, clamped) => {
    const cacheSeqlens = ints(20, 11);
    await expectClamped((as) => ({ cacheSeqlens, cacheLeftpad: as(ints(...wild)) }), {
      cacheSeqlens,
      cacheLeftpad: ints(...clamped),
    });
  });

  it('blockTable: pages that are not there', async () => {
    const pages = [6, 16, heads, headDim];
    const options = { cacheSeqlens: ints(40, 29), numSplits: 2 };
    await withTensors(gpu(), async (tensors) => {
      const table = (values: Int32Array): Tensor => tensors.upload(values, [2, 3], 'i32');
      const expected = await call(tensors, { ...options, blockTable: table(ints(4, 0, 2, 5, 3, 0)) }, pages);
      const got = await call(tensors, { ...options, blockTable: table(ints(4, -9, 2, 77, 3, MIN)) }, pages);
      expect(got).toEqual(expected);
    });
  });

  it('wild lengths write only the rows of the new keys', async () => {
    await withTensors(gpu(), async (tensors) => {
      const untouched = await call(tensors, { cacheSeqlens: ints(0, 0), cacheBatchIdx: ints(0, 1) });
      const wild = await call(tensors, {
        cacheSeqlens: tensors.ints(ints(MAX, MIN)),
        cacheBatchIdx: tensors.ints(ints(0, 1)),
      });
      for (const cache of ['kCache', 'vCache'] as const) {
        const changed = new Set<number>();
        wild[cache].forEach((x, at) => {
          if (x !== untouched[cache][at]) changed.add(Math.floor(at / row));
        });
        const ends = [capacity - 3, capacity - 2, capacity - 1];
        // The first call wrote the first rows of both entries; the wild one the last of entry 0 and the first of 1.
        expect([...changed].sort((a, b) => a - b)).toEqual([0, 1, 2, ...ends]);
      }
    });
  });

  it.each([
    ['fall', [0, 30, 10], [0, 25, 5]],
    ['end behind the tensors', [0, 20, 4000], [0, 20, MAX]],
    ['begin below 0', [-50, 10, 40], [MIN, 10, 50]],
    ['are longer than the maximum', [0, 40, 40], [0, 50, 50]],
  ])('cuSeqlens that %s: no NaN out of nowhere, nothing written beside', async (_, cuSeqlensQ, cuSeqlensK) => {
    await withTensors(gpu(), async (tensors) => {
      const upload = (seed: number, tokens: number, h: number): Tensor =>
        tensors.upload(normals(seed, tokens * h * headDim, dtype), [tokens, h, headDim], dtype);
      // out is the middle of a larger tensor: what a kernel wrote beside it would show.
      const guarded = tensors.upload(normals(9, 120 * 4 * headDim, dtype), [120, 4, headDim], dtype);
      const before = await gpu().download(guarded);
      const out = guarded.view([40, 4, headDim], { elementOffset: 40 * 4 * headDim });
      flashAttentionVarlen(gpu(), upload(6, 40, 4), upload(7, 50, heads), upload(8, 50, heads), {
        cuSeqlensQ: tensors.ints(ints(...cuSeqlensQ)),
        cuSeqlensK: tensors.ints(ints(...cuSeqlensK)),
        maxSeqlenQ: 30,
        maxSeqlenK: 30,
        causal: true,
        out,
      });
      const after = await gpu().download(guarded);
      const rows = 40 * 4 * headDim;
      expect(after.subarray(0, rows)).toEqual(before.subarray(0, rows));
      expect(after.subarray(2 * rows)).toEqual(before.subarray(2 * rows));
      expect(after.some(Number.isNaN)).toBe(false);
    });
  });
});
