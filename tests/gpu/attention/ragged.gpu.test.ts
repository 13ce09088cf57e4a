/** Head sizes that no vector width divides: rows begin inside a word, and a workgroup's neighbour owns its other half. */
import { describe, it } from 'vitest';
import { flashAttention } from '$gpu/attention';
import { attendOnGpu, useGpu } from '../../support/attention/device';
import { DTYPES, rowsHere } from '../../support/attention/grid';
import { randomInputs, seedOf, type Problem } from '../../support/attention/problem';
import { expectByTheRule, judgeOf } from '../../support/attention/rule';
import { coveringArray } from '../../support/covering';

const factors = {
  headDim: [1, 2, 3, 6, 33, 65, 255],
  lengths: [
    [3, 5],
    [35, 67],
  ],
  heads: [
    [1, 1],
    [3, 3],
    [5, 1],
    [6, 2],
  ],
  causal: [false, true],
  dtype: DTYPES,
} as const;

/** For each D a kernel for many queries, and for few one whose tiles have 4 rows; D 3 has tiles of 8 as well. */
const rows = rowsHere(
  coveringArray(factors, ({ headDim, lengths, heads, dtype }) => {
    if (headDim === undefined || lengths === undefined) return true;
    const isShort = lengths[0] === 3;
    if (dtype !== undefined && dtype !== DTYPES[(factors.headDim.indexOf(headDim) + (isShort ? 0 : 1)) % 3])
      return false;
    return !isShort || headDim === 3 || heads === undefined || heads[0] === heads[1];
  }),
);

describe('any D from 1 to 256', () => {
  const gpu = useGpu();

  it.each(rows)('D $headDim, $lengths, heads $heads, causal $causal, $dtype', async (row) => {
    const [seqQ, seqK] = row.lengths;
    const [headsQ, headsKv] = row.heads;
    const shapes = { batch: 3, seqQ, seqK, headsQ, headsKv, headDim: row.headDim };
    const problem: Problem = { shapes, dtype: row.dtype, options: { causal: row.causal } };
    const inputs = randomInputs(problem, seedOf(JSON.stringify(row)));
    expectByTheRule(await attendOnGpu(gpu(), flashAttention, problem, inputs), judgeOf(problem, inputs));
  });
});
