/** Recorded once, replayed with other numbers: what the page does for every token. */
import { describe, expect, it } from 'vitest';
import { flashAttention, flashAttentionWithKvCache } from '$gpu/attention';
import { attentionReference } from '$gpu/attention/reference';
import type { Tensor } from '$gpu/device';
import type { FloatDType } from '$gpu/formats/dtype';
import { useGpu, withTensors } from '../../support/attention/device';
import { DTYPES_HERE, PLAIN_HEAD_DIM } from '../../support/attention/grid';
import { normals, randomInputs, type Problem } from '../../support/attention/problem';
import { randomTables, rotate, type RotaryTables } from '../../support/attention/rotary';
import { expectByTheRule, judgeOf, type Judge } from '../../support/attention/rule';

/** The cache as it should be, on the host: entry 0 starts empty, entry 1 crosses the end of its 256th key. */
class HostCache {
  readonly batch = 2;
  readonly headsQ = 4;
  readonly headsKv = 2;
  readonly headDim = 64;
  readonly capacity = 700;
  readonly lengths = Int32Array.of(0, 254);
  readonly tables: RotaryTables;
  readonly k: Float32Array;
  readonly v: Float32Array;
  private readonly row = this.headsKv * this.headDim;

  constructor(private readonly dtype: FloatDType) {
    this.tables = randomTables(5, this.capacity, 32, dtype);
    [this.k, this.v] = [1, 2].map((seed) => {
      const cache = new Float32Array(this.batch * this.capacity * this.row);
      cache.set(normals(seed, this.lengths[1]! * this.row, dtype), this.capacity * this.row);
      return cache;
    }) as [Float32Array, Float32Array];
  }

  /** Appends one token to each entry; what attention should then give. */
  append(q: Float32Array, k: Float32Array, v: Float32Array): Judge {
    const { batch, headsQ, headsKv, headDim, capacity, lengths, row, dtype } = this;
    const turn = (x: Float32Array, heads: number): Float32Array =>
      rotate(x, [batch, 1, heads, headDim], this.tables, false, (b) => lengths[b]!, dtype);
    const [turnedQ, turnedK] = [turn(q, headsQ), turn(k, headsKv)];
    for (let b = 0; b < batch; b++) {
      const at = (b * capacity + lengths[b]!) * row;
      this.k.set(turnedK.subarray(b * row, (b + 1) * row), at);
      this.v.set(v.subarray(b * row, (b + 1) * row), at);
    }
    lengths.forEach((length, b) => (lengths[b] = length + 1));
    const shapes = { batch, seqQ: 1, seqK: capacity, headsQ, headsKv, headDim };
    const problem: Problem = { shapes, dtype, options: { causal: true, seqlensK: lengths } };
    return judgeOf(problem, { q: turnedQ, k: this.k, v: this.v }, true);
  }
}

describe.each(DTYPES_HERE)('plans, %s', (dtype) => {
  const gpu = useGpu();
  const headDim = PLAIN_HEAD_DIM[dtype];

  it('flashAttention reads its inputs anew at every run', async () => {
    const shapes = { batch: 1, seqQ: 66, seqK: 90, headsQ: 4, headsKv: 2, headDim };
    const problem: Problem = { shapes, dtype, options: { causal: true } };
    await withTensors(gpu(), async (tensors) => {
      const [q, out] = [0, 1].map(() => tensors.poisoned([1, 66, 4, headDim], dtype));
      const [k, v] = [0, 1].map(() => tensors.poisoned([1, 90, 2, headDim], dtype));
      const plan = gpu().record(() => flashAttention(gpu(), q!, k!, v!, { causal: true, returnLse: true, out: out! }));
      for (const seed of [1, 2, 3]) {
        const inputs = randomInputs(problem, seed);
        gpu().write(q!, inputs.q);
        gpu().write(k!, inputs.k);
        gpu().write(v!, inputs.v);
        plan.run();
        const result = { out: await gpu().download(out!), lse: await gpu().download(plan.result.lse!) };
        expectByTheRule(result, judgeOf(problem, inputs), `run ${seed}: `);
      }
      expect(plan.result.out).toBe(out);
      tensors.keep(plan.result.lse!);
      plan.destroy();
    });
  });

  it.each([0, 1, 3])('one plan decodes token after token: only cacheSeqlens changes, %i splits', async (numSplits) => {
    const host = new HostCache(dtype);
    const { batch, headsQ, headsKv, headDim, capacity } = host;
    await withTensors(gpu(), async (tensors) => {
      const upload = (values: Float32Array, ...shape: number[]): Tensor => tensors.upload(values, shape, dtype);
      const poisoned = (...shape: number[]): Tensor => tensors.poisoned(shape, dtype);
      const kCache = upload(host.k, batch, capacity, headsKv, headDim);
      const vCache = upload(host.v, batch, capacity, headsKv, headDim);
      const [q, out] = [poisoned(batch, 1, headsQ, headDim), poisoned(batch, 1, headsQ, headDim)];
      const [k, v] = [poisoned(batch, 1, headsKv, headDim), poisoned(batch, 1, headsKv, headDim)];
      const cacheSeqlens = tensors.ints(host.lengths);
      const rotaryCos = upload(host.tables.cos, capacity, 16);
      const rotarySin = upload(host.tables.sin, capacity, 16);
      const rotary = { rotaryCos, rotarySin, rotaryInterleaved: false };
      const options = { k, v, ...rotary, cacheSeqlens, causal: true, numSplits, returnLse: true, out };
      const plan = gpu().record(() => flashAttentionWithKvCache(gpu(), q, kCache, vCache, options));

      for (let token = 0; token < 5; token++) {
        const [freshQ, freshK, freshV] = [q, k, v].map((tensor, n) => normals(100 * token + n, tensor.size, dtype));
        gpu().write(q, freshQ!);
        gpu().write(k, freshK!);
        gpu().write(v, freshV!);
        gpu().write(cacheSeqlens, host.lengths);
        gpu().fill(out, 0x7fc07fc0);
        plan.run();
        const judge = host.append(freshQ!, freshK!, freshV!);
        const result = { out: await gpu().download(out), lse: await gpu().download(plan.result.lse!) };
        expectByTheRule(result, judge, `token ${token}: `);
      }
      tensors.keep(plan.result.lse!);
      plan.destroy();
    });
  });

  it('a plan takes no memory when it runs', async () => {
    await withTensors(gpu(), async (tensors) => {
      const [q, k, v, out] = [1, 2, 3, 4].map((seed) =>
        tensors.upload(normals(seed, 40 * 2 * headDim, dtype), [1, 40, 2, headDim], dtype),
      );
      const plan = gpu().record(() => flashAttention(gpu(), q!, k!, v!, { out: out! }));
      plan.run();
      await gpu().idle();
      const before = gpu().memory();
      plan.run(10);
      await gpu().idle();
      expect(gpu().memory()).toEqual(before);
      plan.destroy();
    });
  });
});

describe('runs in a row', () => {
  const gpu = useGpu();

  it('plan.run(n) appends at the same place n times: lengths on the GPU move only when written', async () => {
    const shapes = { batch: 1, seqQ: 1, seqK: 64, headsQ: 2, headsKv: 2, headDim: 32 };
    await withTensors(gpu(), async (tensors) => {
      const upload = (seed: number, rows: number): ReturnType<typeof tensors.upload> =>
        tensors.upload(normals(seed, rows * 64), [1, rows, 2, 32]);
      const [q, kCache, vCache, k, v] = [upload(1, 1), upload(2, 64), upload(3, 64), upload(4, 1), upload(5, 1)];
      const out = tensors.poisoned([1, 1, 2, 32], 'f32');
      const cacheSeqlens = tensors.ints(Int32Array.of(9));
      const plan = gpu().record(() => flashAttentionWithKvCache(gpu(), q, kCache, vCache, { k, v, cacheSeqlens, out }));
      plan.run(3);
      const hostK = normals(2, 64 * 64);
      const hostV = normals(3, 64 * 64);
      hostK.set(normals(4, 64), 9 * 64);
      hostV.set(normals(5, 64), 9 * 64);
      expect(await gpu().download(kCache)).toEqual(hostK);
      expect(await gpu().download(vCache)).toEqual(hostV);
      const { out: expected } = attentionReference(normals(1, 64), hostK, hostV, shapes, { seqlensK: [10] });
      (await gpu().download(out)).forEach((x, at) => expect(Math.abs(x - expected[at]!)).toBeLessThan(1e-5));
      plan.destroy();
    });
  });
});
