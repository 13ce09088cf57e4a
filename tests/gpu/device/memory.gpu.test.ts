import { afterEach, beforeEach, expect, test } from 'vitest';
import { ArgumentError, LimitError, OutOfMemoryError, bindRange, type Gpu } from '$gpu/device';
import { openTestGpu } from '../../support/gpu';
import { double, scale } from './kernels';

const MiB = 2 ** 20;

let gpu: Gpu;
beforeEach(async () => {
  gpu = await openTestGpu();
});
afterEach(() => {
  expect(gpu.uncaptured).toEqual([]);
  gpu.destroy();
});

test('used is the bytes of live tensors, exactly', () => {
  expect(gpu.memory().used).toBe(0);
  const a = gpu.empty([3, 5], 'f32');
  const b = gpu.empty([7], 'f16');
  const c = gpu.empty([0, 8], 'f32');
  // 7 halves take 14 bytes, padded to 16; nothing at all takes 4, to be bound.
  expect([a.byteLength, b.byteLength, c.byteLength]).toEqual([60, 16, 4]);
  expect(gpu.memory().used).toBe(80);
  a.destroy();
  a.destroy();
  expect(gpu.memory().used).toBe(20);
  b.destroy();
  c.destroy();
  expect(gpu.memory()).toMatchObject({ used: 0, peak: 80 });
});

test('the peak is the most at one time, since the start or since it was reset', () => {
  const first = gpu.empty([MiB], 'u8');
  const second = gpu.empty([MiB], 'u8');
  first.destroy();
  second.destroy();
  gpu.empty([10], 'f32');
  expect(gpu.memory().peak).toBe(2 * MiB);
  gpu.resetPeakMemory();
  expect(gpu.memory().peak).toBe(40);
});

test('a destroyed tensor’s buffer serves the next of about its size', () => {
  const buffer = destroyed([1000, 1000]).buffer;
  const reserved = gpu.memory().reserved;
  expect(gpu.empty([999, 1000], 'f32').buffer).toBe(buffer);
  expect(gpu.memory().reserved).toBe(reserved);
});

test('a small tensor never takes a large buffer', () => {
  const { buffer } = destroyed([1000, 1000]);
  expect(gpu.empty([1000], 'f32').buffer).not.toBe(buffer);
});

function destroyed(shape: readonly number[]): { buffer: GPUBuffer } {
  const tensor = gpu.empty(shape, 'f32');
  tensor.destroy();
  return { buffer: tensor.buffer };
}

test('no buffer is more than an eighth larger than its tensor', () => {
  for (const bytes of [1, 255, 257, 3000, 70_000, 999_999, 9 * MiB + 1]) {
    const before = gpu.memory().reserved;
    const tensor = gpu.empty([bytes], 'u8');
    const taken = gpu.memory().reserved - before;
    expect(taken).toBeGreaterThanOrEqual(tensor.byteLength);
    expect(taken).toBeLessThanOrEqual(Math.max(512, bytes * 1.126));
    tensor.destroy();
    gpu.trim();
  }
});

test('idle memory is bounded, and trim gives all of it back', async () => {
  gpu.destroy();
  gpu = await openTestGpu({ idleBudget: 4 * MiB });
  const tensors = Array.from({ length: 8 }, () => gpu.empty([MiB], 'u8'));
  for (const tensor of tensors) tensor.destroy();
  expect(gpu.memory()).toMatchObject({ used: 0, reserved: 4 * MiB });
  gpu.trim();
  expect(gpu.memory()).toMatchObject({ reserved: 0, buffers: 0 });
});

test('past the budget, idle memory goes first, and then a typed error comes', async () => {
  gpu.destroy();
  gpu = await openTestGpu({ memoryBudget: 8 * MiB });
  gpu.empty([5 * MiB], 'u8').destroy();
  const tensor = gpu.empty([7 * MiB], 'u8');
  expect(gpu.memory()).toMatchObject({ used: 7 * MiB, reserved: 7 * MiB });
  expect(() => gpu.empty([2 * MiB], 'u8')).toThrow(OutOfMemoryError);
  expect(tensor.destroyed).toBe(false);
});

test('memory that pending dispatches use can be destroyed and trimmed at once', async () => {
  const source = gpu.upload([1, 2], [2]);
  const target = gpu.empty([2], 'f32');
  const last = gpu.empty([2], 'f32');
  scale(gpu, source, target, 3);
  scale(gpu, target, last, 1);
  source.destroy();
  target.destroy();
  gpu.trim();
  expect([...(await gpu.download(last))]).toEqual([3, 6]);
});

test('memory that comes back is not written before those who had it are done', async () => {
  const source = gpu.upload([1, 2], [2]);
  const target = gpu.empty([2], 'f32');
  scale(gpu, source, target, 3);
  const { buffer } = source;
  source.destroy();
  const next = gpu.upload([100, 200], [2]);
  expect(next.buffer).toBe(buffer);
  expect([...(await gpu.download(target))]).toEqual([3, 6]);
});

test('a tensor larger than a buffer is a limit error with the numbers', () => {
  const wanted = Math.floor(gpu.limits.maxBufferSize / 4) * 4 + 4;
  try {
    gpu.empty([wanted], 'u8');
    expect.fail('no error');
  } catch (error) {
    expect(error).toBeInstanceOf(LimitError);
    expect(error).toMatchObject({ limit: 'maxBufferSize', wanted, offered: gpu.limits.maxBufferSize });
  }
});

test('shapes are whole numbers that fit their data', () => {
  expect(() => gpu.empty([2, -1], 'f32')).toThrow(ArgumentError);
  expect(() => gpu.empty([1.5], 'f32')).toThrow(ArgumentError);
  expect(() => gpu.upload([1, 2, 3], [2])).toThrow(/3 elements, expected 2 for \[2\]/);
});

test('a view shares memory, owns none, and is gone with its tensor', async () => {
  const tensor = gpu.upload([0, 1, 2, 3, 4, 5], [2, 3]);
  const used = gpu.memory().used;
  const row = tensor.view([3], { elementOffset: 3 });
  expect(gpu.memory().used).toBe(used);
  expect([...(await gpu.download(row))]).toEqual([3, 4, 5]);
  const nested = row.view([1, 2], { elementOffset: 1 });
  expect([...(await gpu.download(nested))]).toEqual([4, 5]);
  row.destroy();
  expect(tensor.destroyed).toBe(false);
  expect(() => tensor.view([7])).toThrow(ArgumentError);
  expect(() => gpu.empty([8], 'f16').view([2], { elementOffset: 1 })).toThrow(/multiple of 4/);
  tensor.destroy();
  expect(nested.destroyed).toBe(true);
  await expect(gpu.download(nested)).rejects.toBeInstanceOf(ArgumentError);
});

test('a tensor larger than a binding is bound in aligned parts that cover it once', async () => {
  gpu.destroy();
  gpu = await openTestGpu({ reduce: { limits: { maxStorageBufferBindingSize: 1000 } } });
  const alignment = gpu.limits.minStorageBufferOffsetAlignment;
  const numbers = Float32Array.from({ length: 700 }, (_, i) => i);
  const tensor = gpu.upload(numbers, [700]);
  const target = gpu.empty([700], 'f32');
  const targets = target.bindings();
  let next = 0;
  tensor.bindings().forEach(({ binding, elementOffset, elementCount }, index) => {
    expect(binding.byteOffset % alignment).toBe(0);
    expect(binding.byteLength).toBeLessThanOrEqual(1000);
    expect(elementOffset).toBe(next);
    next += elementCount;
    double(gpu, binding, targets[index]!.binding, elementCount);
  });
  expect(next).toBe(700);
  expect(await gpu.download(target)).toEqual(numbers.map((x) => 2 * x));
});

test('bindRange reaches any element through an aligned binding', async () => {
  const alignment = gpu.limits.minStorageBufferOffsetAlignment;
  const tensor = gpu.upload(
    Float32Array.from({ length: 300 }, (_, i) => i),
    [300],
  );
  const target = gpu.empty([300], 'f32');
  const view = tensor.view([200], { elementOffset: 77 });
  const { binding, elementOffset } = bindRange(view, 50, 10);
  expect(binding.byteOffset % alignment).toBe(0);
  expect(binding.byteOffset + 4 * elementOffset).toBe(4 * 127);
  double(gpu, binding, target.bindings()[0]!.binding, elementOffset + 10);
  expect([...(await gpu.download(target)).subarray(elementOffset, elementOffset + 10)]).toEqual(
    Array.from({ length: 10 }, (_, i) => 2 * (127 + i)),
  );
  expect(() => bindRange(view, 195, 6)).toThrow(ArgumentError);
});

test('a view that begins between alignments is refused whole, with the way out', () => {
  const tensor = gpu.empty([600], 'f32');
  const view = tensor.view([8], { elementOffset: 1 });
  const target = gpu.empty([8], 'f32');
  expect(() => {
    scale(gpu, view, target, 1);
  }).toThrow(/bindRange/);
});
