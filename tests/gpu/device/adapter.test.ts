import { afterEach, expect, test, vi } from 'vitest';
import { LimitError, NoAdapterError, NoWebGpuError, openGpu } from '$gpu/device';
import { DEFAULT_LIMITS } from '$gpu/device/limits';

afterEach(() => {
  vi.unstubAllGlobals();
});

/** A WebGPU that gives this adapter. */
function providerOf(adapter: Partial<GPUAdapter> | null): GPU {
  return {
    wgslLanguageFeatures: new Set<string>(),
    requestAdapter: () => Promise.resolve(adapter),
  } as unknown as GPU;
}

/** An adapter that refuses every device, in the words of Dawn. */
function refusingAdapter(message: string): Partial<GPUAdapter> {
  return {
    features: new Set<string>(),
    limits: { ...DEFAULT_LIMITS, maxBufferSize: 2 ** 40 } as unknown as GPUSupportedLimits,
    requestDevice: () => Promise.reject(new Error(message)),
  };
}

test('an old browser: says which browsers have WebGPU', async () => {
  vi.stubGlobal('navigator', {});
  vi.stubGlobal('process', undefined);
  vi.stubGlobal('isSecureContext', true);
  const opening = openGpu();
  await expect(opening).rejects.toBeInstanceOf(NoWebGpuError);
  await expect(opening).rejects.toMatchObject({
    code: 'no-webgpu',
    message: expect.stringContaining('Chrome') as string,
  });
});

test('a page over plain http: says that WebGPU wants https', async () => {
  vi.stubGlobal('navigator', {});
  vi.stubGlobal('process', undefined);
  vi.stubGlobal('isSecureContext', false);
  await expect(openGpu()).rejects.toThrow(/https/);
});

test('no adapter: a typed error with what to look at', async () => {
  const opening = openGpu({ provider: providerOf(null) });
  await expect(opening).rejects.toBeInstanceOf(NoAdapterError);
  await expect(opening).rejects.toThrow(/driver/);
});

test('an adapter request that throws is no adapter either', async () => {
  const provider = { requestAdapter: () => Promise.reject(new Error('boom')) } as unknown as GPU;
  await expect(openGpu({ provider })).rejects.toBeInstanceOf(NoAdapterError);
});

test('a refused limit is named, with what was asked and what was offered', async () => {
  const adapter = refusingAdapter('Required maxBufferSize limit (1099511627776) is greater than the supported');
  const opening = openGpu({ provider: providerOf(adapter) });
  await expect(opening).rejects.toBeInstanceOf(LimitError);
  await expect(opening).rejects.toMatchObject({ limit: 'maxBufferSize', wanted: 2 ** 40, offered: 2 ** 40 });
});

test('any other refusal repeats the words of the browser', async () => {
  const opening = openGpu({ provider: providerOf(refusingAdapter('adapter was consumed')) });
  await expect(opening).rejects.toBeInstanceOf(NoAdapterError);
  await expect(opening).rejects.toThrow(/adapter was consumed/);
});

test('an old adapter that says little of itself opens all the same', async () => {
  const device = { lost: new Promise(() => undefined), addEventListener: () => undefined } as unknown as GPUDevice;
  const adapter: Partial<GPUAdapter> = {
    ...refusingAdapter(''),
    info: { vendor: 'acme' } as GPUAdapterInfo,
    requestDevice: () => Promise.resolve(device),
  };
  const provider = { requestAdapter: () => Promise.resolve(adapter) } as unknown as GPU;
  const gpu = await openGpu({ provider });
  expect(gpu.info).toMatchObject({ vendor: 'acme', description: '', isFallback: false, subgroupMinSize: 0 });
  expect(gpu.languageFeatures.size).toBe(0);
});
