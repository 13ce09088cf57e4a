import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ArgumentError, type DType, type Gpu } from '$gpu/device';
import { bf16Bits, bf16Value, f16Bits, f16Value } from '$gpu/formats/dtype';
import { openTestGpu, poisoned, random } from '../../support/gpu';
import { scale } from './kernels';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openTestGpu();
});
afterAll(() => {
  gpu.destroy();
});
afterEach(() => {
  expect(gpu.uncaptured).toEqual([]);
});

/** `count` numbers between -8 and 8. */
function numbers(count: number, seed = 1): Float32Array {
  const next = random(seed);
  return Float32Array.from({ length: count }, () => next() * 16 - 8);
}

describe('upload and download', () => {
  test('f32 comes back bit for bit, NaN, infinities and negative zero too', async () => {
    const data = Float32Array.of(1.5, -0, Infinity, -Infinity, NaN, 1e-45, 3.4e38);
    const back = await gpu.download(gpu.upload(data, [7]));
    expect(new Uint32Array(back.buffer)).toEqual(new Uint32Array(data.buffer));
  });

  // Odd and even counts: halves share words, and the last one may be alone in its own.
  test.each([1, 2, 3, 1000, 1001])('%i numbers as f16 and bf16 are rounded to nearest', async (count) => {
    const data = numbers(count);
    const half = await gpu.download(gpu.upload(data, [count], 'f16'));
    expect([...half]).toEqual(Array.from(data, (x) => f16Value(f16Bits(x))));
    const bfloat = await gpu.download(gpu.upload(data, [count], 'bf16'));
    expect([...bfloat]).toEqual(Array.from(data, (x) => bf16Value(bf16Bits(x))));
  });

  test('16-bit words are taken as they are, once they are told what they are', async () => {
    const bits = Uint16Array.of(0x3c00, 0x0001, 0x7bff);
    expect([...(await gpu.download(gpu.upload(bits, [3], 'f16')))]).toEqual([1, 2 ** -24, 65504]);
    expect([...(await gpu.download(gpu.upload(Uint16Array.of(0x3f80), [1], 'bf16')))]).toEqual([1]);
    expect(() => gpu.upload(bits, [3])).toThrow(ArgumentError);
  });

  test('integers keep their type', async () => {
    const signed = gpu.upload(Int32Array.of(-1, 2), [2]);
    const words = gpu.upload(Uint32Array.of(0xffffffff, 2), [2]);
    const bytes = gpu.upload(Uint8Array.of(1, 255, 3), [3]);
    expect([signed.dtype, words.dtype, bytes.dtype]).toEqual(['i32', 'u32', 'u8']);
    expect(await gpu.downloadInts(signed)).toEqual(Int32Array.of(-1, 2));
    expect(await gpu.downloadInts(words)).toEqual(Uint32Array.of(0xffffffff, 2));
    expect(await gpu.downloadInts(bytes)).toEqual(Uint32Array.of(1, 255, 3));
    expect(await gpu.downloadBytes(bytes)).toEqual(Uint8Array.of(1, 255, 3));
  });

  test('lists and float64 are f32 unless asked otherwise', async () => {
    expect(gpu.upload([1, 2], [2]).dtype).toBe('f32');
    expect([...(await gpu.download(gpu.upload(Float64Array.of(0.1), [1])))]).toEqual([Math.fround(0.1)]);
    expect([...(await gpu.downloadInts(gpu.upload([5, 6], [2], 'i32')))]).toEqual([5, 6]);
  });

  test('floats and integers are not mixed up on the way back', async () => {
    await expect(gpu.download(gpu.upload(Int32Array.of(1), [1]))).rejects.toBeInstanceOf(ArgumentError);
    await expect(gpu.downloadInts(gpu.upload([1], [1]))).rejects.toBeInstanceOf(ArgumentError);
  });

  test('more than a conversion chunk and a write piece', async () => {
    const count = 5 * 2 ** 20 + 3;
    const data = numbers(count);
    const half = await gpu.download(gpu.upload(data, [count], 'f16'));
    const floats = await gpu.download(gpu.upload(data, [count]));
    for (const index of [0, 2 ** 20 - 1, 2 ** 20, 4 * 2 ** 20, count - 1]) {
      expect(half[index]).toBe(f16Value(f16Bits(data[index]!)));
    }
    // A loop, since comparing 5 million numbers with toEqual takes half a minute.
    expect(floats.findIndex((x, index) => x !== data[index])).toBe(-1);
  });

  test('an empty tensor goes up and comes back', async () => {
    expect(await gpu.download(gpu.upload([], [0, 4]))).toEqual(new Float32Array(0));
  });

  test('several downloads at once get their own values', async () => {
    const tensors = [1, 2, 3, 4].map((x) => gpu.upload([x, x], [2]));
    const values = await Promise.all(tensors.map((tensor) => gpu.download(tensor)));
    expect(values.map(([x]) => x)).toEqual([1, 2, 3, 4]);
  });

  test('a download sees the moment it was asked in, not what is recorded after', async () => {
    const source = gpu.upload([1], [1]);
    const target = poisoned(gpu, [1], 'f32');
    scale(gpu, source, target, 1);
    const first = gpu.download(target);
    scale(gpu, source, target, 2);
    gpu.write(source, [50]);
    expect([...(await first)]).toEqual([1]);
    expect([...(await gpu.download(target))]).toEqual([2]);
  });
});

describe('writing in place', () => {
  test('a write comes after the dispatches that were recorded before it', async () => {
    const source = gpu.upload([1, 2, 3], [3]);
    const target = poisoned(gpu, [3], 'f32');
    scale(gpu, source, target, 10);
    gpu.write(source, [7, 8, 9]);
    const after = poisoned(gpu, [3], 'f32');
    scale(gpu, source, after, 10);
    expect([...(await gpu.download(target))]).toEqual([10, 20, 30]);
    expect([...(await gpu.download(after))]).toEqual([70, 80, 90]);
  });

  test('part of a tensor, in its own dtype', async () => {
    const tensor = gpu.upload([0, 0, 0, 0, 0, 0], [6], 'bf16');
    gpu.write(tensor, [1.5, 2.5], 2);
    expect([...(await gpu.download(tensor))]).toEqual([0, 0, 1.5, 2.5, 0, 0]);
    expect(() => {
      gpu.write(tensor, [1, 2], 5);
    }).toThrow(ArgumentError);
    expect(() => {
      gpu.write(tensor, [1, 2], 1);
    }).toThrow(/multiples of 4/);
  });

  test('raw bytes at byte offsets, odd only at the end', async () => {
    const tensor = gpu.upload(new Uint8Array(11), [11]);
    gpu.writeBytes(tensor, Uint8Array.of(1, 2, 3, 4), 4);
    gpu.writeBytes(tensor, Uint8Array.of(9, 8, 7), 8);
    expect([...(await gpu.downloadBytes(tensor))]).toEqual([0, 0, 0, 0, 1, 2, 3, 4, 9, 8, 7]);
    expect(() => {
      gpu.writeBytes(tensor, Uint8Array.of(1, 2, 3), 0);
    }).toThrow(/multiples of 4/);
    expect(() => {
      gpu.writeBytes(tensor, new Uint8Array(4), 8);
    }).toThrow(ArgumentError);
  });

  test('a subarray of a larger buffer writes only itself', async () => {
    const bytes = Uint8Array.of(9, 9, 9, 1, 2, 3, 4, 9).subarray(3, 7);
    expect([...(await gpu.downloadBytes(gpu.upload(bytes, [4])))]).toEqual([1, 2, 3, 4]);
  });

  test('a stream of odd chunks fills the tensor', async () => {
    const bytes = Uint8Array.from({ length: 4099 }, (_, i) => i % 251);
    const tensor = poisoned(gpu, [4099], 'u8');
    const stream = gpu.stream(tensor);
    for (let at = 0; at < bytes.length; at += 97) stream.push(bytes.subarray(at, at + 97));
    stream.finish();
    expect(await gpu.downloadBytes(tensor)).toEqual(bytes);
  });

  test.each<DType>(['f32', 'f16', 'bf16'])('poison is NaN in %s, everywhere', async (dtype) => {
    const values = await gpu.download(poisoned(gpu, [1001], dtype));
    expect(values.every((x) => Number.isNaN(x))).toBe(true);
  });

  test('a fill, too, waits for the dispatches before it', async () => {
    const source = gpu.upload([1], [1]);
    const target = gpu.empty([1], 'f32');
    scale(gpu, source, target, 5);
    gpu.fill(source, 0);
    expect([...(await gpu.download(target))]).toEqual([5]);
  });

  test('a copy is in order with the dispatches around it', async () => {
    const source = gpu.upload([1, 2], [2]);
    const middle = poisoned(gpu, [2], 'f32');
    const copied = poisoned(gpu, [2], 'f32');
    scale(gpu, source, middle, 3);
    gpu.copy(middle, copied);
    scale(gpu, source, middle, 100);
    expect([...(await gpu.download(copied))]).toEqual([3, 6]);
    expect([...(await gpu.download(middle))]).toEqual([100, 200]);
    expect(() => {
      gpu.copy(source, gpu.empty([2], 'f16'));
    }).toThrow(ArgumentError);
    expect(() => {
      gpu.copy(source, source.view([2]));
    }).toThrow(ArgumentError);
  });

  test('destroyed tensors are refused', async () => {
    const tensor = gpu.upload([1], [1]);
    tensor.destroy();
    expect(() => {
      gpu.write(tensor, [1]);
    }).toThrow(/destroyed/);
    await expect(gpu.download(tensor)).rejects.toThrow(/destroyed/);
  });
});
