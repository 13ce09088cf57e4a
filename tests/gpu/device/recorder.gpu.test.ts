import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Gpu } from '$gpu/device';
import { openTestGpu, poisoned } from '../../support/gpu';
import { increment, scale } from './kernels';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openTestGpu();
});
afterAll(() => {
  gpu.destroy();
});

test('dispatches run in the order in which they were recorded', async () => {
  const a = gpu.upload([1, 2, 3, 4, 5], [5]);
  const b = poisoned(gpu, [5], 'f32');
  const c = poisoned(gpu, [5], 'f32');
  scale(gpu, a, b, 2);
  scale(gpu, b, c, 10, 1);
  scale(gpu, c, b, -1);
  expect([...(await gpu.download(c))]).toEqual([21, 41, 61, 81, 101]);
  expect([...(await gpu.download(b))]).toEqual([-21, -41, -61, -81, -101]);
});

test('a plan replays its dispatches', async () => {
  const counter = gpu.upload(new Uint32Array([0]), [1]);
  const plan = gpu.record(() => {
    increment(gpu, counter);
    increment(gpu, counter);
  });
  expect([...(await gpu.downloadInts(counter))]).toEqual([0]);
  plan.run();
  plan.run(10);
  expect([...(await gpu.downloadInts(counter))]).toEqual([22]);
});
