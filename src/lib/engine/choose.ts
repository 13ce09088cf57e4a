/** Decides between the GPU and the processor, and remembers why: people are told. */
import { GpuError, openGpu } from '$gpu';
import type { Way } from './host';
import type { LoadRequest, PathReason } from './protocol';

/** An adapter of software does slower what the processor's own path does well. */
export async function choose({ path = 'auto' }: LoadRequest): Promise<Way> {
  if (path === 'cpu') return { path: 'cpu', reason: 'asked' };
  try {
    const gpu = await openGpu({ prepare: [] });
    if (path === 'auto' && gpu.info.isFallback) {
      gpu.destroy();
      return { path: 'cpu', reason: 'software-gpu' };
    }
    gpu.destroy();
    throw new GpuError('argument', 'Models do not run on the GPU yet.');
  } catch (error) {
    if (path === 'gpu' || !(error instanceof GpuError)) throw error;
    return { path: 'cpu', reason: reasonFor(error), detail: error.message };
  }
}

function reasonFor({ code }: GpuError): PathReason {
  if (code === 'no-webgpu' || code === 'no-adapter') return code;
  return 'gpu-failed';
}
