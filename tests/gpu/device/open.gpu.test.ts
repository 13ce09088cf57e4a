import { afterEach, expect, test } from 'vitest';
import { DEFAULT_LIMITS, LimitError, ShaderError, formatReport, type Gpu, type LimitName } from '$gpu/device';
import { environment, openTestGpu } from '../../support/gpu';
import { INCREMENT, increment, scale, scaleSpec } from './kernels';

const opened: Gpu[] = [];
afterEach(() => {
  for (const gpu of opened.splice(0)) gpu.destroy();
});

async function open(options?: Parameters<typeof openTestGpu>[0]): Promise<Gpu> {
  const gpu = await openTestGpu(options);
  opened.push(gpu);
  return gpu;
}

test('the device has what the adapter offers, and our limits are the device’s', async () => {
  const gpu = await open();
  for (const name of Object.keys(DEFAULT_LIMITS) as LimitName[]) {
    expect(gpu.limits[name], name).toBe((gpu.device.limits as unknown as Record<string, number>)[name]);
  }
  for (const feature of gpu.features) expect(gpu.device.features.has(feature), feature).toBe(true);
  expect(gpu.has.f16).toBe(gpu.device.features.has('shader-f16'));
  expect(gpu.has.subgroups).toBe(gpu.device.features.has('subgroups'));
});

test('each environment is what its name says', async () => {
  const gpu = await open();
  const seen = {
    f16: gpu.has.f16,
    subgroups: gpu.has.subgroups,
    lanes: gpu.info.subgroupMinSize,
    invocations: gpu.limits.maxComputeInvocationsPerWorkgroup,
    storageBuffers: gpu.limits.maxStorageBuffersPerShaderStage,
  };
  if (environment === 'lavapipe') expect(seen).toMatchObject({ f16: true, lanes: 4, invocations: 1024 });
  if (environment === 'swiftshader') expect(seen).toMatchObject({ f16: false, subgroups: true });
  if (environment === 'chromium') expect(seen).toMatchObject({ f16: false });
  if (environment === 'reduced') {
    expect(seen).toMatchObject({ f16: false, subgroups: false, invocations: 256, storageBuffers: 8 });
    expect(gpu.limits).toEqual(DEFAULT_LIMITS);
  }
});

test('what is taken away is gone from the device too', async () => {
  const gpu = await open({ reduce: { f16: false, subgroups: false, timestamps: false, limits: 'default' } });
  expect(gpu.has).toEqual({ f16: false, subgroups: false, timestamps: false, subgroupMatrix: false });
  expect(gpu.device.features.has('shader-f16')).toBe(false);
  expect(gpu.device.limits.maxComputeWorkgroupStorageSize).toBe(16384);
  expect(gpu.device.limits.maxStorageBuffersPerShaderStage).toBe(8);
  expect(gpu.report().reduced).toContain('no f16');
});

test('limits smaller than WebGPU’s own are held by us: buffers, bindings, workgroups', async () => {
  const limits = { maxBufferSize: 4096, maxStorageBufferBindingSize: 1024, maxComputeWorkgroupsPerDimension: 3 };
  const gpu = await open({ reduce: { limits } });
  expect(() => gpu.empty([1025], 'f32')).toThrow(LimitError);
  const large = gpu.empty([1024], 'f32');
  const small = gpu.empty([256], 'f32');
  expect(() => {
    scale(gpu, large, small, 1);
  }).toThrow(/wants 4096, but maxStorageBufferBindingSize of this device is 1024/);
  const pipeline = gpu.pipeline(INCREMENT);
  const counter = gpu.empty([1], 'u32');
  expect(() => {
    gpu.dispatch({ pipeline, bindings: [counter], workgroups: [1, 4] });
  }).toThrow(/maxComputeWorkgroupsPerDimension/);
  await gpu.idle();
  expect(gpu.uncaptured).toEqual([]);
});

test('preparations run before openGpu resolves, in parallel, and the report has their times', async () => {
  const order: string[] = [];
  const slow = {
    name: 'slow',
    prepare: async (gpu: Gpu) => {
      order.push('slow begins');
      await gpu.preparePipelines([scaleSpec(), scaleSpec(true)]);
      order.push('slow ends');
    },
  };
  const quick = { name: 'quick', prepare: () => Promise.resolve(void order.push('quick')) };
  const gpu = await open({ prepare: [slow, quick] });
  expect(order).toEqual(['slow begins', 'quick', 'slow ends']);
  const report = gpu.report();
  expect(report.notes.map(({ name }) => name).sort()).toEqual(['quick', 'slow']);
  expect(report.pipelines).toEqual(['probe/scale', 'probe/scale']);
});

test('a preparation that fails closes the device and rejects with its error', async () => {
  let seen: Gpu | undefined;
  const broken = { ...INCREMENT, label: 'absent', module: 'probe/absent' };
  const prepare = async (gpu: Gpu): Promise<void> => {
    seen = gpu;
    await gpu.preparePipelines([broken]);
  };
  await expect(openTestGpu({ prepare: [{ name: 'broken', prepare }] })).rejects.toBeInstanceOf(ShaderError);
  expect((await seen!.lost).reason).toBe('destroyed');
});

test('the report is plain data, and a text for people', async () => {
  const gpu = await open();
  gpu.note({ room: 'attention', name: 'prefill', text: 'rows kernel', ms: 1.25 });
  gpu.note({ room: 'attention', name: 'decode', text: 'no variant is right', level: 'warning' });
  const report = gpu.report();
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  const text = formatReport(report);
  expect(text).toContain('attention    prefill: rows kernel (1.250 ms)');
  expect(text).toContain('WARNING: decode');
  expect(text).toContain(`${gpu.limits.maxComputeInvocationsPerWorkgroup} invocations`);
});

test('two devices live side by side, and one’s tensors are refused by the other', async () => {
  const [a, b] = [await open(), await open()];
  const counter = a.upload(new Uint32Array([1]), [1]);
  expect(() => {
    increment(b, counter);
  }).toThrow(/another GPU/);
  expect(() => {
    b.write(counter, [1]);
  }).toThrow(/another GPU/);
});

// Pages alone have workers of this kind; Node opens the GPU in all the tests around.
if (environment === 'chromium') {
  test('a worker of a page opens the GPU and computes', async () => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    const answer = await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<unknown>) => {
        resolve(data);
      };
      worker.onerror = ({ message }) => {
        reject(new Error(message));
      };
      worker.postMessage([1, 2, 3]);
    });
    worker.terminate();
    expect(answer).toEqual([2, 4, 6]);
  });
}
