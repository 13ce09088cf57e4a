/**
 * The prefill kernels to choose from. Which is best depends on the device, and which is right may: the self-test finds
 * both (selftest.ts). A variant is data: a shader, its constants, and what it needs.
 */
import type { Gpu, PipelineSpec } from '../device';
import { attentionBindings, fits, keptSpec, sources, storageConditions, traitsKey } from './specs';
import type { Traits } from './specs';

export interface Variant {
  readonly name: string;
  /** Query rows (GQA heads folded in) of one workgroup. */
  readonly tileRows: number;
  /** Whether it is worth a try on this software adapter, where a kernel takes seconds to compile; default no. */
  onSoftware?(gpu: Gpu): boolean;
  /** Whether this device can run it for such inputs at all. */
  fits(gpu: Gpu, traits: Traits): boolean;
  spec(gpu: Gpu, traits: Traits): PipelineSpec;
}

export interface Tile {
  readonly rows: number;
  readonly keys: number;
  /** Rows a thread. */
  readonly rowsPerThread: number;
}

/** How tile.wesl cuts head_dim and workgroup memory for a tile; bytes as it declares them. */
export function tilePlan(
  tile: Tile,
  headDim: number,
): { constants: Record<string, number>; threads: number; memory: number } {
  const vectors = Math.ceil(headDim / 4);
  const across = tile.keys / 4;
  const chunk = Math.ceil(vectors / Math.ceil(vectors / 8));
  const columnsStaged = Math.min(Math.ceil(vectors / across), 2);
  const staged = (tile.rows + tile.keys) * (chunk + 1);
  const stage = Math.max(staged, tile.keys * (columnsStaged * across + 1), tile.rows * across);
  const weights = tile.rows * (across + 1);
  const addresses = tile.rows + 2 * tile.keys;
  const exchange = tile.rows * across;
  return {
    constants: {
      HEAD_DIM: headDim,
      TILE_ROWS: tile.rows,
      TILE_KEYS: tile.keys,
      ROWS: tile.rowsPerThread,
      CHUNK: chunk,
      COLUMNS_STAGED: columnsStaged,
    },
    threads: (tile.rows / tile.rowsPerThread) * across,
    memory: (stage + weights) * 16 + (addresses + exchange) * 4,
  };
}

/** prefill_tile.wesl. With `subgroups`, the threads of a row trade their maxima by shuffles. */
function tiled(tile: Tile, { subgroups = false, native = false } = {}): Variant {
  const name = `tile ${tile.rows}x${tile.keys}/${tile.rowsPerThread}${suffix(subgroups, native)}`;
  return {
    name,
    tileRows: tile.rows,
    fits: (gpu, traits) =>
      fits(gpu, tilePlan(tile, traits.headDim)) &&
      registersOf(tile, traits.headDim) <= REGISTERS &&
      (!subgroups || (gpu.has.subgroups && gpu.info.subgroupMinSize >= tile.keys / 4)) &&
      (!native || nativeHalves(gpu, traits)),
    spec: (_, traits) =>
      keptSpec(`${name} ${traitsKey(traits)}`, () => ({
        label: 'attention/prefill_tile',
        module: 'attention/prefill_tile',
        sources,
        conditions: { ...storageConditions(traits, native), SUBGROUPS: subgroups },
        constants: tilePlan(tile, traits.headDim).constants,
        bindings: attentionBindings(traits),
      })),
  };
}

/** Keys of a step of the looped broadcast kernel: fewer, and moving rows costs more than the work on them. */
const LOOPED_STEP = 16;

/** prefill_subgroup.wesl: `rows` query rows a lane. `looped`: for software adapters. */
function broadcast(rows: number, lanes: number, { native = false, looped = false } = {}): Variant {
  const name = `broadcast ${rows * lanes}/${rows}${looped ? ' looped' : ''}${suffix(false, native)}`;
  return {
    name,
    tileRows: rows * lanes,
    fits: (gpu, traits) =>
      gpu.has.subgroups &&
      gpu.info.subgroupMinSize >= 4 &&
      fits(gpu, { threads: lanes, memory: 0 }) &&
      (looped || 2 * rows * traits.headDim <= REGISTERS) &&
      (!native || nativeHalves(gpu, traits)),
    spec: (gpu, traits) => {
      const { constants, conditions } = broadcastPlan(gpu, traits.headDim, { rows, lanes, looped });
      return keptSpec(`${name} ${constants['KEYS']} ${traitsKey(traits)}`, () => ({
        label: 'attention/prefill_subgroup',
        module: 'attention/prefill_subgroup',
        sources,
        conditions: { ...storageConditions(traits, native), ...conditions },
        constants,
        bindings: attentionBindings(traits),
      }));
    },
  };
}

/** What broadcast.wesl is linked with. */
function broadcastPlan(
  gpu: Gpu,
  headDim: number,
  { rows, lanes, looped }: { rows: number; lanes: number; looped: boolean },
): { constants: Record<string, number>; conditions: Record<string, boolean> } {
  const keys = gpu.info.subgroupMinSize >= 8 ? 8 : 4;
  const sets = looped ? LOOPED_STEP / keys : 1;
  return {
    constants: { HEAD_DIM: headDim, LANES: lanes, ROWS: rows, KEYS: keys, SETS: sets },
    conditions: { KEYS_8: keys === 8, LOOPED: looped },
  };
}

function suffix(subgroups: boolean, native: boolean): string {
  return `${subgroups ? ' shuffled' : ''}${native ? ' f16' : ''}`;
}

/** 32-bit registers that a thread's part of the output takes. */
function registersOf(tile: Tile, headDim: number): number {
  return tile.rowsPerThread * Math.ceil(headDim / tile.keys) * 4;
}
/** For what a thread keeps through all tiles. Above some 150, drivers spill to memory. */
const REGISTERS = 144;

function nativeHalves(gpu: Gpu, traits: Traits): boolean {
  return gpu.has.f16 && !traits.ragged && (traits.q === 'f16' || traits.kv === 'f16');
}

const LARGE: Tile = { rows: 64, keys: 32, rowsPerThread: 8 };
const MEDIUM: Tile = { rows: 64, keys: 32, rowsPerThread: 4 };
const SMALL: Tile = { rows: 32, keys: 32, rowsPerThread: 4 };
const TINY: Tile = { rows: 16, keys: 32, rowsPerThread: 2 };

/** In the order in which they are tried where nothing has been measured: the one that runs everywhere comes first. */
export const PREFILL_VARIANTS: readonly Variant[] = [
  tiled(MEDIUM),
  { ...tiled(SMALL), onSoftware: ({ has }) => !has.subgroups },
  tiled(TINY),
  tiled(LARGE),
  tiled(MEDIUM, { subgroups: true }),
  tiled(LARGE, { subgroups: true }),
  { ...broadcast(4, 32, { looped: true }), onSoftware: () => true },
  broadcast(1, 64),
  tiled(MEDIUM, { subgroups: true, native: true }),
  tiled(LARGE, { subgroups: true, native: true }),
  broadcast(1, 64, { native: true }),
];

/** How the materialised baseline multiplies: as the flash kernel does that is best on such a device. */
export interface Products {
  /** What the names of its modules end in. */
  readonly ending: '' | '_broadcast';
  /** Rows of a workgroup, and keys of one that computes scores. */
  readonly rows: number;
  readonly keys: number;
  readonly constants: Record<string, number>;
  readonly conditions: Record<string, boolean>;
}

/** `plain`: needs nothing that a device may lack or do wrongly. */
export function standardProducts(gpu: Gpu, headDim: number, { plain }: { plain: boolean }): Products {
  if (!plain && gpu.info.isFallback && gpu.has.subgroups && gpu.info.subgroupMinSize >= 4) {
    const [rows, lanes, keys] = [4, 32, 256];
    const { constants, conditions } = broadcastPlan(gpu, headDim, { rows, lanes, looped: true });
    return { ending: '_broadcast', rows: rows * lanes, keys, constants: { ...constants, SPAN: keys }, conditions };
  }
  const tile = [MEDIUM, SMALL, TINY].find((one) => fits(gpu, tilePlan(one, headDim))) ?? TINY;
  const { constants } = tilePlan(tile, headDim);
  return { ending: '', rows: tile.rows, keys: tile.keys, constants, conditions: {} };
}
