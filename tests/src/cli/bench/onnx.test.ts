/** ONNX Runtime as a peer: its graphs, its profile. That it understands our models, the oracle's tests prove. */
import { expect, test } from 'vitest';
import { dimsOf, inputsOf, type Case } from '$lib/engine/bench/attention/cases';
import { chainOf, feedsOf, floatsOf } from '../../../../src/cli/bench/onnx/attention';
import { kernelTimes } from '../../../../src/cli/bench/onnx/profile';
import type { OnnxData, Runtime, RuntimeTensor } from '../../../../src/cli/bench/onnx/runtime';

const decode: Case = { schedule: 'decode', dtype: 'f16', headDim: 64, keys: 5 };

class Tensor implements RuntimeTensor {
  constructor(
    readonly type: string,
    readonly data: OnnxData,
    readonly dims: readonly number[],
  ) {}
}
const runtime = { Tensor } as unknown as Runtime;

test('in a chain each node asks with the answer of the one before, and goes on with its cache', () => {
  const { nodes, outputs } = chainOf(decode, 3);
  expect(nodes.map(({ inputs }) => inputs)).toEqual([
    ['q', 'k', 'v', 'pastK', 'pastV', 'last', 'total'],
    ['o0', 'k', 'v', 'k0', 'v0', 'last', 'total'],
    ['o1', 'k', 'v', 'k1', 'v1', 'last', 'total'],
  ]);
  expect(outputs.map(({ name }) => name)).toEqual(['o2']);
  expect(chainOf({ ...decode, schedule: 'prefill' }, 1).nodes[0]!.inputs).toEqual([
    'q',
    'k',
    'v',
    '',
    '',
    'last',
    'total',
  ]);
});

test('every value of a chain has one shape, so that caches can be appended to in place', () => {
  const { inputs, between = [], outputs } = chainOf(decode, 2);
  const dims = Object.fromEntries([...inputs, ...between, ...outputs].map(({ name, dims }) => [name, dims]));
  expect(dims.k0).toEqual(dims.pastK);
  expect(dims.v1).toEqual([1, 2, 5, 64]);
  expect(dims.o0).toEqual(dims.q);
});

test('in decode the past holds heads first, and the last key comes as the new one', () => {
  const { k } = inputsOf(decode);
  const feeds = feedsOf(runtime, decode) as Record<string, Tensor>;
  const { headsKv, headDim, seqK } = dimsOf(decode);
  const past = floatsOf(feeds.pastK!.data);
  for (let key = 0; key < seqK; key++) {
    for (let head = 0; head < headsKv; head++) {
      const ours = k.slice((key * headsKv + head) * headDim, (key * headsKv + head + 1) * headDim);
      expect(past.slice((head * seqK + key) * headDim, (head * seqK + key + 1) * headDim)).toEqual(ours);
    }
  }
  expect(floatsOf(feeds.k!.data)).toEqual(k.slice(-headsKv * headDim));
  expect(feeds.last!.data).toEqual(Int32Array.of(4));
  expect(feeds.total!.data).toEqual(Int32Array.of(5));
});

test('the profile tells attention from moving the cache, a time a run, the warm-up left out', () => {
  const dispatch = (name: string, dur: number) => ({ cat: 'Api', name: `&GroupQueryAttention&${name}`, ts: 0, dur });
  const run = (dur: number) => [
    ...[1, 2].flatMap(() => [dispatch('CopyKVCache', 500), dispatch('FlashAttention', dur)]),
    { cat: 'Session', name: 'model_run', ts: 0, dur: 99_999 },
  ];
  const times = kernelTimes([...run(9000), ...run(1000), ...run(3000)], { nodes: 2, runs: 3, warm: 1 });
  expect(times).toEqual({ node: [1, 3], programs: { CopyKVCache: 0.5, FlashAttention: 2 } });
});

test('a profile without dispatches, or with some missing, tells nothing', () => {
  const event = { cat: 'Api', name: '&GroupQueryAttention&FlashAttention', ts: 0, dur: 1 };
  expect(kernelTimes([], { nodes: 1, runs: 2, warm: 1 })).toBeUndefined();
  expect(kernelTimes([event, event, event], { nodes: 1, runs: 2, warm: 1 })).toBeUndefined();
});
