/**
 * The public face of this floor: the GPU, its memory, and attention.
 */
import { attention } from './attention';
import { openGpu as openBareGpu } from './device';
import type { Gpu, OpenGpuOptions } from './device';

export * from './attention';
export {
  ArgumentError,
  Gpu,
  GpuError,
  GpuLostError,
  LimitError,
  NoAdapterError,
  NoWebGpuError,
  OutOfMemoryError,
  SelfTestError,
  ShaderError,
  Tensor,
  ValidationError,
  formatProfile,
  formatReport,
} from './device';
export type { DType, GpuErrorCode, GpuReport, OpenGpuOptions, Plan, Preparation, ProfileRow } from './device';

/** Opens the GPU, with attention compiled, tested and chosen unless `prepare` says otherwise. */
export async function openGpu(options: OpenGpuOptions = {}): Promise<Gpu> {
  return openBareGpu({ ...options, prepare: options.prepare ?? [attention()] });
}
