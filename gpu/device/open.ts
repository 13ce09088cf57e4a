/**
 * `openGpu`: adapter, device, and whatever the caller wants to be ready before the first call.
 */
import { openDevice } from './adapter';
import type { AdapterOptions } from './adapter';
import type { GpuEvents } from './events';
import { Gpu } from './gpu';
import type { GpuOptions } from './gpu';

/**
 * What a room above wants done before the first call: link, compile, choose between variants, self-test. This room
 * knows none of them; whoever opens the GPU hands them in.
 */
export interface Preparation {
  readonly name: string;
  prepare(gpu: Gpu): Promise<void>;
}

export interface OpenGpuOptions extends AdapterOptions, GpuOptions {
  readonly prepare?: readonly Preparation[];
  readonly onLost?: (event: GpuEvents['lost']) => void;
  readonly onOutOfMemory?: (event: GpuEvents['outOfMemory']) => void;
  readonly onError?: (event: GpuEvents['error']) => void;
}

/**
 * Opens the GPU of a page, a worker, or Node. Rejects with NoWebGpuError, NoAdapterError, LimitError, or what a
 * preparation fails with; a device that was opened by then is closed again.
 */
export async function openGpu(options: OpenGpuOptions = {}): Promise<Gpu> {
  const gpu = new Gpu(await openDevice(options), options);
  if (options.onLost) gpu.on('lost', options.onLost);
  if (options.onOutOfMemory) gpu.on('outOfMemory', options.onOutOfMemory);
  if (options.onError) gpu.on('error', options.onError);
  try {
    await Promise.all((options.prepare ?? []).map((preparation) => runPreparation(gpu, preparation)));
    return gpu;
  } catch (error) {
    gpu.destroy();
    throw error;
  }
}

async function runPreparation(gpu: Gpu, preparation: Preparation): Promise<void> {
  const start = performance.now();
  await preparation.prepare(gpu);
  gpu.note({ room: 'device', name: preparation.name, text: 'prepared', ms: performance.now() - start });
}
