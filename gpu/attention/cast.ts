/** Conversion between float dtypes on the GPU (cast.wesl). */
import { ArgumentError, ParamWriter, describe, flatGrid } from '../device';
import type { DType, Gpu, PipelineSpec, Tensor } from '../device';
import { keptSpec, sources } from './specs';

function castSpec(from: DType, to: DType): PipelineSpec {
  return keptSpec(`cast ${from} ${to}`, () => ({
    label: 'attention/cast',
    module: 'attention/cast',
    sources,
    conditions: {
      FROM_F32: from === 'f32',
      FROM_F16: from === 'f16',
      FROM_BF16: from === 'bf16',
      TO_F32: to === 'f32',
      TO_F16: to === 'f16',
      TO_BF16: to === 'bf16',
    },
    bindings: ['uniform', 'read', 'write'],
  }));
}

/**
 * `to = from`, element by element: f32 to f16 or bf16, rounded to nearest even, or any float dtype to f32. Towards f32,
 * rows of `width` elements may land `pitch` apart, from element `offset` on.
 */
export function castTensor(
  gpu: Gpu,
  from: Tensor,
  to: Tensor,
  rows?: { width: number; pitch: number; offset: number },
): void {
  if (to.dtype !== 'f32' && from.dtype !== 'f32') {
    throw new ArgumentError('from', describe(from), `f32, to be cast to ${to.dtype}`);
  }
  const { width, pitch, offset } = rows ?? { width: from.size, pitch: from.size, offset: 0 };
  if (from.size === 0) return;
  gpu.dispatch({
    pipeline: gpu.pipeline(castSpec(from.dtype, to.dtype)),
    bindings: [null, from, to],
    params: new ParamWriter().u32(from.size).u32(width).u32(pitch).u32(offset).done(),
    workgroups: flatGrid(gpu, Math.ceil(from.size / 2)),
  });
}
