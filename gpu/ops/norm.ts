/** RMSNorm of rows (norm.wesl). */
import { ArgumentError, describe, flatGrid, keptSpec, ParamWriter } from '../device';
import type { Gpu, PipelineSpec, Tensor } from '../device';
import { sources } from './shaders';

export type NormMode = 'plain' | 'added';

export function normSpec(mode: NormMode = 'plain'): PipelineSpec {
  return keptSpec(`ops/norm ${mode}`, () => ({
    label: mode === 'added' ? 'norm added' : 'norm',
    module: 'ops/norm',
    sources,
    conditions: { ADDED: mode === 'added' },
    bindings: ['uniform', 'read', 'read', 'write'],
  }));
}

export interface NormOptions {
  readonly eps: number;
  /** Default 'plain'. */
  readonly mode?: NormMode;
  /** Row of x that y's first row is of; default 0. */
  readonly firstRow?: number;
}

/**
 * Records y = x / sqrt(mean(x^2) + eps) * gain, or y += that, for M rows of x `[.., K]`, y `[M, K]` and gain `[K]`, all
 * f32, K a multiple of 4.
 */
export function rmsNorm(gpu: Gpu, x: Tensor, gain: Tensor, y: Tensor, options: NormOptions): void {
  const { eps, mode = 'plain', firstRow = 0 } = options;
  const columns = x.shape.at(-1) ?? 0;
  if (columns % 4 !== 0 || x.dtype !== 'f32') throw new ArgumentError('x', describe(x), 'f32 with rows of whole vec4s');
  if (gain.size !== columns) throw new ArgumentError('gain', describe(gain), `f32 [${columns}]`);
  const rows = y.size / columns;
  if (y.shape.at(-1) !== columns || (firstRow + rows) * columns > x.size) {
    throw new ArgumentError('y', describe(y), `rows of x, ${describe(x)}, from ${firstRow} on`);
  }
  gpu.dispatch({
    pipeline: gpu.pipeline(normSpec(mode)),
    bindings: [null, x, gain, y],
    params: new ParamWriter()
      .u32(rows)
      .u32(columns / 4)
      .f32(eps)
      .u32(firstRow)
      .done(),
    workgroups: flatGrid(gpu, rows, 1),
  });
}
