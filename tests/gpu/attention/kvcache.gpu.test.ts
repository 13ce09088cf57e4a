/** flashAttentionWithKvCache over flash-attention's grid: appended, rotated, padded, indexed, paged, split. */
import { describe, it } from 'vitest';
import { useGpu } from '../../support/attention/device';
import { cacheProblem, type CacheSetup } from '../../support/attention/cache';
import { expectCacheAppended, runOnCache, type CallStyle } from '../../support/attention/cache_device';
import { extraOptions, HEAD_COUNTS, maskOptions, rowsOf } from '../../support/attention/grid';
import { CACHE_GRID, type CacheCase } from '../../support/attention/grids';
import { seedOf } from '../../support/attention/problem';
import { expectByTheRule, judgeOf } from '../../support/attention/rule';
import { testEachRow } from '../../support/attention/suite';

const groupOf = ({ headDim, lengths }: CacheCase): string => `D ${headDim}, ${lengths.join(' x ')}`;

function titleOf(row: CacheCase): string {
  const { storage, append, rotary, heads, mask, alibi, softcap, sinks, numSplits, integers, dtype } = row;
  const extras = [alibi, `softcap ${softcap}`, sinks ? 'sinks' : 'no sinks', `${numSplits} splits`, integers, dtype];
  return [groupOf(row), storage, append, rotary, heads, mask, ...extras].join(', ');
}

function setupOf(row: CacheCase): CacheSetup {
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
    const { inputs, problem: gathered } = problem.gathered;
    expectByTheRule(run, judgeOf(gathered, inputs, problem.rotary !== undefined));
  }

  testEachRow(rowsOf(CACHE_GRID), { title: titleOf, group: groupOf }, (row) => check(setupOf(row), row));

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
