/** The grids of flash-attention's tests: which inputs each function is tried with. */
import { APPENDS, ROTARIES, STORAGES } from './cache';
import { ALIBI, DTYPES, hasItsKernel, hasItsModification, HEAD_DIMS, HEADS, LENGTHS, MASKS, type Grid } from './grid';
import type { Row } from '../covering';

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
  isWorthIt: hasItsModification,
  all: {
    ...flashFactors,
    mask: ['no mask', 'causal', 'window', 'causal window'],
    alibi: ['no ALiBi', 'ALiBi [Hq]'],
    scale: ['1/sqrt(D)'],
  },
};

// ---- flashAttentionWithKvCache: test_flash_attn_kvcache ------------------------------------------------------------

const cacheFactors = {
  headDim: HEAD_DIMS,
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
  /** A D has two kernels here, one for pages and one without; and queries are rotated with one of the two. */
  isWorthIt: (row) => {
    const isPaged = row.storage?.startsWith('pages');
    if (!hasItsKernel(row, isPaged)) return false;
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

// ---- flashAttentionVarlen ----------------------------------------------------------------------------------------

const varlenFactors = {
  headDim: HEAD_DIMS,
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
