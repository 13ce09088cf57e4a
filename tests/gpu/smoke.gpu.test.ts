/** The harness itself: the environment opens, memory is poisoned as promised, and a round trip keeps every bit. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Gpu } from '../../gpu/device';
import { environment, openTestGpu, poisoned, random } from '../support/gpu';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openTestGpu();
});
afterAll(() => gpu?.destroy());

test('the environment is the one it says it is', () => {
  if (environment === 'swiftshader' || environment === 'reduced') expect(gpu.has.f16).toBe(false);
  if (environment === 'lavapipe') expect(gpu.has).toMatchObject({ f16: true, subgroups: true });
  if (environment === 'reduced') expect(gpu.has).toMatchObject({ subgroups: false, timestamps: false });
  expect(gpu.limits.maxComputeInvocationsPerWorkgroup).toBeGreaterThanOrEqual(256);
});

test('poisoned memory is all NaN, in f32 and in f16', async () => {
  for (const dtype of ['f32', 'f16', 'bf16'] as const) {
    const values = await gpu.download(poisoned(gpu, [3, 5], dtype));
    expect(values).toHaveLength(15);
    expect(values.every(Number.isNaN)).toBe(true);
  }
});

test('what is uploaded comes back bit for bit', async () => {
  const next = random(1);
  const values = Float32Array.from({ length: 1000 }, () => next() * 2 - 1);
  expect(await gpu.download(gpu.upload(values, [10, 100]))).toEqual(values);
  expect(gpu.uncaptured).toEqual([]);
});
