/** Blocks of a file to codes and scales, on the GPU (repack.wesl). */
import { tensorTypeInfo } from '../formats/blocks';
import type { TensorType } from '../formats/blocks';
import { flatGrid, keptSpec, ParamWriter } from '../device';
import type { Gpu, PipelineSpec } from '../device';
import { layoutConditions } from './layouts';
import type { Layout } from './layouts';
import type { MatrixPart } from './matrix';
import { quantSources } from './shaders';

export function repackSpec(layout: Layout): PipelineSpec {
  return keptSpec(`quant/repack ${layout.name}`, () => ({
    label: `repack ${layout.name}`,
    module: 'quant/repack',
    sources: [quantSources],
    conditions: layoutConditions(layout, layout.chunk),
    bindings: ['uniform', 'read', 'write', 'write'],
  }));
}

/** Repacks whole blocks into a part of a matrix, from its block `first` on. */
export function repackBlocks(gpu: Gpu, part: MatrixPart, first: number, bytes: Uint8Array, type: TensorType): void {
  const { layout } = part;
  const blocks = bytes.length / tensorTypeInfo(type).blockBytes;
  gpu.scoped(() => {
    const source = gpu.scratch([bytes.length], 'u8');
    gpu.writeBytes(source, bytes);
    gpu.dispatch({
      pipeline: gpu.pipeline(repackSpec(layout)),
      bindings: [null, source, part.codes, part.scales!],
      params: new ParamWriter().u32(blocks).u32(first).done(),
      workgroups: flatGrid(gpu, ((blocks * layout.scaled) / layout.chunk) * 4),
    });
  });
}
