/** The decode schedule: few queries on many keys, split over the keys in two direct dispatches. */
import type { Gpu, PipelineSpec } from '../device';
import { mergeParts, partsFor } from './merge';
import { bindOperand, problemParams } from './problem';
import type { Call } from './problem';
import { attentionBindings, keptSpec, sources, storageConditions, traitsKey, traitsOf } from './specs';
import type { Traits } from './specs';

/** Query rows (GQA heads folded in) of one workgroup at most; decode.wesl's reductions are made for 8. */
const TILE_ROWS = 8;
/** Keys that make a split worth a workgroup of its own: two spans of decode.wesl. */
const SPLIT_KEYS = 256;
/** Workgroups that keep a GPU of today busy; beyond them splits only cost merging. */
const BUSY = 256;

/** Lanes that read a key together in the shuffled kernel, where subgroups are as wide: 128 bytes of f32. */
const LANES = 8;
const FEWEST_LANES = 4;

/** What a decode kernel is made of: see DecodeKernel in run.ts. */
interface Decoder {
  readonly rows: number;
  readonly shuffled?: boolean;
}

export function decodeSpec(gpu: Gpu, traits: Traits, { rows, shuffled = false }: Decoder): PipelineSpec {
  const lanes = shuffled ? Math.min(LANES, gpu.info.subgroupMinSize) : LANES;
  return keptSpec(`decode ${rows} ${shuffled} ${lanes} ${traitsKey(traits)}`, () => ({
    label: 'attention/decode',
    module: 'attention/decode',
    sources,
    conditions: { ...storageConditions(traits, false), SHUFFLED: shuffled },
    constants: { HEAD_DIM: traits.headDim, ROWS: rows, LANES: lanes },
    bindings: attentionBindings(traits),
  }));
}

/** Rows a workgroup takes for this many in all: a power of two. */
export function decodeTileRows(rows: number): number {
  return Math.min(TILE_ROWS, 2 ** Math.ceil(Math.log2(Math.max(1, rows))));
}

/** Whether this device can run the shuffled kernel for such inputs. */
export function shuffles(gpu: Gpu, { headDim }: Traits): boolean {
  return gpu.has.subgroups && gpu.info.subgroupMinSize >= FEWEST_LANES && headDim >= 4 * LANES;
}

/** Query rows of a key head: GQA heads folded in. */
export function rowsOf({ dims }: Call): number {
  return dims.seqQ * (dims.headsQ / dims.headsKv);
}

/** Workgroups for one split of one batch entry. */
export function decodeTiles(call: Call): number {
  const rows = rowsOf(call);
  return call.dims.headsKv * Math.ceil(rows / decodeTileRows(rows));
}

export function launchDecode(gpu: Gpu, call: Call, shuffled = false): void {
  const { dims, sequences, paging } = call;
  const tileRows = decodeTileRows(rowsOf(call));
  const tiles = decodeTiles(call);
  const splits = splitsOf(call, tiles);
  const [q, k, v] = [bindOperand(call.q), bindOperand(call.k), bindOperand(call.v)];
  gpu.scoped(() => {
    const parts = partsFor(gpu, call, splits);
    gpu.dispatch({
      pipeline: gpu.pipeline(decodeSpec(gpu, { ...traitsOf(call), out: 'f32' }, { rows: tileRows, shuffled })),
      bindings: [
        null,
        q.binding,
        k.binding,
        v.binding,
        parts.out,
        parts.lse,
        sequences?.tensor ?? null,
        paging?.table ?? null,
      ],
      params: problemParams(call, { q: q.offset, k: k.offset, v: v.offset }, { splits }),
      workgroups: [splits, tiles, dims.batch],
    });
    mergeParts(gpu, call, parts);
  });
}

/** As many splits as keep the GPU busy, and no more than there are keys for. */
function splitsOf({ dims, splits, scoring }: Call, tiles: number): number {
  if (splits > 0) return splits;
  const workgroups = Math.max(1, dims.batch * tiles);
  const seen = Math.min(dims.seqK, scoring.left + dims.seqQ);
  return Math.max(1, Math.min(Math.ceil(seen / SPLIT_KEYS), Math.ceil(BUSY / workgroups)));
}
