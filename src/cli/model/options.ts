/** Options that say what to run and how, read and checked before anything is opened. */
import type { AttentionKind } from '$gpu';
import { QUANT_NAMES, type QuantName } from '$gpu/formats/quantise';
import type { Sampling } from '$gpu/generate';
import type { Activations, KvKind } from '$gpu/model';
import { checkSampling } from '$gpu/generate/sampling';
import { UsageError } from '../command';
import { STORE_OPTIONS, STORE_USAGE, storeFrom, type StoreChoice } from './store';

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

/** For `parseArgs`: which model, and how it is to be run. */
export const MODEL_OPTIONS = {
  model: { type: 'string' },
  context: { type: 'string' },
  quant: { type: 'string' },
  kv: { type: 'string' },
  activations: { type: 'string' },
  attention: { type: 'string' },
  ...STORE_OPTIONS,
} as const;

export const MODEL_USAGE = `  --model MODEL           a folder with safetensors, a GGUF file, the address of one, or a model of a hub such as
                          Qwen/Qwen3-0.6B-GGUF:Q8_0, which is downloaded once and kept
  --context N             tokens of prompt and answer together; default 8192, or as many as the model knows
  --quant q8|q4           weights of 16 or 32 bits become blocks of 8 or 4; stderr tells what each tensor loses
  --kv auto|f16|f32|q8    how keys and values are kept; q8 takes half of f16's memory for a little exactness
  --activations exact|fast
                          fast: one token's products may round to 8 bits, if that is measured to be faster here
  --attention auto|flash|standard
                          which kernels may serve; auto, the default: flash, and where none is right the plain way
${STORE_USAGE}`;

export interface ModelChoice {
  readonly model: string;
  readonly context: number | undefined;
  readonly quant: QuantName | undefined;
  readonly kv: KvKind | undefined;
  readonly activations: Activations | undefined;
  readonly attention: AttentionKind | undefined;
  readonly store: StoreChoice;
}

/** @param leastContext tokens that the command needs room for */
export function modelChoice(values: Values, leastContext: number): ModelChoice {
  return {
    model: requireText(values, 'model'),
    context: wholeNumber(values, 'context', leastContext),
    quant: oneOf(values, 'quant', QUANT_NAMES),
    kv: oneOf(values, 'kv', ['auto', 'f16', 'f32', 'q8']),
    activations: oneOf(values, 'activations', ['exact', 'fast']),
    attention: oneOf(values, 'attention', ['auto', 'flash', 'standard']),
    store: storeFrom(values),
  };
}

function oneOf<T extends string>(values: Values, name: string, known: readonly T[]): T | undefined {
  const value = values[name];
  const found = known.find((one) => one === value);
  if (value === undefined || found !== undefined) return found;
  throw new UsageError(`--${name} is ${known.join(' or ')}, not «${String(value)}»`);
}

/** `1,85,736` */
export function idList(text: string): number[] {
  const ids = text.split(',').map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : NaN));
  if (ids.every(Number.isSafeInteger)) return ids;
  throw new UsageError(`--ids wants token ids with commas between them, such as 1,85,736; not «${text}»`);
}

/** By option: the name in `Sampling`, for those that are numbers. */
const SAMPLING: Readonly<Record<string, Exclude<keyof Sampling, 'logitBias'>>> = {
  temperature: 'temperature',
  'top-k': 'topK',
  'top-p': 'topP',
  'min-p': 'minP',
  'typical-p': 'typicalP',
  'repetition-penalty': 'repetitionPenalty',
  'presence-penalty': 'presencePenalty',
  'frequency-penalty': 'frequencyPenalty',
  seed: 'seed',
};

/** For `parseArgs`. */
export const SAMPLING_OPTIONS = {
  'logit-bias': { type: 'string', multiple: true } as const,
  ...Object.fromEntries(Object.keys(SAMPLING).map((name) => [name, { type: 'string' } as const])),
};

export const SAMPLING_USAGE = `  --temperature T         0, the default: always the likeliest token
  --top-k K  --top-p P  --min-p P
                          draw from the K likeliest; from as few as hold P of the probability; from those that are at
                          least P times as likely as the likeliest
  --typical-p P           of those, the ones whose surprise is nearest to the expected one, as few as hold P of the
                          probability
  --repetition-penalty R  --presence-penalty P  --frequency-penalty F
                          make what was said less likely: by a factor; by a sum, once, or for each time
  --logit-bias ID=BIAS    add BIAS, from -100 to 100, to the logit of this token; -inf forbids it; may be given several times
  --seed N                the same seed, the same answer`;

/** Throws an ArgumentError for what is out of range, as the GPU floor does. */
export function samplingFrom(values: Values): Sampling {
  const given = Object.entries(SAMPLING).flatMap(([option, name]) => {
    const value = number(values, option);
    return value === undefined ? [] : [[name, value] as const];
  });
  const bias = values['logit-bias'];
  const sampling: Sampling = {
    ...Object.fromEntries(given),
    ...(Array.isArray(bias) && { logitBias: Object.fromEntries(bias.map(biasOf)) }),
  };
  checkSampling(sampling);
  return sampling;
}

/** `1078=-2.5`, `2=-inf` */
function biasOf(text: string): [id: number, bias: number] {
  const [, id, bias = ''] = /^\s*(\d+)\s*=\s*(-inf|[-+]?[\d.]+)\s*$/i.exec(text) ?? [];
  const value = bias.toLowerCase() === '-inf' ? -Infinity : Number(bias);
  if (id !== undefined && !Number.isNaN(value)) return [Number(id), value];
  throw new UsageError(`--logit-bias wants a token id and a number, such as 1078=-2.5 or 2=-inf; not «${text}»`);
}
