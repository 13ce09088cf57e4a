/** The same call gives the same bits: twice in a row, after other work, and in a plan that is replayed. */
import { describe, expect, it } from 'vitest';
import { flashAttention, flashAttentionVarlen, flashAttentionWithKvCache, standardAttention } from '$gpu/attention';
import type { Tensor } from '$gpu/device';
import { useGpu, withTensors, type Tensors } from '../../support/attention/device';
import { cumulative } from '../../support/attention/layout';
import { DTYPES_HERE } from '../../support/attention/grid';
import { normals } from '../../support/attention/problem';

interface Result {
  readonly out: Tensor;
  readonly lse?: Tensor;
}

const LSE = { returnLse: true } as const;

// bf16 differs in how it is loaded alone.
describe.each(DTYPES_HERE.filter((dtype) => dtype !== 'bf16'))('bit for bit, %s', (dtype) => {
  const gpu = useGpu();

  const normal = (tensors: Tensors, seed: number, shape: readonly number[]): Tensor =>
    tensors.upload(
      normals(
        seed,
        shape.reduce((a, b) => a * b),
        dtype,
      ),
      shape,
      dtype,
    );

  /** Calls on inputs that are uploaded once; each makes a result of its own. */
  const calls: Record<string, (tensors: Tensors) => () => Result> = {
    prefill(tensors) {
      const q = normal(tensors, 1, [1, 150, 4, 64]);
      const [k, v] = [normal(tensors, 2, [1, 170, 2, 64]), normal(tensors, 3, [1, 170, 2, 64])];
      return () => flashAttention(gpu(), q, k, v, { causal: true, softcap: 20, ...LSE });
    },
    'ragged prefill'(tensors) {
      const q = normal(tensors, 4, [2, 33, 3, 59]);
      const [k, v] = [normal(tensors, 5, [2, 65, 1, 59]), normal(tensors, 6, [2, 65, 1, 59])];
      return () => flashAttention(gpu(), q, k, v, LSE);
    },
    'split decode'(tensors) {
      const q = normal(tensors, 7, [1, 1, 8, 64]);
      const [k, v] = [normal(tensors, 8, [1, 2000, 2, 64]), normal(tensors, 9, [1, 2000, 2, 64])];
      return () =>
        flashAttentionWithKvCache(gpu(), q, k, v, { cacheSeqlens: Int32Array.of(1999), numSplits: 5, ...LSE });
    },
    varlen(tensors) {
      const cuSeqlens = cumulative([40, 1, 60]);
      const [q, k, v] = [10, 11, 12].map((seed) => normal(tensors, seed, [101, 2, 32])) as [Tensor, Tensor, Tensor];
      const lengths = { cuSeqlensQ: cuSeqlens, cuSeqlensK: cuSeqlens, maxSeqlenQ: 60, maxSeqlenK: 60 };
      return () => flashAttentionVarlen(gpu(), q, k, v, { causal: true, ...lengths, ...LSE });
    },
    standard(tensors) {
      const [q, k, v] = [13, 14, 15].map((seed) => normal(tensors, seed, [1, 70, 2, 80])) as [Tensor, Tensor, Tensor];
      return () => standardAttention(gpu(), q, k, v, { windowSize: [20, 5], ...LSE });
    },
  };

  async function bytesOf({ out, lse }: Result): Promise<{ out: Uint8Array; lse: Uint8Array }> {
    const bytes = { out: await gpu().downloadBytes(out), lse: await gpu().downloadBytes(lse!) };
    out.destroy();
    lse!.destroy();
    return bytes;
  }

  it.each(Object.keys(calls))('%s: twice in a row, and after all the others', async (name) => {
    await withTensors(gpu(), async (tensors) => {
      const call = calls[name]!(tensors);
      const first = await bytesOf(call());
      expect(await bytesOf(call())).toEqual(first);
      for (const other of Object.values(calls)) await bytesOf(other(tensors)());
      expect(await bytesOf(call())).toEqual(first);
    });
  });

  it('without a download in between', async () => {
    await withTensors(gpu(), async (tensors) => {
      const [prefill, decode] = [calls.prefill!(tensors), calls['split decode']!(tensors)];
      const [a, b, c, d] = [prefill(), decode(), prefill(), decode()];
      const [firstPrefill, firstDecode] = [await bytesOf(a), await bytesOf(b)];
      expect(await bytesOf(c)).toEqual(firstPrefill);
      expect(await bytesOf(d)).toEqual(firstDecode);
    });
  });

  it.each(['prefill', 'split decode'])('%s in a plan: every run as the call outside', async (name) => {
    await withTensors(gpu(), async (tensors) => {
      const call = calls[name]!(tensors);
      const outside = await bytesOf(call());
      const plan = gpu().record(call);
      const { out, lse } = plan.result;
      for (let run = 0; run < 3; run++) {
        gpu().fill(out, 0x7fc07fc0);
        gpu().fill(lse!, 0x7fc07fc0);
        plan.run();
        expect(await gpu().downloadBytes(out)).toEqual(outside.out);
        expect(await gpu().downloadBytes(lse!)).toEqual(outside.lse);
      }
      plan.destroy();
      tensors.keep(out);
      tensors.keep(lse!);
    });
  });
});
