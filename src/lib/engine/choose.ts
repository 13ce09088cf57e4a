/** Decides between the GPU and the processor, and remembers why: people are told. */
import { GpuError, openGpu, type Gpu } from '$gpu';
import { openOnGpu } from './gpu-open';
import type { LoadContext, Opened, Way } from './host';
import { placeOf } from './place';
import type { LoadRequest, PathReason } from './protocol';

/** An adapter of software does slower what the processor's own path does well: it has to be asked for. */
export async function choose({ path = 'auto' }: LoadRequest): Promise<Way> {
  if (path === 'cpu') return { path: 'cpu', reason: 'asked' };
  try {
    // What a model needs it prepares itself.
    const gpu = await openGpu({ prepare: [] });
    if (path === 'auto' && gpu.info.isFallback) {
      gpu.destroy();
      return { path: 'cpu', reason: 'software-gpu' };
    }
    return { path: 'gpu', reason: path === 'gpu' ? 'asked' : 'gpu', open: (context) => open(gpu, context) };
  } catch (error) {
    if (path === 'gpu' || !(error instanceof GpuError)) throw error;
    return { path: 'cpu', reason: reasonFor(error), detail: error.message };
  }
}

async function open(gpu: Gpu, { request, signal, progress }: LoadContext): Promise<Opened> {
  try {
    const place = await placeOf(request, signal);
    const { name, bytes, model, network, quantised } = await openOnGpu(gpu, place, { ...request, signal, progress });
    const facts = { name, bytes, adapter: adapterName(gpu), ...(request.quant && { quantised }) };
    return {
      model,
      facts,
      profile: async (promptTokens) => (await import('./bench/profile')).profileModel(gpu, network, promptTokens),
    };
  } catch (error) {
    gpu.destroy();
    throw error;
  }
}

function adapterName({ info }: Gpu): string {
  return info.description || [info.vendor, info.architecture, info.device].filter(Boolean).join(' ');
}

function reasonFor({ code }: GpuError): PathReason {
  return code === 'no-webgpu' || code === 'no-adapter' ? code : 'gpu-failed';
}
