/** The model bench's own knowledge: the peer's products, the process's memory, its options. */
import { expect, test } from 'vitest';
import { memoryNow, MemoryPeak } from '../../../../src/cli/bench/model/memory';
import { settingsFrom } from '../../../../src/cli/bench/model/settings';
import { errorOfProduct, productGraph, productInputs } from '../../../../src/cli/bench/onnx/product';
import { UsageError } from '../../../../src/cli/command';

test('products stand side by side: all of the same inputs, the last one told', () => {
  const { nodes, outputs, inputs } = productGraph({ rows: 6, columns: 64, tokens: 3, bits: 4 }, 3);
  expect(new Set(nodes.map((node) => node.inputs.join()))).toEqual(new Set(['x,codes,scales']));
  expect(nodes.map((node) => node.outputs[0])).toEqual(['y0', 'y1', 'y2']);
  expect(outputs).toEqual([{ name: 'y2', type: 'float32', dims: [3, 6] }]);
  expect(inputs.find(({ name }) => name === 'codes')!.dims).toEqual([6, 2, 16]);
});

test.each([4, 8] as const)('the check of a product with %i bits knows right from wrong', (bits) => {
  const product = { rows: 5, columns: 64, tokens: 2, bits };
  const inputs = productInputs(product);
  const code = (at: number): number =>
    bits === 8
      ? inputs.codes[at]! - 128
      : (at % 2 === 0 ? inputs.codes[at / 2]! & 15 : inputs.codes[(at - 1) / 2]! >> 4) - 8;
  const y = new Float32Array(10);
  for (let at = 0; at < 10; at++) {
    const [token, row] = [Math.floor(at / 5), at % 5];
    for (let k = 0; k < 64; k++) {
      const weight = code(row * 64 + k) * inputs.scales[row * 2 + Math.floor(k / 32)]!;
      y[at]! += inputs.x[token * 64 + k]! * weight;
    }
  }
  expect(errorOfProduct(product, inputs, y)).toBeLessThan(1e-4);
  y[7]! += 0.5;
  expect(errorOfProduct(product, inputs, y)).toBeCloseTo(0.5, 3);
  y[0] = NaN;
  expect(errorOfProduct(product, inputs, y)).toBeNaN();
});

test('memory that is taken and given back shows in the peak', () => {
  const before = memoryNow();
  const peak = new MemoryPeak();
  // Filled, so that it is there.
  const bytes = new Uint8Array(64 * 2 ** 20).fill(1);
  const most = peak.take();
  peak.stop();
  expect(bytes.at(-1)).toBe(1);
  expect(most.data - before.data).toBeGreaterThan(60 * 2 ** 20);
  expect(most.data - before.data).toBeLessThan(200 * 2 ** 20);
});

test('options are read, and what is no number is refused', () => {
  const settings = settingsFrom(['--model', 'x.gguf', '--prompts', '8,32', '--no-onnx']);
  expect(settings).toMatchObject({ model: 'x.gguf', prompts: [8, 32], peers: false, loadingAlone: false });
  expect(() => settingsFrom(['--model', 'x.gguf', '--rounds', 'two'])).toThrow(UsageError);
});
