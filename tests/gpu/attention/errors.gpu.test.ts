/** Every wrong call is an ArgumentError that names the argument, thrown before anything is recorded. */
import { describe, expect, it } from 'vitest';
import {
  flashAttention,
  flashAttentionKvPacked,
  flashAttentionQkvPacked,
  flashAttentionVarlen,
  flashAttentionWithKvCache,
  mergeAttention,
  standardAttention,
  type AttentionOptions,
  type KvCacheOptions,
  type VarlenOptions,
} from '$gpu/attention';
import { ArgumentError, type DType, type Tensor } from '$gpu/device';
import { useGpu } from '../../support/attention/device';

const gpu = useGpu();

const tensor = (shape: readonly number[], dtype: DType = 'f32'): Tensor => gpu().empty(shape, dtype);
const ints = (...values: number[]): Int32Array => Int32Array.from(values);

/** The argument that each wrong call has to name, what is wrong with it, and the call. */
type WrongCalls = readonly (readonly [argument: string, what: string, call: () => unknown])[];

function expectNamed(argument: string, call: () => unknown): void {
  let error: unknown;
  try {
    call();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(ArgumentError);
  const { argument: named, got, expected } = error as ArgumentError;
  // An element of a list is named with its index: cacheSeqlens[1].
  expect(named.replace(/[[.].*$/, '')).toBe(argument);
  expect(got).not.toBe('');
  expect(expected).not.toBe('');
}

const Q = [2, 8, 4, 64];
const KV = [2, 16, 2, 64];

function callsOf(attend: typeof flashAttention | typeof standardAttention): WrongCalls {
  const call =
    (q: readonly number[], k: readonly number[], v: readonly number[], options: () => AttentionOptions = () => ({})) =>
    (): unknown =>
      attend(gpu(), tensor(q), tensor(k), tensor(v), options());
  const withOptions = (options: () => AttentionOptions): (() => unknown) => call(Q, KV, KV, options);
  return [
    ['q', 'three dimensions', call([8, 4, 64], KV, KV)],
    ['q', 'integers', () => attend(gpu(), tensor(Q, 'i32'), tensor(KV), tensor(KV))],
    ['q', 'destroyed', () => attend(gpu(), destroyed(Q), tensor(KV), tensor(KV))],
    ['q', 'D above 256', call([2, 8, 4, 257], [2, 16, 2, 257], [2, 16, 2, 257])],
    ['k', 'another batch', call(Q, [3, 16, 2, 64], [3, 16, 2, 64])],
    ['k', 'another D', call(Q, [2, 16, 2, 32], [2, 16, 2, 32])],
    ['k', 'heads that do not divide', call(Q, [2, 16, 3, 64], [2, 16, 3, 64])],
    ['k', 'more heads than q', call(Q, [2, 16, 8, 64], [2, 16, 8, 64])],
    ['k', 'another dtype', () => attend(gpu(), tensor(Q), tensor(KV, 'f16'), tensor(KV, 'f16'))],
    ['v', 'another length', call(Q, KV, [2, 17, 2, 64])],
    ['v', 'another D', call(Q, KV, [2, 16, 2, 32])],
    ['v', 'another dtype', () => attend(gpu(), tensor(Q, 'f16'), tensor(KV, 'f16'), tensor(KV, 'bf16'))],
    ['out', 'another shape', withOptions(() => ({ out: tensor([2, 8, 4, 32]) }))],
    ['out', 'integers', withOptions(() => ({ out: tensor(Q, 'i32') }))],
    ['out', 'destroyed', withOptions(() => ({ out: destroyed(Q) }))],
    ['out', 'q itself', aliased(attend, (q) => q)],
    ['out', 'a view of q', aliased(attend, (q) => q.view(Q))],
    ['out', 'a view of k', aliased(attend, (_, k) => k.view([2, 8, 4, 64]))],
    ['softmaxScale', 'NaN', withOptions(() => ({ softmaxScale: NaN }))],
    ['softmaxScale', 'beyond f32', withOptions(() => ({ softmaxScale: 1e39 }))],
    ['softcap', 'beyond f32', withOptions(() => ({ softcap: 1e39 }))],
    ['softcap', 'so small that queries would overflow', withOptions(() => ({ softcap: 1e-39 }))],
    ['softcap', 'negative', withOptions(() => ({ softcap: -1 }))],
    ['softcap', 'infinite', withOptions(() => ({ softcap: Infinity }))],
    ['windowSize', 'below -1', withOptions(() => ({ windowSize: [-2, 0] }))],
    ['windowSize', 'half a key', withOptions(() => ({ windowSize: [1, 0.5] }))],
    ['alibiSlopes', 'for other heads', withOptions(() => ({ alibiSlopes: tensor([3]) }))],
    ['alibiSlopes', 'for another batch', withOptions(() => ({ alibiSlopes: tensor([3, 4]) }))],
    ['alibiSlopes', 'not f32', withOptions(() => ({ alibiSlopes: tensor([4], 'f16') }))],
    ['sinks', 'for other heads', withOptions(() => ({ sinks: tensor([2]) }))],
    ['sinks', 'for each batch entry', withOptions(() => ({ sinks: tensor([2, 4]) }))],
  ];
}

function destroyed(shape: readonly number[]): Tensor {
  const gone = tensor(shape);
  gone.destroy();
  return gone;
}

function aliased(attend: typeof flashAttention, out: (q: Tensor, k: Tensor) => Tensor): () => unknown {
  return () => {
    const [q, k, v] = [tensor(Q), tensor(KV), tensor(KV)];
    return attend(gpu(), q, k, v, { out: out(q, k) });
  };
}

describe.each([
  ['flashAttention', flashAttention],
  ['standardAttention', standardAttention],
] as const)('%s', (_, attend) => {
  it.each(callsOf(attend))('%s: %s', (argument, _what, call) => expectNamed(argument, call));
});

describe('packed', () => {
  const packed: WrongCalls = [
    ['qkv', 'four dimensions', () => flashAttentionQkvPacked(gpu(), tensor([8, 3, 4, 64]))],
    ['qkv', 'two in place of three', () => flashAttentionQkvPacked(gpu(), tensor([2, 8, 2, 4, 64]))],
    ['kv', 'three in place of two', () => flashAttentionKvPacked(gpu(), tensor(Q), tensor([2, 16, 3, 2, 64]))],
    ['kv', 'another batch', () => flashAttentionKvPacked(gpu(), tensor(Q), tensor([1, 16, 2, 2, 64]))],
    ['kv', 'another D', () => flashAttentionKvPacked(gpu(), tensor(Q), tensor([2, 16, 2, 2, 32]))],
    ['kv', 'another dtype', () => flashAttentionKvPacked(gpu(), tensor(Q), tensor([2, 16, 2, 2, 64], 'f16'))],
  ];
  it.each(packed)('%s: %s', (argument, _what, call) => expectNamed(argument, call));
});

describe('flashAttentionVarlen', () => {
  const rightLengths = { cuSeqlensQ: ints(0, 3, 10), cuSeqlensK: ints(0, 9, 20), maxSeqlenQ: 7, maxSeqlenK: 11 };
  const call =
    (options: Partial<VarlenOptions>, k: readonly number[] = [20, 2, 64]) =>
    (): unknown =>
      flashAttentionVarlen(gpu(), tensor([10, 4, 64]), tensor(k), tensor(k), { ...rightLengths, ...options });
  const pages = [6, 4, 2, 64];
  const table = ints(0, 1, 2, 3, 4, 5);

  it('takes the right call', () => {
    expect(call({})).not.toThrow();
    expect(call({ blockTable: table }, pages)).not.toThrow();
  });

  const wrong: WrongCalls = [
    ['q', 'a batch dimension', () => flashAttentionVarlen(gpu(), tensor(Q), tensor(KV), tensor(KV), rightLengths)],
    ['k', 'pages without a table', call({}, pages)],
    ['k', 'no pages with a table', call({ blockTable: table })],
    ['cuSeqlensQ', 'does not begin at 0', call({ cuSeqlensQ: ints(1, 3, 10) })],
    ['cuSeqlensQ', 'falls', call({ cuSeqlensQ: ints(0, 6, 5) })],
    ['cuSeqlensQ', 'negative', call({ cuSeqlensQ: ints(0, -1, 10) })],
    ['cuSeqlensQ', 'ends behind the last query', call({ cuSeqlensQ: ints(0, 5, 11) })],
    ['cuSeqlensQ', 'longer than maxSeqlenQ', call({ cuSeqlensQ: ints(0, 8, 10) })],
    ['cuSeqlensK', 'falls', call({ cuSeqlensK: ints(0, 11, 10) })],
    ['cuSeqlensK', 'ends behind the last key', call({ cuSeqlensK: ints(0, 11, 21) })],
    ['cuSeqlensK', 'longer than maxSeqlenK', call({ cuSeqlensK: ints(0, 12, 20) })],
    ['cuSeqlensK', 'of another batch', call({ cuSeqlensK: ints(0, 9, 15, 20) })],
    ['maxSeqlenQ', 'half a row', call({ maxSeqlenQ: 7.5 })],
    ['maxSeqlenK', 'negative', call({ maxSeqlenK: -1 })],
    ['blockTable', 'a page that is not there', call({ blockTable: ints(0, 1, 2, 3, 4, 6) }, pages)],
    ['blockTable', 'a negative page', call({ blockTable: ints(0, 1, -2, 3, 4, 5) }, pages)],
    ['blockTable', 'too few pages for the longest', call({ blockTable: ints(0, 1, 2, 3) }, pages)],
    ['blockTable', 'not a row a sequence', call({ blockTable: ints(0, 1, 2, 3, 4) }, pages)],
    ['alibiSlopes', 'for another batch', call({ alibiSlopes: new Float32Array(12) })],
  ];
  it.each(wrong)('%s: %s', (argument, _what, wrongCall) => expectNamed(argument, wrongCall));
});

describe('flashAttentionWithKvCache', () => {
  const cache = [3, 32, 2, 64];
  const call =
    (options: () => KvCacheOptions, shape: readonly number[] = cache) =>
    (): unknown =>
      flashAttentionWithKvCache(gpu(), tensor(Q), tensor(shape), tensor(shape), options());
  const fresh = (rows = 4): KvCacheOptions => ({ k: tensor([2, rows, 2, 64]), v: tensor([2, rows, 2, 64]) });
  const tables = (positions = 32, pairs = 16, dtype: DType = 'f32'): KvCacheOptions => ({
    rotaryCos: tensor([positions, pairs], dtype),
    rotarySin: tensor([positions, pairs], dtype),
  });
  const pages = [8, 16, 2, 64];

  it('takes the right call', () => {
    expect(
      call(() => ({ ...fresh(), ...tables(), cacheSeqlens: ints(28, 0), cacheBatchIdx: ints(2, 0) })),
    ).not.toThrow();
    expect(call(() => ({ ...fresh(), cacheSeqlens: ints(28, 0), blockTable: ints(7, 1, 0, 3) }), pages)).not.toThrow();
  });

  const wrong: WrongCalls = [
    ['kCache', 'three dimensions', call(() => ({}), [32, 2, 64])],
    ['kCache', 'another D', call(() => ({}), [3, 32, 2, 32])],
    ['kCache', 'fewer entries than q', call(() => ({}), [1, 32, 2, 64])],
    [
      'vCache',
      'another shape',
      () => flashAttentionWithKvCache(gpu(), tensor(Q), tensor(cache), tensor([3, 31, 2, 64])),
    ],
    ['vCache', 'the same memory as kCache', sharedCache],
    ['v', 'k without v', call(() => ({ k: tensor([2, 4, 2, 64]) }))],
    ['k', 'v without k', call(() => ({ v: tensor([2, 4, 2, 64]) }))],
    ['k', 'another batch', call(() => ({ k: tensor([3, 4, 2, 64]), v: tensor([3, 4, 2, 64]) }))],
    ['k', 'other heads', call(() => ({ k: tensor([2, 4, 4, 64]), v: tensor([2, 4, 4, 64]) }))],
    [
      'k',
      'another dtype than the cache',
      call(() => ({ k: tensor([2, 4, 2, 64], 'f16'), v: tensor([2, 4, 2, 64], 'f16') })),
    ],
    ['k', 'more than the cache holds', call(() => fresh(33))],
    ['v', 'another length than k', call(() => ({ k: tensor([2, 4, 2, 64]), v: tensor([2, 5, 2, 64]) }))],
    ['cacheSeqlens', 'past the cache', call(() => ({ cacheSeqlens: ints(32, 33) }))],
    ['cacheSeqlens', 'no room for the new keys', call(() => ({ ...fresh(), cacheSeqlens: ints(28, 29) }))],
    ['cacheSeqlens', 'negative', call(() => ({ cacheSeqlens: ints(-1, 3) }))],
    ['cacheSeqlens', 'of another batch', call(() => ({ cacheSeqlens: ints(1, 2, 3) }))],
    ['cacheSeqlens', 'an f32 tensor', call(() => ({ cacheSeqlens: tensor([2], 'f32') }))],
    ['cacheSeqlens', 'one number, past the cache', call(() => ({ cacheSeqlens: 33 }))],
    ['cacheBatchIdx', 'an entry that is not there', call(() => ({ cacheBatchIdx: ints(0, 3) }))],
    ['cacheBatchIdx', 'negative', call(() => ({ cacheBatchIdx: ints(-1, 2) }))],
    ['cacheLeftpad', 'past the cache', call(() => ({ cacheLeftpad: ints(0, 33) }))],
    ['cacheLeftpad', 'negative', call(() => ({ cacheLeftpad: ints(0, -1) }))],
    ['blockTable', 'a page that is not there', call(() => ({ blockTable: ints(0, 1, 2, 8) }), pages)],
    ['blockTable', 'negative', call(() => ({ blockTable: ints(0, 1, 2, -1) }), pages)],
    ['blockTable', 'a tensor of fewer entries than q', call(() => ({ blockTable: tensor([1, 2], 'i32') }), pages)],
    [
      'cacheSeqlens',
      'past the pages of a sequence',
      call(() => ({ cacheSeqlens: ints(5, 33), blockTable: ints(0, 1, 2, 3) }), pages),
    ],
    ['rotaryCos', 'without new keys', call(() => tables())],
    ['rotarySin', 'cos without sin', call(() => ({ ...fresh(), rotaryCos: tensor([32, 16]) }))],
    ['rotaryCos', 'sin without cos', call(() => ({ ...fresh(), rotarySin: tensor([32, 16]) }))],
    ['rotaryCos', 'more pairs than D has', call(() => ({ ...fresh(), ...tables(32, 33) }))],
    ['rotaryCos', 'fewer positions than the cache', call(() => ({ ...fresh(), ...tables(31) }))],
    ['rotaryCos', 'integers', call(() => ({ ...fresh(), ...tables(32, 16, 'i32') }))],
    ['rotarySin', 'another shape than cos', call(() => ({ ...fresh(), ...tables(), rotarySin: tensor([32, 8]) }))],
    ['numSplits', 'negative', call(() => ({ numSplits: -1 }))],
    ['numSplits', 'half a split', call(() => ({ numSplits: 1.5 }))],
    ['out', 'another shape', call(() => ({ out: tensor([2, 8, 4, 32]) }))],
    ['out', 'the cache', () => outIsCache()],
  ];
  it.each(wrong)('%s: %s', (argument, _what, wrongCall) => expectNamed(argument, wrongCall));

  function sharedCache(): unknown {
    const both = tensor(cache);
    return flashAttentionWithKvCache(gpu(), tensor(Q), both, both.view(cache));
  }

  function outIsCache(): unknown {
    const [k, v] = [tensor(cache), tensor(cache)];
    return flashAttentionWithKvCache(gpu(), tensor(Q), k, v, { out: v.view(Q) });
  }
});

describe('mergeAttention', () => {
  const part = (shape: readonly number[] = Q, lse: readonly number[] = [2, 4, 8]): { out: Tensor; lse: Tensor } => ({
    out: tensor(shape),
    lse: tensor(lse),
  });
  const wrong: WrongCalls = [
    ['parts', 'none', () => mergeAttention(gpu(), [])],
    ['parts', 'three dimensions', () => mergeAttention(gpu(), [part([8, 4, 64], [4, 8])])],
    ['parts', 'outs of different shapes', () => mergeAttention(gpu(), [part(), part([2, 8, 4, 32])])],
    ['parts', 'an LSE of another shape', () => mergeAttention(gpu(), [part(Q, [2, 8, 4])])],
    [
      'parts',
      'an LSE that is not f32',
      () => mergeAttention(gpu(), [{ out: tensor(Q), lse: tensor([2, 4, 8], 'f16') }]),
    ],
  ];
  it.each(wrong)('%s: %s', (argument, _what, call) => expectNamed(argument, call));
});

it('a GPU that has seen wrong calls still computes', async () => {
  const [q, k, v] = [
    gpu().upload(new Float32Array(64).fill(1), [1, 1, 1, 64]),
    tensor([1, 2, 1, 64]),
    tensor([1, 2, 1, 64]),
  ];
  gpu().fill(k, 0);
  gpu().write(v, new Float32Array(128).fill(3));
  expect(await gpu().download(flashAttention(gpu(), q, k, v).out)).toEqual(new Float32Array(64).fill(3));
});
