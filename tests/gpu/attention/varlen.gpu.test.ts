/** flashAttentionVarlen: sequences of different lengths in one call, each held to flash-attention's rule. */
import { describe, it } from 'vitest';
import { useGpu } from '../../support/attention/device';
import { extraOptions, HEAD_COUNTS, maskOptions, rowsOf } from '../../support/attention/grid';
import { VARLEN_GRID, type VarlenCase } from '../../support/attention/grids';
import { seedOf } from '../../support/attention/problem';
import { testEachRow } from '../../support/attention/suite';
import { checkVarlen, type VarlenProblem } from '../../support/attention/varlen';

/** [queries, keys] of each sequence. */
const BATCHES = {
  'one sequence': [[128, 217]],
  'ragged sequences': [
    [1, 239],
    [113, 203],
    [33, 7],
    [64, 65],
  ],
  'empty ones among them': [
    [0, 9],
    [17, 0],
    [5, 5],
    [0, 0],
    [70, 31],
  ],
  'one query each': [
    [1, 100],
    [1, 7],
    [1, 333],
    [1, 1],
  ],
} as const satisfies Record<VarlenCase['sequences'], VarlenProblem['lengths']>;

const groupOf = ({ headDim, sequences }: VarlenCase): string => `D ${headDim}, ${sequences}`;

function titleOf(row: VarlenCase): string {
  const { pageSize, heads, mask, alibi, softcap, sinks, integers, dtype } = row;
  const pages = pageSize > 0 ? `pages of ${pageSize}` : 'no pages';
  const extras = [alibi, `softcap ${softcap}`, sinks ? 'sinks' : 'no sinks', integers, dtype];
  return [groupOf(row), pages, heads, mask, ...extras].join(', ');
}

describe('flashAttentionVarlen: the rule for every sequence', () => {
  const gpu = useGpu();

  testEachRow(rowsOf(VARLEN_GRID), { title: titleOf, group: groupOf }, async (row) => {
    const seed = seedOf(titleOf(row));
    const lengths = BATCHES[row.sequences];
    const [headsQ, headsKv] = HEAD_COUNTS[row.heads];
    await checkVarlen(gpu(), {
      lengths,
      headsQ,
      headsKv,
      headDim: row.headDim,
      dtype: row.dtype,
      options: { ...maskOptions(row.mask, 60, seed), ...extraOptions(row, lengths.length, headsQ, seed) },
      pageSize: row.pageSize,
      integers: row.integers,
      seed,
    });
  });

  it('takes many short sequences, more than a workgroup has threads', async () => {
    const lengths = Array.from({ length: 150 }, (_, b) => [b % 4, (b * 7) % 11] as const);
    const shape = { headsQ: 2, headsKv: 1, headDim: 32, dtype: 'f32', pageSize: 0, integers: 'i32 Tensor' } as const;
    await checkVarlen(gpu(), { lengths, ...shape, options: { causal: true }, seed: 1 });
  });
});
