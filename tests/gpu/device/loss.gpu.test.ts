import { afterEach, beforeEach, expect, test } from 'vitest';
import { GpuLostError, OutOfMemoryError, SelfTestError, ValidationError, type Gpu, type GpuError } from '$gpu/device';
import { openTestGpu } from '../../support/gpu';
import { increment, scale } from './kernels';

let gpu: Gpu;
beforeEach(async () => {
  gpu = await openTestGpu();
});
afterEach(() => {
  gpu.destroy();
});

test('destroy: pending downloads reject, later calls throw, the event and the promise say why', async () => {
  const heard: GpuLostError[] = [];
  gpu.on('lost', (error) => heard.push(error));
  const tensor = gpu.upload([1], [1]);
  const plan = gpu.record(() => {
    scale(gpu, tensor, gpu.empty([1], 'f32'), 1);
  });
  const pending = gpu.download(tensor);
  gpu.destroy();
  gpu.destroy();
  await expect(pending).rejects.toBeInstanceOf(GpuLostError);
  await expect(gpu.download(tensor)).rejects.toBeInstanceOf(GpuLostError);
  await expect(gpu.idle()).rejects.toBeInstanceOf(GpuLostError);
  expect(() => gpu.empty([1], 'f32')).toThrow(GpuLostError);
  expect(() => {
    plan.run();
  }).toThrow(GpuLostError);
  expect((await gpu.lost).reason).toBe('destroyed');
  expect(heard).toHaveLength(1);
  expect(gpu.report().lost).toContain('destroy()');
  expect(gpu.memory()).toMatchObject({ used: 0, reserved: 0, buffers: 0 });
  tensor.destroy();
  plan.destroy();
});

test('a device that is taken away surfaces as lost, with all that was recorded', async () => {
  const heard: GpuLostError[] = [];
  gpu.on('lost', (error) => heard.push(error));
  const counter = gpu.upload(new Uint32Array(1), [1]);
  increment(gpu, counter);
  // The nearest thing to a driver crash that a test can do: behind our back.
  gpu.device.destroy();
  await expect(gpu.downloadInts(counter)).rejects.toBeInstanceOf(GpuLostError);
  await gpu.lost;
  expect(heard).toHaveLength(1);
  expect(() => {
    increment(gpu, counter);
  }).toThrow(GpuLostError);
});

test('listeners can be given to openGpu, and taken off', async () => {
  const heard: string[] = [];
  const other = await openTestGpu({ onLost: () => heard.push('option') });
  const off = other.on('lost', () => heard.push('listener'));
  off();
  other.destroy();
  await other.lost;
  expect(heard).toEqual(['option']);
});

test('a guard holds downloads back, and its failure fails them until it is taken note of', async () => {
  const tensor = gpu.upload([4], [1]);
  let pass!: () => void;
  gpu.guard(new Promise((resolve) => (pass = resolve)));
  let done = false;
  const downloading = gpu.download(tensor).then(() => (done = true));
  await gpu.idle();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(done).toBe(false);
  pass();
  await downloading;

  gpu.guard(Promise.reject(new SelfTestError('decode is wrong here')));
  await expect(gpu.download(tensor)).rejects.toBeInstanceOf(SelfTestError);
  await expect(gpu.download(tensor)).rejects.toThrow('decode is wrong here');
  expect(gpu.report().errors).toEqual([{ code: 'self-test', message: 'decode is wrong here' }]);
  expect(gpu.takeErrors()).toHaveLength(1);
  expect([...(await gpu.download(tensor))]).toEqual([4]);
});

test('a guard can read what it checks, though downloads wait for it', async () => {
  const source = gpu.upload([4], [1]);
  const target = gpu.empty([1], 'f32');
  scale(gpu, source, target, 2);
  const seen: number[] = [];
  const check = async (): Promise<void> => {
    seen.push(...(await gpu.downloadUnguarded(target)));
    if (seen[0] !== 9) throw new SelfTestError('8 is not 9');
  };
  gpu.guard(check());
  await expect(gpu.download(target)).rejects.toThrow('8 is not 9');
  expect(seen).toEqual([8]);
  expect(gpu.takeErrors()).toHaveLength(1);
});

test('what WebGPU refuses unasked becomes an event, and fails downloads', async () => {
  const heard: GpuError[] = [];
  gpu.on('error', (error) => heard.push(error));
  const tensor = gpu.upload([1], [1]);
  gpu.device.createBuffer({ size: 16, usage: 0xffff });
  // A browser tells of it in a task of its own, which may come behind what was asked meanwhile; Dawn while it is waited for.
  await expect.poll(() => gpu.idle().then(() => heard.length)).toBe(1);
  await expect(gpu.download(tensor)).rejects.toBeInstanceOf(ValidationError);
  expect(gpu.uncaptured).toEqual(heard);
});

test('a buffer that the driver has no memory for becomes a typed event with the sizes', async () => {
  const heard: OutOfMemoryError[] = [];
  gpu.on('outOfMemory', (error) => heard.push(error));
  const { device } = gpu;
  const popErrorScope = device.popErrorScope.bind(device);
  // No driver runs out of memory on request: the answer to our question is forged.
  device.popErrorScope = async () => {
    await popErrorScope();
    return { message: 'no memory' };
  };
  const tensor = gpu.empty([1000], 'f32');
  Reflect.deleteProperty(device, 'popErrorScope');
  await expect(gpu.download(tensor)).rejects.toBeInstanceOf(OutOfMemoryError);
  expect(heard).toMatchObject([{ code: 'out-of-memory', used: 0 }]);
  expect(heard[0]!.wanted).toBeGreaterThanOrEqual(4000);
  expect(heard[0]!.message).toContain('f32 [1000]');
});

test('checks that end after the device is gone are no errors of their own', async () => {
  const tensor = gpu.upload([1], [1]);
  scale(gpu, tensor, gpu.empty([1], 'f32'), 1);
  gpu.guard(new Promise((_, reject) => setTimeout(reject, 5, new Error('too late'))));
  gpu.destroy();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(gpu.uncaptured).toEqual([]);
});

test('twenty rounds of opening, computing and closing all work', async () => {
  for (let round = 0; round < 20; round++) {
    const other = await openTestGpu();
    const counter = other.upload(Uint32Array.of(round), [1]);
    increment(other, counter);
    expect([...(await other.downloadInts(counter))]).toEqual([round + 1]);
    other.destroy();
    expect((await other.lost).reason).toBe('destroyed');
    expect(other.uncaptured).toEqual([]);
  }
});
