import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ArgumentError, LimitError, type Dispatch, type Gpu } from '$gpu/device';
import { openTestGpu, poisoned } from '../../support/gpu';
import { INCREMENT, increment, scale, scaleParams, scaleSpec } from './kernels';

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

test('each dispatch has its own parameters, over many batches', async () => {
  const one = gpu.upload([1], [1]);
  const targets = Array.from({ length: 1000 }, () => gpu.empty([1], 'f32'));
  targets.forEach((target, index) => {
    scale(gpu, one, target, index, 0.5);
  });
  const values = await Promise.all(targets.map((target) => gpu.download(target)));
  expect(values.map(([x]) => x)).toEqual(targets.map((_, index) => index + 0.5));
});

test('what is recorded is sent at the end of the task, unasked', async () => {
  const counter = gpu.upload(new Uint32Array(1), [1]);
  increment(gpu, counter);
  await Promise.resolve();
  let submits = 0;
  const { queue } = gpu.device;
  const submit = queue.submit.bind(queue);
  queue.submit = (buffers) => {
    submits += 1;
    submit(buffers);
  };
  gpu.flush();
  expect(submits).toBe(0);
  queue.submit = submit;
  expect([...(await gpu.downloadInts(counter))]).toEqual([1]);
});

test('idle resolves when the work is done', async () => {
  const counter = gpu.upload(new Uint32Array(1), [1]);
  for (let i = 0; i < 100; i++) increment(gpu, counter);
  await gpu.idle();
  expect([...(await gpu.downloadInts(counter))]).toEqual([100]);
});

test('no workgroups at all are no work', async () => {
  const counter = gpu.upload(Uint32Array.of(5), [1]);
  gpu.dispatch({ pipeline: gpu.pipeline(INCREMENT), bindings: [counter], workgroups: [0] });
  expect([...(await gpu.downloadInts(counter))]).toEqual([5]);
});

/** A correct dispatch, with one thing changed. */
function wrong(change: Partial<Dispatch>): () => void {
  const call: Dispatch = {
    pipeline: gpu.pipeline(scaleSpec()),
    bindings: [null, gpu.empty([4], 'f32'), gpu.empty([4], 'f32')],
    params: scaleParams(4, 1),
    workgroups: [1],
  };
  return () => {
    gpu.dispatch({ ...call, ...change });
  };
}

test('wrong calls are refused before WebGPU sees them, in words', () => {
  const tensor = gpu.empty([4], 'f32');
  const gone = gpu.empty([4], 'f32');
  gone.destroy();
  expect(wrong({ bindings: [null, tensor] })).toThrow(/expected 3: uniform, read, write/);
  expect(wrong({ bindings: [tensor, tensor, gpu.empty([4], 'f32')] })).toThrow(/bindings\[0\].*'uniform'/);
  expect(wrong({ bindings: [null, null, tensor] })).toThrow(/bindings\[1\].*null/);
  expect(wrong({ bindings: [null, gone, tensor] })).toThrow(/destroyed f32 \[4\]/);
  expect(wrong({ params: { bytes: new Uint8Array(260) } })).toThrow(/at most 256/);
  expect(wrong({ params: { bytes: new Uint8Array(7) } })).toThrow(/multiple of 4/);
  expect(wrong({ workgroups: [1.5] })).toThrow(ArgumentError);
  expect(wrong({ workgroups: [-1] })).toThrow(ArgumentError);
  expect(wrong({ workgroups: [gpu.limits.maxComputeWorkgroupsPerDimension + 1] })).toThrow(LimitError);
  expect(() => {
    gpu.dispatch({
      pipeline: gpu.pipeline(scaleSpec()),
      bindings: [null, tensor, gpu.empty([4], 'f32')],
      workgroups: [1],
    });
  }).toThrow(/uniform binding/);
});

test('reading and writing one buffer in a dispatch is refused, in words', () => {
  const tensor = gpu.empty([1024], 'f32');
  expect(wrong({ bindings: [null, tensor, tensor] })).toThrow(/same buffer/);
  const [low, high] = [tensor.view([256]), tensor.view([256], { elementOffset: 512 })];
  expect(wrong({ bindings: [null, low, high] })).toThrow(/bindings\[2\] and \[1\]/);
});

test('temporaries end with their scope, and the next operation takes their memory', async () => {
  const source = gpu.upload([1, 2], [2]);
  const target = poisoned(gpu, [2], 'f32');
  const buffers = new Set<GPUBuffer>();
  for (let i = 0; i < 5; i++) {
    gpu.scoped(() => {
      const temporary = gpu.scratch([2], 'f32');
      buffers.add(temporary.buffer);
      scale(gpu, source, temporary, 2);
      scale(gpu, temporary, target, 1, i);
    });
  }
  expect(buffers.size).toBe(1);
  expect([...(await gpu.download(target))]).toEqual([6, 8]);
});

test('temporaries outside of any scope end with the task, not with a flush', async () => {
  const temporary = gpu.scratch([2], 'f32');
  gpu.flush();
  expect(temporary.destroyed).toBe(false);
  await Promise.resolve();
  expect(temporary.destroyed).toBe(true);
});

test('a scope that throws still gives back', () => {
  const used = gpu.memory().used;
  expect(() =>
    gpu.scoped(() => {
      gpu.scratch([1000], 'f32');
      throw new Error('stop');
    }),
  ).toThrow('stop');
  expect(gpu.memory().used).toBe(used);
});
