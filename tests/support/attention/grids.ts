/** The grids of flash-attention's tests: which inputs each function is tried with. */
import { APPENDS, ROTARIES, STORAGES } from './cache';
import {
  ALIBI,
  DTYPES,
  hasItsDecoder,
  hasItsKernel,
  hasItsModification,
  HEAD_DIMS,
  HEADS,
  LENGTHS,
  MASKS,
  type Grid,
} from './grid';
import type { Row } from '../covering';
import { large } from '../gpu';

// ---- flashAttention: test_flash_attn_output, and sinks -----------------------------------------------------------

const flashFactors = {
  headDim: HEAD_DIMS,
  lengths: LENGTHS,
  heads: HEADS,
  mask: MASKS,
  alibi: ALIBI,
  softcap: [0, 50],
  sinks: [false, true],
  scale: ['1/sqrt(D)', 'scale 0.3'],
  dtype: DTYPES,
} as const;

export type FlashCase = Row<typeof flashFactors>;

export const FLASH_GRID: Grid<typeof flashFactors> = {
  factors: flashFactors,
  isWorthIt: (row) => hasItsModification(row) && hasItsDecoder(row),
  all: {
    ...flashFactors,
    mask: ['no mask', 'causal', 'window', 'causal window'],
    alibi: ['no ALiBi', 'ALiBi [Hq]'],
    scale: ['1/sqrt(D)'],
  },
};

/**
 * Head sizes of the other grids, whose functions run the same kernels on other layouts: a small one, one whose rows are
 * no whole vectors, the two that models have, and the largest.
 */
const SOME_HEAD_DIMS = large ? HEAD_DIMS : ([32, 59, 64, 128, 256] as const);

// ---- flashAttentionWithKvCache: test_flash_attn_kvcache ------------------------------------------------------------

const cacheFactors = {
  headDim: SOME_HEAD_DIMS,
  /** (Sq, rows of the cache) */
  lengths: [
    [1, 128],
    [1, 339],
    [3, 799],
    [3, 1024],
    [64, 256],
    [64, 800],
    [128, 128],
    [5, 32],
  ],
  storage: STORAGES,
  append: APPENDS,
  rotary: ROTARIES,
  heads: HEADS,
  mask: MASKS,
  alibi: ALIBI,
  softcap: [0, 50],
  sinks: [false, true],
  numSplits: [0, 1, 3],
  integers: ['Int32Array', 'i32 Tensor'],
  dtype: DTYPES,
} as const;

export type CacheCase = Row<typeof cacheFactors>;

export const CACHE_GRID: Grid<typeof cacheFactors> = {
  factors: cacheFactors,
  /** Only new keys are rotated, so without any there is no rotation. */
  isPossible: ({ append, rotary }) => !(append === 'append nothing' && rotary !== undefined && rotary !== 'no rotary'),
  /**
   * A D has its kernels with pages and its kernels without; queries are rotated with one of the two, and many queries
   * always split where D does not say otherwise.
   */
  isWorthIt: (row) => {
    const isPaged = row.storage?.startsWith('pages');
    if (!hasItsKernel(row, isPaged) || !hasItsRows(row)) return false;
    if (row.headDim === undefined || isPaged === undefined || row.rotary === undefined) return true;
    const isRotated = (HEAD_DIMS.indexOf(row.headDim) + (isPaged ? 1 : 0)) % 2 === 1;
    return isRotated === (row.rotary !== 'no rotary');
  },
  all: {
    ...cacheFactors,
    headDim: [59, 128],
    mask: ['no mask', 'causal', 'window', 'causal window'],
    alibi: ['no ALiBi', 'ALiBi [Hq]'],
    softcap: [0],
    sinks: [false],
    numSplits: [0, 1],
    integers: ['Int32Array'],
    dtype: ['f16', 'f32'],
  },
};

/** Decode kernels for 4 and 8 rows suffice, but for the smallest D; and for some D many queries are always split. */
function hasItsRows({ headDim, lengths, heads, numSplits }: Partial<CacheCase>): boolean {
  if (headDim === undefined || lengths === undefined || headDim === 32) return true;
  if (lengths[0] >= 64) return numSplits !== 0 || headDim === 59 || headDim === 128;
  return lengths[0] > 3 || heads === undefined || (heads === 'MHA') === (lengths[0] === 3);
}

// ---- flashAttentionVarlen ----------------------------------------------------------------------------------------

const varlenFactors = {
  headDim: SOME_HEAD_DIMS,
  sequences: ['one sequence', 'ragged sequences', 'empty ones among them', 'one query each'],
  pageSize: [0, 16, 256],
  heads: HEADS,
  mask: MASKS,
  alibi: ALIBI,
  softcap: [0, 50],
  sinks: [false, true],
  integers: ['Int32Array', 'i32 Tensor'],
  dtype: DTYPES,
} as const;

export type VarlenCase = Row<typeof varlenFactors>;

export const VARLEN_GRID: Grid<typeof varlenFactors> = {
  factors: varlenFactors,
  isWorthIt: (row) => hasItsKernel(row, row.pageSize === undefined ? undefined : row.pageSize > 0),
  all: {
    ...varlenFactors,
    mask: ['no mask', 'causal', 'window', 'causal window'],
    alibi: ['no ALiBi', 'ALiBi [B,Hq]'],
    integers: ['Int32Array'],
  },
};
