import { afterEach, expect, test } from 'vitest';
import { formatProfile, type Gpu, type Plan } from '$gpu/device';
import { openTestGpu } from '../../support/gpu';
import { BUSY, increment } from './kernels';

let gpu: Gpu;
afterEach(() => {
  expect(gpu.uncaptured).toEqual([]);
  gpu.destroy();
});

/** One large dispatch between two tiny ones. */
function unevenPlan(): Plan {
  const values = gpu.empty([64 * 256], 'f32');
  const counter = gpu.upload(new Uint32Array(1), [1]);
  return gpu.record(() => {
    increment(gpu, counter);
    gpu.dispatch({ pipeline: gpu.pipeline(BUSY), label: 'large', bindings: [values], workgroups: [256] });
    increment(gpu, counter);
  });
}

test('a profile has a row for each dispatch, and finds the large one', async () => {
  gpu = await openTestGpu();
  const rows = await gpu.profile(unevenPlan(), { repeats: 3 });
  expect(rows.map(({ label }) => label)).toEqual(['probe/increment', 'large', 'probe/increment']);
  expect(rows[1]!.workgroups).toEqual([256, 1, 1]);
  // By the least of the repeats: a busy machine can stretch any one of them.
  expect(rows[1]!.least).toBeGreaterThan(Math.max(rows[0]!.least, rows[2]!.least));
  expect(rows.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 5);
  expect(rows[0]!.clock).toBe(gpu.has.timestamps ? 'gpu' : 'wall');
  expect(formatProfile(rows)).toMatch(/^large +1 /m);
  expect(formatProfile(rows)).toMatch(/^probe\/increment +2 /m);
});

test('without timestamps, the wall clock serves and the table says so', async () => {
  gpu = await openTestGpu({ reduce: { timestamps: false } });
  const rows = await gpu.profile(unevenPlan(), { repeats: 2 });
  expect(rows.map(({ clock }) => clock)).toEqual(['wall', 'wall', 'wall']);
  expect(rows[1]!.median).toBeGreaterThan(0);
  expect(formatProfile(rows)).toContain('wall clock');
});

test('profiling leaves no memory behind', async () => {
  gpu = await openTestGpu();
  const plan = unevenPlan();
  await gpu.profile(plan, { repeats: 1 });
  const { reserved } = gpu.memory();
  await gpu.profile(plan, { repeats: 2 });
  expect(gpu.memory().reserved).toBe(reserved);
});
