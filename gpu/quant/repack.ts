/** Blocks of a file to codes and scales, on the GPU (repack.wesl). */
import { blockMapOf } from '../formats/block_maps';
import type { BlockMap, EntryKind } from '../formats/block_maps';
import { tensorTypeInfo } from '../formats/blocks';
import type { TensorType } from '../formats/blocks';
import { packedPlaces } from '../formats/iq_blocks';
import { flatGrid, keptSpec, ParamWriter } from '../device';
import type { Gpu, PipelineSpec } from '../device';
import { chunkWords, layoutConditions, layoutConstants, layoutOf, sideWords } from './layouts';
import type { MatrixPart } from './matrix';
import { quantSources } from './shaders';

export function repackSpec(type: TensorType): PipelineSpec {
  return keptSpec(`quant/repack ${type}`, () => {
    const layout = layoutOf(type)!;
    const map = blockMapOf(type)!;
    return {
      label: `repack ${type}`,
      module: 'quant/repack',
      sources: [quantSources],
      conditions: { ...layoutConditions(layout, layout.group), ...mapConditions(map, layout.high > 0) },
      constants: { ...layoutConstants(layout), HIGH_BITS: `${layout.high || 8}u`, ...mapConstants(type, map) },
      bindings: ['uniform', 'read', 'write', 'write'],
    };
  });
}

const ENTRY_CONDITIONS: Readonly<Record<EntryKind, string>> = {
  bytes: 'ENTRIES_BYTES',
  q3: 'ENTRIES_Q3',
  q4: 'ENTRIES_Q4',
  iq4: 'ENTRIES_IQ4',
  iq2: 'ENTRIES_IQ2',
};

function mapConditions({ planes, entries }: BlockMap, above: boolean): Record<string, boolean> {
  const kinds = Object.entries(ENTRY_CONDITIONS).map(([kind, name]) => [name, entries?.kind === kind] as const);
  return { ...Object.fromEntries(kinds), PLACED: planes.length === 0, ABOVE: above };
}

function mapConstants(type: TensorType, { heads, planes, entries }: BlockMap): Record<string, string> {
  const [low, above] = planes;
  const [first, second = first] = heads;
  const places = planes.length === 0 ? packedPlaces() : [0];
  return {
    BLOCK_BYTES: `${tensorTypeInfo(type).blockBytes}u`,
    HEAD_AT: `array<u32, 2>(${first.at}u, ${second.at}u)`,
    HEAD_TIMES: `array<f32, 2>(f32(${first.times}), f32(${second.times}))`,
    LOW_AT: `${low?.at ?? 0}u`,
    LOW_RUN: `${low?.run ?? 32}u`,
    ABOVE_AT: `${above?.at ?? 0}u`,
    ABOVE_RUN: `${above?.run ?? 32}u`,
    ENTRIES_AT: `${entries?.at ?? 0}u`,
    PLACES: `array<u32, ${places.length}>(${places.map((place) => `${place}u`).join()})`,
  };
}

/** Repacks whole blocks of a type into a part of a matrix, from its group `first` on: a group is a block. */
export function repackBlocks(gpu: Gpu, part: MatrixPart, first: number, bytes: Uint8Array, type: TensorType): void {
  const { layout } = part;
  const groups = bytes.length / tensorTypeInfo(type).blockBytes;
  const words = (layout.group / layout.chunk) * chunkWords(layout) + sideWords(layout).all;
  gpu.scoped(() => {
    const source = gpu.scratch([bytes.length], 'u8');
    gpu.writeBytes(source, bytes);
    gpu.dispatch({
      pipeline: gpu.pipeline(repackSpec(type)),
      bindings: [null, source, part.codes, part.scales!],
      params: new ParamWriter().u32(groups).u32(first).done(),
      workgroups: flatGrid(gpu, groups * words),
    });
  });
}
