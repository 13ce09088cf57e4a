/** The attention bench's options. */
import { parseArgs } from 'node:util';
import { PREFILL_VARIANTS, type Variant } from '$gpu/attention';
import { UsageError } from '../../command';
import type { FloatType, Schedule, Wanted } from '$lib/engine/bench/attention/cases';

export interface Settings extends Wanted {
  readonly variants: readonly Variant[];
  /** Time the chosen variant and no other. */
  readonly chosenAlone: boolean;
  /** Whether to ask ONNX Runtime. */
  readonly peers: boolean;
  /** Milliseconds that one kernel on one case may take, all runs together. */
  readonly budget: number;
  /** Milliseconds after which nothing new is begun. */
  readonly time: number;
  /** Milliseconds of measuring that a figure is worth. */
  readonly patience: number;
}

export const OPTIONS: readonly string[] = [
  '--quick              fewer sizes and shorter measurements, the chosen variant alone',
  '--sizes 256,1024     numbers of keys',
  '--schedules prefill,decode',
  '--dtypes f32,f16',
  '--head-dims 64,128',
  '--variants NAME,...  prefill variants to choose from; «chosen»: choose from all, and time that one alone',
  '--budget SECONDS     what one kernel may take at one size; what would take longer is named, not run',
  '--time SECONDS       when to begin nothing new',
  '--no-peers           ask no ONNX Runtime',
];

export function settingsFrom(args: string[]): Settings {
  const list = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args,
    options: {
      quick: flag,
      sizes: list,
      schedules: list,
      dtypes: list,
      'head-dims': list,
      variants: list,
      budget: list,
      time: list,
      'no-peers': flag,
    },
  });
  const { quick } = values;
  const chosenAlone = values.variants === undefined ? quick : values.variants === 'chosen';
  return {
    schedules: words<Schedule>('schedules', values.schedules, ['prefill', 'decode']),
    dtypes: words<FloatType>('dtypes', values.dtypes, ['f32', 'f16']),
    headDims: counts('head-dims', values['head-dims']) ?? (quick ? [64] : [64, 128]),
    sizes: counts('sizes', values.sizes) ?? (quick ? [256, 1024, 4096] : undefined),
    variants: variantsNamed(chosenAlone ? [] : (values.variants?.split(',') ?? [])),
    chosenAlone,
    peers: !values['no-peers'],
    budget: seconds('budget', values.budget) ?? (quick ? 3000 : 10_000),
    time: seconds('time', values.time) ?? Infinity,
    patience: quick ? 150 : 500,
  };
}

function words<T extends string>(option: string, text: string | undefined, known: readonly T[]): readonly T[] {
  if (text === undefined) return known;
  return text.split(',').map((word) => {
    const found = known.find((one) => one === word);
    if (found !== undefined) return found;
    throw new UsageError(`--${option}: «${word}» is none of ${known.join(', ')}`);
  });
}

function counts(option: string, text: string | undefined): readonly number[] | undefined {
  return text?.split(',').map((word) => {
    const count = Number(word);
    if (Number.isInteger(count) && count > 0) return count;
    throw new UsageError(`--${option}: «${word}» is no positive whole number`);
  });
}

function seconds(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (value > 0) return value * 1000;
  throw new UsageError(`--${option}: «${text}» is no number of seconds`);
}

/** Variants by name; all without names. */
function variantsNamed(names: readonly string[]): readonly Variant[] {
  if (names.length === 0) return PREFILL_VARIANTS;
  return names.map((name) => {
    const found = PREFILL_VARIANTS.find((variant) => variant.name === name);
    if (found) return found;
    throw new UsageError(`there is no variant «${name}»; there are ${PREFILL_VARIANTS.map((v) => v.name).join(', ')}`);
  });
}
