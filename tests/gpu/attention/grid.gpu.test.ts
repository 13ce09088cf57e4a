/** flashAttention over flash-attention's grid, by flash-attention's rule. */
import { describe } from 'vitest';
import { flashAttention } from '$gpu/attention';
import { attendOnGpu, useGpu } from '../../support/attention/device';
import {
  affordable,
  extraOptions,
  FEW_HEADS,
  HEAD_COUNTS,
  isSlow,
  maskOptions,
  rowsOf,
  sampledRows,
} from '../../support/attention/grid';
import { FLASH_GRID, type FlashCase } from '../../support/attention/grids';
import { randomInputs, seedOf, type Problem } from '../../support/attention/problem';
import { expectByTheRule, judgeOf } from '../../support/attention/rule';
import { testEachRow } from '../../support/attention/suite';

function groupOf({ headDim, lengths: [seqQ, seqK] }: FlashCase): string {
  const scaled = [affordable(seqQ), affordable(seqK)];
  const note = scaled[0] === seqQ && scaled[1] === seqK ? '' : ` (for ${seqQ} x ${seqK}, which is too slow here)`;
  return `D ${headDim}, ${scaled.join(' x ')}${note}`;
}

function titleOf(row: FlashCase): string {
  const { heads, mask, alibi, softcap, sinks, scale, dtype } = row;
  return [groupOf(row), heads, mask, alibi, `softcap ${softcap}`, sinks ? 'sinks' : 'no sinks', scale, dtype].join(
    ', ',
  );
}

function problemOf(row: FlashCase, seed: number): Problem {
  const [seqQ, seqK] = [affordable(row.lengths[0]), affordable(row.lengths[1])];
  const size = seqQ * seqK;
  // Where queries are few, the number of heads chooses the kernel.
  const isLong = size > 300_000 || (isSlow && seqQ > 3);
  const [headsQ, headsKv] = (isLong ? FEW_HEADS : HEAD_COUNTS)[row.heads];
  const batch = size > 50_000 ? 1 : 2;
  const queryRows = sampledRows(seqQ, seed);
  return {
    shapes: { batch, seqQ, seqK, headsQ, headsKv, headDim: row.headDim },
    dtype: row.dtype,
    options: {
      ...maskOptions(row.mask, seqK, seed),
      ...extraOptions(row, batch, headsQ, seed),
      ...(row.scale === 'scale 0.3' && { softmaxScale: 0.3 }),
      ...(queryRows && { queryRows }),
    },
  };
}

describe("flashAttention: max|out - ref| <= 2 max|base - ref| + 1e-5 over flash-attention's grid", () => {
  const gpu = useGpu();
  testEachRow(rowsOf(FLASH_GRID), { title: titleOf, group: groupOf }, async (row) => {
    const seed = seedOf(titleOf(row));
    const problem = problemOf(row, seed);
    const inputs = randomInputs(problem, seed);
    expectByTheRule(await attendOnGpu(gpu(), flashAttention, problem, inputs), judgeOf(problem, inputs));
  });
});
