import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Gpu } from '$gpu/device';
import { Sampler } from '$gpu/generate/sampler';
import { createState, readState, writeState } from '$gpu/generate/state';
import { openTestGpu, random } from '../../support/gpu';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openTestGpu();
  await gpu.preparePipelines(Sampler.specs());
});
afterAll(() => gpu.destroy());

test('argmax', async () => {
  const next = random(1);
  const logits = Float32Array.from({ length: 6400 }, () => next() * 20 - 10);
  const sampler = new Sampler(gpu, 6400);
  const state = createState(gpu);
  writeState(gpu, state, { position: 7 });
  sampler.begin({}, []);
  sampler.record({ logits: gpu.upload(logits, [6400]), state });
  const values = readState(await gpu.downloadInts(state));
  expect(values).toEqual({ token: logits.indexOf(Math.max(...logits)), position: 8, drawn: 1, failure: undefined });
});
