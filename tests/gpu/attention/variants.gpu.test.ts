/** Every kernel there is, not only the one this device would choose: each that fits here is held to the rule. */
import { describe, it } from 'vitest';
import { attendWith } from '$gpu/attention/flash';
import { decodeTileRows, shuffles } from '$gpu/attention/decode';
import type { Kernel } from '$gpu/attention/run';
import { PREFILL_VARIANTS } from '$gpu/attention/variants';
import type { FloatDType } from '$gpu/formats/dtype';
import { environment, large } from '../../support/gpu';
import { attendOnGpu, useGpu } from '../../support/attention/device';
import { ALIBI, DTYPES, extraOptions, isModification, maskOptions, rowsOf } from '../../support/attention/grid';
import { randomInputs, seedOf, type Problem } from '../../support/attention/problem';
import { expectByTheRule, judgeOf } from '../../support/attention/rule';
import type { Row } from '../../support/covering';

/** Where subgroups are as wide as the processor allows, those that trade between lanes; `lavapipe` has the others. */
const variants = PREFILL_VARIANTS.map(({ name }) => name).filter(
  (name) => !environment.startsWith('wide') || name.includes('shuffled') || name.includes('broadcast'),
);

const factors = {
  variant: variants,
  headDim: [59, 64, 256],
  lengths: [
    [150, 150],
    [37, 203],
    [90, 40],
  ],
  heads: [
    [2, 2],
    [6, 2],
    [4, 1],
  ],
  mask: ['no mask', 'causal', 'window', 'causal window'],
  alibi: ALIBI,
  softcap: [0, 50],
  sinks: [false, true],
  dtype: DTYPES,
} as const;

type Case = Row<typeof factors>;
type Pair = readonly [number, number];
/** What a check asks of a row: any D, any lengths. */
type Checked = Omit<Case, 'variant' | 'headDim' | 'lengths' | 'heads'> & {
  readonly headDim: number;
  readonly lengths: Pair;
  readonly heads: Pair;
};

/** A variant and a D make one kernel; those for f16 vectors get f16 wherever they take it. */
const rows = rowsOf({
  factors,
  isWorthIt: ({ variant, headDim, ...row }) => {
    if (variant === undefined || headDim === undefined) return true;
    const number = factors.variant.indexOf(variant) + factors.headDim.indexOf(headDim);
    const dtype = variant.endsWith(' f16') ? 'f16' : DTYPES[number % 3];
    return (row.dtype === undefined || row.dtype === dtype) && isModification(row, number % 2 === 1);
  },
});

/** Half a span, several spans with a ragged end; rows that fill their tile and that do not. SwiftShader compiles fastest. */
const ALL_DECODERS = [
  { headDim: 64, lengths: [1, 301], heads: [8, 2], mask: 'no mask', dtype: 'f32', modified: false },
  { headDim: 59, lengths: [3, 50], heads: [2, 2], mask: 'causal', dtype: 'f16', modified: false },
  { headDim: 256, lengths: [2, 700], heads: [5, 1], mask: 'causal window', dtype: 'bf16', modified: true },
] as const;
const DECODERS = large || environment === 'swiftshader' ? ALL_DECODERS : ALL_DECODERS.slice(0, 1);

describe('variants', () => {
  const gpu = useGpu();

  it.for(rows)(
    '$variant: D $headDim, $lengths, heads $heads, $mask, $alibi, softcap $softcap, sinks $sinks, $dtype',
    async (row, context) => {
      const variant = PREFILL_VARIANTS.find(({ name }) => name === row.variant)!;
      if (!variant.fits(gpu(), traitsOf(row))) context.skip(`${row.variant} is not for this device, dtype and D`);
      await check(row, { kind: 'prefill', variant });
    },
  );

  it.for(DECODERS)(
    'decode shuffled: D $headDim, $lengths, heads $heads, $mask, $dtype',
    async ({ modified, ...row }, context) => {
      const extras = {
        alibi: modified ? 'ALiBi [B,Hq]' : 'no ALiBi',
        softcap: modified ? 50 : 0,
        sinks: modified,
      } as const;
      if (!shuffles(gpu(), traitsOf({ ...row, ...extras }))) context.skip('no subgroups of at least 4 lanes here');
      const group = row.heads[0] / row.heads[1];
      const rows = decodeTileRows(row.lengths[0] * group);
      await check({ ...row, ...extras }, { kind: 'decode', rows, shuffled: true });
    },
  );

  async function check(row: Checked, kernel: Kernel): Promise<void> {
    const seed = seedOf(JSON.stringify(row));
    const [headsQ, headsKv] = row.heads;
    const [seqQ, seqK] = row.lengths;
    const problem: Problem = {
      shapes: { batch: 2, seqQ, seqK, headsQ, headsKv, headDim: row.headDim },
      dtype: row.dtype,
      options: { ...maskOptions(row.mask, seqK, seed), ...extraOptions(row, 2, headsQ, seed) },
    };
    const inputs = randomInputs(problem, seed);
    const attend: Parameters<typeof attendOnGpu>[1] = (g, q, k, v, options) =>
      attendWith(g, q, k, v, options ?? {}, kernel);
    expectByTheRule(await attendOnGpu(gpu(), attend, problem, inputs), judgeOf(problem, inputs));
  }

  function traitsOf({ headDim, dtype, alibi, softcap, sinks }: Omit<Checked, 'heads' | 'lengths' | 'mask'>) {
    const modified = alibi !== 'no ALiBi' || softcap > 0 || sinks;
    const ragged = headDim % 4 !== 0;
    // Ragged 16-bit outputs are written as f32 first.
    const out: FloatDType = ragged ? 'f32' : dtype;
    return { headDim, q: dtype, kv: dtype, out, ragged, sequences: modified, paged: false, scoreMods: modified };
  }
});
