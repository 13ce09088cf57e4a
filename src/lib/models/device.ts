/** What this device has for a model, as far as a page can see without opening a GPU, and how fast it answered so far. */
import { type DeviceFacts, memoryBudget } from '$lib/catalog/fit';
import { seenSpeeds } from './speed';

export async function thisDevice(): Promise<DeviceFacts> {
  const [gpu, free] = await Promise.all([gpuFacts(), freeBytes()]);
  const speed = seenSpeeds()[gpu && !gpu.isFallback ? 'gpu' : 'cpu'];
  return {
    ...(gpu && { gpu }),
    ...(speed !== undefined && { bytesPerSecond: speed }),
    ...(free !== undefined && { free }),
    memory: memoryBudget(toldMemory(), isPhone()),
    processor: hasMemory64(),
  };
}

async function gpuFacts(): Promise<DeviceFacts['gpu']> {
  // Where pages are not trusted there is none, whatever the types say.
  const gpu: GPU | undefined = navigator.gpu;
  const adapter = await gpu?.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null);
  if (!adapter) return undefined;
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  const isFallback = adapter.info.isFallbackAdapter;
  return { maxBufferSize, maxStorageBufferBindingSize, isFallback, f16: adapter.features.has('shader-f16') };
}

async function freeBytes(): Promise<number | undefined> {
  // There is none where pages are not trusted.
  const storage: StorageManager | undefined = navigator.storage;
  const { quota, usage } = (await storage?.estimate().catch(() => undefined)) ?? {};
  return quota === undefined || usage === undefined ? undefined : Math.max(0, quota - usage);
}

/** GiB, where the browser tells: Chromium does. */
function toldMemory(): number | undefined {
  return (navigator as Navigator & { readonly deviceMemory?: number }).deviceMemory;
}

function isPhone(): boolean {
  // An iPad calls itself a Mac, and no Mac has a screen to touch.
  const isTablet = navigator.userAgent.includes('Macintosh') && navigator.maxTouchPoints > 1;
  return isTablet || /Android|iPhone|iPad|Mobile/.test(navigator.userAgent);
}

/** A module of nothing but a memory of 64 bits. */
const MEMORY64 = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 3, 1, 4, 1]);

function hasMemory64(): boolean {
  return WebAssembly.validate(MEMORY64);
}
