/** Token ids to rows of the embedding (embed.wesl). */
import { ArgumentError, describe, flatGrid, keptSpec, ParamWriter } from '../device';
import type { Gpu, PipelineSpec, Tensor } from '../device';
import { layoutConditions, layoutConstants } from '../quant';
import type { Layout, Matrix } from '../quant';
import { sources } from './shaders';

export function embedSpec(layout: Layout, columns: number): PipelineSpec {
  return keptSpec(`ops/embed ${layout.name} ${columns % layout.chunk !== 0}`, () => ({
    label: `embed ${layout.name}`,
    module: 'ops/embed',
    sources,
    conditions: layoutConditions(layout, columns),
    constants: layoutConstants(layout),
    bindings: ['uniform', 'read', layout.scaled > 0 ? 'read' : 'none', 'read', 'write'],
  }));
}

export interface EmbedOptions {
  /** Element of the ids that the first one is; default 0. */
  readonly first?: number;
  /** What rows are multiplied by; default 1. */
  readonly scale?: number;
}

/** Records x `[M, K]` f32 = rows of the matrix, for M ids of an i32 tensor. */
export function embed(
  gpu: Gpu,
  ids: Tensor,
  matrix: Matrix,
  x: Tensor,
  { first = 0, scale = 1 }: EmbedOptions = {},
): void {
  const tokens = x.size / matrix.columns;
  if (x.dtype !== 'f32' || !Number.isInteger(tokens)) {
    throw new ArgumentError('x', describe(x), `f32 with rows of ${matrix.columns}`);
  }
  if (ids.dtype !== 'i32' || first + tokens > ids.size) {
    throw new ArgumentError('ids', describe(ids), `i32 with ${tokens} ids from ${first} on`);
  }
  for (const { layout, chunks, firstRow, rows, codes, scales } of matrix.parts) {
    gpu.dispatch({
      pipeline: gpu.pipeline(embedSpec(layout, matrix.columns)),
      bindings: [null, codes, scales ?? null, ids, x],
      params: new ParamWriter()
        .u32(tokens)
        .u32(first)
        .u32(chunks)
        .u32(matrix.columns / 4)
        .u32(firstRow)
        .u32(rows)
        .f32(scale)
        .done(),
      workgroups: flatGrid(gpu, tokens * chunks),
    });
  }
}
