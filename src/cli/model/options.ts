/** Options that say what to run and how, read and checked before anything is opened. */
import { isQuantName, QUANT_NAMES, type QuantName } from '$gpu/formats/quantise';
import type { Sampling } from '$gpu/generate';
import { checkSampling } from '$gpu/generate/sampling';
import { UsageError } from '../command';

export type Values = Readonly<Record<string, string | boolean | string[] | undefined>>;

export function requireText(values: Values, name: string): string {
  const value = values[name];
  if (typeof value !== 'string' || value === '') throw new UsageError(`--${name} is missing`);
  return value;
}

/** @param most undefined: without end */
export function wholeNumber(
  values: Values,
  name: string,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): number | undefined {
  const value = number(values, name);
  if (value === undefined || (Number.isSafeInteger(value) && value >= least && value <= most)) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
  throw new UsageError(`--${name} wants a whole number ${range}, not «${String(values[name])}»`);
}

function number(values: Values, name: string): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const value = typeof text === 'string' && text.trim() !== '' ? Number(text) : NaN;
  if (!Number.isFinite(value)) throw new UsageError(`--${name} wants a number, not «${String(text)}»`);
  return value;
}

export const QUANT_USAGE = `  --quant q8|q4           weights of 16 or 32 bits become blocks of 8 or 4; stderr tells what each tensor loses`;

export function quantFrom(values: Values): QuantName | undefined {
  const { quant } = values;
  if (quant === undefined || (typeof quant === 'string' && isQuantName(quant))) return quant;
  throw new UsageError(`--quant is ${QUANT_NAMES.join(' or ')}, not «${String(quant)}»`);
}

/** `1,85,736` */
export function idList(text: string): number[] {
  const ids = text.split(',').map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : NaN));
  if (ids.every(Number.isSafeInteger)) return ids;
  throw new UsageError(`--ids wants token ids with commas between them, such as 1,85,736; not «${text}»`);
}

/** By option: the name in `Sampling`. */
const SAMPLING: Readonly<Record<string, keyof Sampling>> = {
  temperature: 'temperature',
  'top-k': 'topK',
  'top-p': 'topP',
  'min-p': 'minP',
  'repetition-penalty': 'repetitionPenalty',
  'presence-penalty': 'presencePenalty',
  'frequency-penalty': 'frequencyPenalty',
  seed: 'seed',
};

/** For `parseArgs`. */
export const SAMPLING_OPTIONS = Object.fromEntries(
  Object.keys(SAMPLING).map((name) => [name, { type: 'string' } as const]),
);

export const SAMPLING_USAGE = `  --temperature T         0, the default: always the likeliest token
  --top-k K  --top-p P  --min-p P
                          draw from the K likeliest; from as few as hold P of the probability; from those that are at
                          least P times as likely as the likeliest
  --repetition-penalty R  --presence-penalty P  --frequency-penalty F
                          make what was said less likely: by a factor; by a sum, once, or for each time
  --seed N                the same seed, the same answer`;

/** Throws an ArgumentError for what is out of range, as the GPU floor does. */
export function samplingFrom(values: Values): Sampling {
  const given = Object.entries(SAMPLING).flatMap(([option, name]) => {
    const value = number(values, option);
    return value === undefined ? [] : [[name, value] as const];
  });
  const sampling: Sampling = Object.fromEntries(given);
  checkSampling(sampling);
  return sampling;
}
