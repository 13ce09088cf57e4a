/** Weights quantised on their way to the GPU: what comes out, and whether the errors that are told are the real ones. */
import { describe, expect, test } from 'vitest';
import type { QuantisationError, QuantName } from '$gpu/formats/quantise';
import { ModelWeights, type TensorDescription } from '$gpu/model';
import { embed } from '$gpu/ops';
import { Matrix, MatrixWriter, quantisedLayout } from '$gpu/quant';
import { useBareGpu } from '../../support/gpu';
import { TINY, tinyWeights, type TinyWeights } from '../../support/llama';
import { randomWeights, type RandomWeights } from '../../support/weights';

const gpu = useBareGpu();

describe('a matrix that is quantised as it comes', () => {
  test.each([
    ['F32', 'q8'],
    ['F16', 'q4'],
    ['BF16', 'q4'],
  ] as const)('%s to %s: within half a step, and the errors are told', async (type, to) => {
    const weights = randomWeights(type, 40, 96, 7);
    const { numbers, error } = await quantised(weights, to);
    const real = errorsOf(weights.values, numbers);
    expect(error.rms / real.rms).toBeCloseTo(1, 4);
    expect(error.max / real.max).toBeCloseTo(1, 4);
    expect(real.rms).toBeLessThanOrEqual(plainError(weights.values, to));
  });

  test('zeros stay zeros; a block of one number keeps it', async () => {
    const values = new Float32Array(128);
    values[64 + 5] = -3;
    values.fill(1e-35, 96);
    const weights = { type: 'F32' as const, rows: 2, columns: 64, values, bytes: new Uint8Array(values.buffer) };
    for (const to of ['q8', 'q4'] as const) {
      const { numbers, error } = await quantised(weights, to);
      expect([...numbers.subarray(0, 64)]).toEqual(new Array(64).fill(0));
      expect(numbers[69]).toBeCloseTo(-3, 5);
      expect(error.max).toBeLessThan(1e-6);
    }
  });

  test('what is in blocks already, or too narrow for them, is left as it is', () => {
    expect(quantisedLayout('Q4_K', 256, 'q4')).toBeUndefined();
    expect(quantisedLayout('F16', 172, 'q8')).toBeUndefined();
    expect(quantisedLayout('F16', 96, 'q8')?.name).toBe('q8');
  });
});

describe('a model that is quantised as it comes', () => {
  test('its matrices are, embedding and head with 8 bits; norms are not; each tensor tells its error', async () => {
    const weights = tinyWeights(TINY, 'BF16');
    const described = describeTensors(weights);
    const model = new ModelWeights(gpu(), TINY, described, 'q4');
    for (const [name, { bytes }] of weights) {
      const writer = model.writer(name)!;
      writer.push(bytes);
      writer.finish();
    }
    model.requireAll();
    const layoutsOf = (matrix: Matrix): string[] => matrix.parts.map(({ layout }) => layout.name);
    expect([...layoutsOf(model.embedding), ...layoutsOf(model.head)]).toEqual(['q8', 'q8']);
    expect(model.layers.flatMap(({ qkv, o, gateUp, down }) => [qkv, o, gateUp, down].flatMap(layoutsOf))).toEqual(
      new Array(4 * TINY.layers.length).fill('q4'),
    );
    const errors = await model.quantisationErrors();
    expect(errors.map(({ name }) => name)).toEqual([...weights.keys()].filter((name) => !name.includes('norm')));
    for (const { layout, type, rms, max } of errors) {
      expect(type).toBe('BF16');
      // Uniform numbers: half a step of 1/127, and of 1/8, evenly spread.
      expect(rms).toBeLessThan(layout === 'q8' ? 0.006 : 0.08);
      expect(rms).toBeGreaterThan(layout === 'q8' ? 0.002 : 0.03);
      expect(max).toBeLessThan(layout === 'q8' ? 0.005 : 0.15);
    }
    model.destroy();
  });

  test('a model that is quantised already is refused', () => {
    const tensors = describeTensors(tinyWeights(TINY, 'Q8_0'));
    expect(() => new ModelWeights(gpu(), TINY, tensors, 'q4')).toThrow(/quant.*q4.*quantised already/);
  });
});

function describeTensors(weights: TinyWeights): TensorDescription[] {
  return [...weights].map(([name, { type, rows, columns }]) => {
    return { name, type, shape: name.includes('norm') ? [columns] : [rows, columns] };
  });
}

async function quantised(
  weights: RandomWeights,
  to: QuantName,
): Promise<{ numbers: Float32Array; error: QuantisationError }> {
  const { type, rows, columns, bytes } = weights;
  const matrix = new Matrix(gpu(), columns, [{ layout: quantisedLayout(type, columns, to)!, rows }]);
  const writer = new MatrixWriter(gpu(), matrix, type, 0, rows);
  // A piece that ends inside a row.
  writer.push(bytes.subarray(0, 100));
  writer.push(bytes.subarray(100));
  writer.finish();
  const x = gpu().empty([rows, columns], 'f32');
  embed(
    gpu(),
    gpu().upload(
      Int32Array.from({ length: rows }, (_, row) => row),
      [rows],
    ),
    matrix,
    x,
  );
  const numbers = await gpu().download(x);
  const error = await writer.quantisationError();
  matrix.destroy();
  return { numbers, error: error! };
}

function errorsOf(values: Float32Array, numbers: Float32Array): QuantisationError {
  const off = values.map((value, at) => Math.abs(value - numbers[at]!));
  const largest = (all: Float32Array): number => all.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return { rms: Math.hypot(...off) / Math.hypot(...values), max: largest(off) / largest(values) };
}

/** Of the plain way, which 8 bits take and 4 bits must beat: the largest number on the last code, others rounded. */
function plainError(values: Float32Array, to: QuantName): number {
  const numbers = new Float32Array(values.length);
  for (let block = 0; block < values.length; block += 32) {
    const some = values.subarray(block, block + 32);
    const furthest = some.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
    const [scale, least, most] = to === 'q8' ? [Math.abs(furthest) / 127, -127, 127] : [furthest / -8, -8, 7];
    some.forEach((value, i) => {
      numbers[block + i] = Math.min(most, Math.max(least, Math.round(value / scale))) * scale;
    });
  }
  return errorsOf(values, numbers).rms * (to === 'q8' ? 1.001 : 0.95);
}
