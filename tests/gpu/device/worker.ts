/** What a page's worker does with the GPU: opens it, computes, answers. */
import { openGpu } from '$gpu/device';
import { scale } from './kernels';

self.onmessage = async ({ data }: MessageEvent<number[]>) => {
  try {
    const gpu = await openGpu();
    const source = gpu.upload(data, [data.length]);
    const target = gpu.empty([data.length], 'f32');
    scale(gpu, source, target, 2);
    self.postMessage([...(await gpu.download(target))]);
    gpu.destroy();
  } catch (error) {
    self.postMessage(String(error));
  }
};
