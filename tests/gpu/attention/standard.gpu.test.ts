/** standardAttention, the materialised way: it serves where no flash kernel is right, so it is held to the same rule. */
import { describe } from 'vitest';
import { standardAttention } from '$gpu/attention';
import { attendOnGpu, useGpu } from '../../support/attention/device';
import {
  ALIBI,
  DTYPES,
  extraOptions,
  rowsOf,
  hasItsKernel,
  HEAD_COUNTS,
  HEADS,
  maskOptions,
  MASKS,
} from '../../support/attention/grid';
import { randomInputs, seedOf } from '../../support/attention/problem';
import { expectByTheRule, judgeOf } from '../../support/attention/rule';
import { testEachRow } from '../../support/attention/suite';
import type { Row } from '../../support/covering';

const factors = {
  headDim: [32, 59, 128, 256],
  lengths: [
    [113, 203],
    [128, 64],
    [1, 239],
    [65, 66],
  ],
  heads: HEADS,
  mask: MASKS,
  alibi: ALIBI,
  softcap: [0, 50],
  sinks: [false, true],
  dtype: DTYPES,
} as const;

type Case = Row<typeof factors>;

/** Each D has one storage type, and modifies scores or does not: it is three kernels, and slow to compile. */
const isWorthIt = (row: Partial<Case>): boolean => hasItsKernel(row, false);

const groupOf = ({ headDim, lengths }: Case): string => `D ${headDim}, ${lengths.join(' x ')}`;

function titleOf(row: Case): string {
  const { heads, mask, alibi, softcap, sinks, dtype } = row;
  return [groupOf(row), heads, mask, alibi, `softcap ${softcap}`, sinks ? 'sinks' : 'no sinks', dtype].join(', ');
}

describe('standardAttention: max|out - ref| <= 2 max|base - ref| + 1e-5', () => {
  const gpu = useGpu();
  testEachRow(rowsOf({ factors, isWorthIt }), { title: titleOf, group: groupOf }, async (row) => {
    const seed = seedOf(titleOf(row));
    const [seqQ, seqK] = row.lengths;
    const [headsQ, headsKv] = HEAD_COUNTS[row.heads];
    const batch = 2;
    const problem = {
      shapes: { batch, seqQ, seqK, headsQ, headsKv, headDim: row.headDim },
      dtype: row.dtype,
      options: { ...maskOptions(row.mask, seqK, seed), ...extraOptions(row, batch, headsQ, seed) },
    };
    const inputs = randomInputs(problem, seed);
    expectByTheRule(await attendOnGpu(gpu(), standardAttention, problem, inputs), judgeOf(problem, inputs));
  });
});
