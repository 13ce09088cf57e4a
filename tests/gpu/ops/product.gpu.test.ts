/** Products with weights of every layout, for few and many rows of x, with what is done on the way. */
import { beforeEach, describe, expect, test } from 'vitest';
import { ArgumentError } from '$gpu/device';
import { product, productWays, setProductWay, type ProductMode } from '$gpu/ops';
import type { TensorType } from '$gpu/formats/blocks';
import { coveringArray } from '../../support/covering';
import { poisoned, useBareGpu } from '../../support/gpu';
import { expectNear, normReference, numbers, productReference } from '../../support/ops';
import { matrixOf, randomWeights } from '../../support/weights';

const FACTORS = {
  type: ['F32', 'F16', 'BF16', 'Q8_0', 'Q4_0'] as const satisfies readonly TensorType[],
  mode: ['plain', 'added', 'silu', 'gelu', 'capped'] as const satisfies readonly ProductMode[],
  tokens: [1, 3, 8, 9, 70],
  /** [N, K]: rows that fill no tile, K of one chunk, of many, and one that ends inside a chunk. */
  shape: [
    [2, 32],
    [66, 64],
    [150, 1408],
    [130, 172],
  ] as const,
  normed: [false, true],
};

/**
 * A software adapter takes seconds to compile a kernel: modes and normalisation vary with one layout, which reads rows
 * that end inside a chunk too, and layouts with one mode. Blocks of 32 cannot end inside a chunk.
 */
const rows = [
  ...coveringArray(FACTORS, ({ type, normed, mode }) => {
    return (type ?? 'F16') === 'F16' && ((mode ?? 'added') !== 'added') === (normed ?? mode !== 'added');
  }),
  ...coveringArray(FACTORS, ({ type, shape, mode, normed, tokens }) => {
    if (shape?.[1] === 172 && type?.startsWith('Q')) return false;
    return type !== 'F16' && (mode ?? 'plain') === 'plain' && (normed ?? true) && tokens !== 3 && tokens !== 8;
  }),
];

const EPS = 1e-5;
const CAP = 3;
const silu = (x: number): number => x / (1 + Math.exp(-x));
const gelu = (x: number): number => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

describe('product: y = x W^T against float64', () => {
  const gpu = useBareGpu();
  // As GPUs do it that were not measured: norms on the way, sums through workgroup memory.
  beforeEach(() => setProductWay(gpu(), { width: 1, normApart: false }));
  for (const [at, { type, mode, tokens, shape, normed }] of rows.entries()) {
    const [n, columns] = shape;
    test(`${type} ${mode}, M ${tokens}, N ${n}, K ${columns}${normed ? ', normed' : ''}`, async () => {
      const x = numbers(tokens * columns, at);
      const gain = numbers(columns, at + 100);
      const before = numbers(tokens * n, at + 200);
      const tensors = [randomWeights(type, n, columns, at + 300), randomWeights(type, n, columns, at + 400)];
      const used = mode === 'silu' || mode === 'gelu' ? tensors : tensors.slice(0, 1);
      const scale = mode === 'plain' ? 1 : 0.5;

      const matrix = matrixOf(gpu(), ...used);
      const y = mode === 'added' ? gpu().upload(before, [tokens, n]) : poisoned(gpu(), [tokens, n], 'f32');
      const norm = normed ? { norm: { gain: gpu().upload(gain, [columns]), eps: EPS } } : {};
      product(gpu(), gpu().upload(x, [tokens, columns]), matrix, y, { mode, scale, cap: CAP, ...norm });
      const got = await gpu().download(y);

      const input = normed ? normReference(x, gain, EPS) : x;
      const [first, second] = used.map(({ values }) => productReference(input, values, columns));
      const wanted = first!.map((value, i) => {
        if (mode === 'silu') return silu(value) * second![i]!;
        if (mode === 'gelu') return gelu(value) * second![i]!;
        if (mode === 'capped') return CAP * Math.tanh((scale * value) / CAP);
        return mode === 'added' ? scale * value + before[i]! : value;
      });
      expectNear(got, wanted, 2e-5);
      matrix.destroy();
    });
  }

  test.each([1, 9])('tensors of different types are one product, of later rows of x, M %i', async (tokens) => {
    const tensors = [
      randomWeights('F16', 70, 64, 1),
      randomWeights('Q8_0', 30, 64, 2),
      randomWeights('Q8_0', 5, 64, 3),
    ];
    const matrix = matrixOf(gpu(), ...tensors);
    expect(matrix.parts).toHaveLength(2);
    const x = numbers((tokens + 2) * 64, 4);
    const y = poisoned(gpu(), [tokens, 105], 'f32');
    product(gpu(), gpu().upload(x, [tokens + 2, 64]), matrix, y, { firstToken: 2 });
    const weights = Float32Array.from(tensors.flatMap(({ values }) => [...values]));
    expectNear(await gpu().download(y), productReference(x.subarray(128), weights, 64), 2e-5);
  });

  test.each([
    ['silu', 1],
    ['gelu', 9],
  ] as const)('gate and up of different types are gated behind the product: %s, M %i', async (mode, tokens) => {
    const tensors = [randomWeights('Q8_0', 68, 64, 1), randomWeights('F16', 68, 64, 2)];
    const matrix = matrixOf(gpu(), ...tensors);
    const [x, gain] = [numbers(tokens * 64, 3), numbers(64, 4)];
    const y = poisoned(gpu(), [tokens, 68], 'f32');
    const norm = { gain: gpu().upload(gain, [64]), eps: EPS };
    product(gpu(), gpu().upload(x, [tokens, 64]), matrix, y, { mode, norm });
    const got = await gpu().download(y);
    const input = normReference(x, gain, EPS);
    const [gates, ups] = tensors.map(({ values }) => productReference(input, values, 64));
    const activation = mode === 'silu' ? silu : gelu;
    expectNear(
      got,
      gates!.map((value, i) => activation(value) * ups![i]!),
      2e-5,
    );
    matrix.destroy();
  });

  test('the same input gives the same bits', async () => {
    const weights = randomWeights('Q8_0', 200, 512, 1);
    const matrix = matrixOf(gpu(), weights);
    for (const tokens of [1, 20]) {
      const x = gpu().upload(numbers(tokens * 512, 2), [tokens, 512]);
      const runs = [0, 1].map(() => {
        const y = poisoned(gpu(), [tokens, 200], 'f32');
        product(gpu(), x, matrix, y);
        return gpu().downloadBytes(y);
      });
      expect(await runs[0]).toEqual(await runs[1]);
    }
  });

  test('shapes that disagree are refused by name', () => {
    const matrix = matrixOf(gpu(), randomWeights('F32', 8, 64, 1));
    const x = gpu().upload(numbers(64, 1), [1, 64]);
    const wrong = gpu().upload(numbers(60, 1), [1, 60]);
    const y = gpu().empty([1, 8], 'f32');
    expect(() => product(gpu(), wrong, matrix, y)).toThrow(ArgumentError);
    expect(() => product(gpu(), wrong, matrix, y)).toThrow(/rows of 64/);
    expect(() => product(gpu(), x, matrix, gpu().empty([1, 9], 'f32'))).toThrow(/rows of 8/);
    expect(() => product(gpu(), x, matrix, y, { firstToken: 1 })).toThrow(/at most 0/);
  });
});

describe('a matrix larger than one binding', () => {
  const gpu = useBareGpu({ reduce: { limits: { maxStorageBufferBindingSize: 64 * 1024 } } });
  test.each([1, 12])('is cut between rows, M %i', async (tokens) => {
    const weights = randomWeights('Q8_0', 500, 512, 5);
    const matrix = matrixOf(gpu(), weights);
    expect(matrix.parts.length).toBeGreaterThan(2);
    const x = numbers(tokens * 512, 6);
    const y = poisoned(gpu(), [tokens, 500], 'f32');
    product(gpu(), gpu().upload(x, [tokens, 512]), matrix, y);
    expectNear(await gpu().download(y), productReference(x, weights.values, 512), 2e-5);
  });
});

/** A layout without scales and one with minimums, gated and added: what sums and norms stand before. */
describe('every way to multiply few rows of x', () => {
  const gpu = useBareGpu();
  const norm = () => ({ gain: gpu().upload(numbers(768, 3), [768]), eps: EPS });

  test.each([
    ['Q8_0', 'silu', true],
    ['Q2_K', 'plain', true],
    ['F16', 'plain', false],
  ] as const)('%s %s, normed %s', async (type, mode, normed) => {
    const weights = [randomWeights(type, 70, 768, 11), randomWeights(type, 70, 768, 12)];
    const used = mode === 'silu' ? weights : weights.slice(0, 1);
    const matrix = matrixOf(gpu(), ...used);
    // The last row of three: norms have to be of that one.
    const x = numbers(3 * 768, 13);
    const last = x.slice(2 * 768);
    const input = normed ? normReference(last, numbers(768, 3), EPS) : last;
    const [first, second] = used.map(({ values }) => productReference(input, values, 768));
    const wanted = first!.map((value, at) => (mode === 'silu' ? silu(value) * second![at]! : value));
    for (const way of productWays(gpu())) {
      setProductWay(gpu(), way);
      const y = poisoned(gpu(), [1, 70], 'f32');
      const more = normed ? { norm: norm() } : {};
      product(gpu(), gpu().upload(x, [3, 768]), matrix, y, { mode, firstToken: 2, ...more });
      expectNear(await gpu().download(y), wanted, 4e-5);
    }
    matrix.destroy();
  });
});

/** The kernels of real GPUs, which software adapters with subgroups do without: a few rows of x, and tiles. */
describe('without subgroups', () => {
  const gpu = useBareGpu({ reduce: { subgroups: false } });
  // Minimums, two blocks a chunk, and lanes without a chunk: all that summing over chunks can get wrong.
  test.each([8, 9])('minimums and blocks within a chunk, M %i', async (tokens) => {
    const weights = randomWeights('Q2_K', 70, 768, 11);
    const x = numbers(tokens * 768, 12);
    const matrix = matrixOf(gpu(), weights);
    const y = poisoned(gpu(), [tokens, 70], 'f32');
    product(gpu(), gpu().upload(x, [tokens, 768]), matrix, y);
    expectNear(await gpu().download(y), productReference(x, weights.values, 768), 4e-5);
    matrix.destroy();
  });
});
