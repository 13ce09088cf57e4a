/** flashAttentionWithKvCache over flash-attention's grid: appended, rotated, padded, indexed, paged, split. */
import { describe, it } from 'vitest';
import { useGpu } from '../../support/attention/device';
import { APPENDS, cacheProblem, ROTARIES, STORAGES, type CacheSetup } from '../../support/attention/cache';
import { expectCacheAppended, runOnCache, type CallStyle } from '../../support/attention/cache_device';
import {
  ALIBI,
  DTYPES,
  extraOptions,
  gridOf,
  hasItsKernel,
  HEAD_COUNTS,
  HEAD_DIMS,
  HEADS,
  maskOptions,
  MASKS,
} from '../../support/attention/grid';
import { seedOf } from '../../support/attention/problem';
import { expectByTheRule, judgeOf } from '../../support/attention/rule';
import { testEachRow } from '../../support/attention/suite';
import type { Row } from '../../support/covering';

const factors = {
  headDim: HEAD_DIMS,
  /** (Sq, rows of the cache), as in flash-attention's test_flash_attn_kvcache. */
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

type Case = Row<typeof factors>;

/** What flash-attention's own test multiplies out. */
const product = {
  ...factors,
  headDim: [59, 128],
  mask: ['no mask', 'causal', 'window', 'causal window'],
  alibi: ['no ALiBi', 'ALiBi [Hq]'],
  softcap: [0],
  sinks: [false],
  numSplits: [0, 1],
  integers: ['Int32Array'],
  dtype: ['f16', 'f32'],
} as const;

/** Only new keys are rotated, so without any there is no rotation. */
const isPossible = ({ append, rotary }: Partial<Case>): boolean =>
  !(append === 'append nothing' && rotary !== undefined && rotary !== 'no rotary');

/** A D has two kernels here: one for pages and one without; and queries are rotated with one of the two. */
const isWorthIt = (row: Partial<Case>): boolean => {
  const isPaged = row.storage?.startsWith('pages');
  if (!hasItsKernel(row, isPaged)) return false;
  if (row.headDim === undefined || isPaged === undefined || row.rotary === undefined) return true;
  const isRotated = (HEAD_DIMS.indexOf(row.headDim) + (isPaged ? 1 : 0)) % 2 === 1;
  return isRotated === (row.rotary !== 'no rotary');
};

const groupOf = ({ headDim, lengths }: Case): string => `D ${headDim}, ${lengths.join(' x ')}`;

function titleOf(row: Case): string {
  const { storage, append, rotary, heads, mask, alibi, softcap, sinks, numSplits, integers, dtype } = row;
  const extras = [alibi, `softcap ${softcap}`, sinks ? 'sinks' : 'no sinks', `${numSplits} splits`, integers, dtype];
  return [groupOf(row), storage, append, rotary, heads, mask, ...extras].join(', ');
}

function setupOf(row: Case): CacheSetup {
  const seed = seedOf(titleOf(row));
  const [headsQ, headsKv] = HEAD_COUNTS[row.heads];
  const [seqQ, seqK] = row.lengths;
  return {
    shapes: { batch: 2, seqQ, seqK, headsQ, headsKv, headDim: row.headDim },
    options: { ...maskOptions(row.mask, seqK, seed), ...extraOptions(row, 2, headsQ, seed) },
    dtype: row.dtype,
    storage: row.storage,
    append: row.append,
    rotary: row.rotary,
    seed,
  };
}

describe('flashAttentionWithKvCache: the rule, and nothing written but the appended rows', () => {
  const gpu = useGpu();

  async function check(setup: CacheSetup, style: CallStyle): Promise<void> {
    const problem = cacheProblem(setup);
    const run = await runOnCache(gpu(), problem, style);
    expectCacheAppended(problem, run);
    expectByTheRule(run, judgeOf(problem.gathered.problem, problem.gathered.inputs));
  }

  testEachRow(gridOf(factors, { isPossible, isWorthIt, all: product }), { title: titleOf, group: groupOf }, (row) =>
    check(setupOf(row), row),
  );

  it.each([0, 1, 7])('16 queries on a cache of 20000 rows, %i splits', async (numSplits) => {
    await check(
      {
        shapes: { batch: 1, seqQ: 16, seqK: 20000, headsQ: 2, headsKv: 1, headDim: 32 },
        options: { causal: true },
        dtype: 'f16',
        storage: 'cache',
        append: 'append Sq',
        rotary: 'whole split rotary',
        seed: 16 + numSplits,
      },
      { numSplits, integers: 'i32 Tensor' },
    );
  });
});
