/**
 * How a token is chosen: the options, their checks, and the words the kernels read (sample_settings.wesl).
 *
 * In this order, as Hugging Face transformers has it: logit bias; repetition penalty, frequency and presence penalty;
 * temperature; top-k; top-p, of the mass that top-k has left; min-p, against the likeliest token; typical-p, of the mass
 * that is left; one draw from what remains.
 */
import { ArgumentError } from '../device';

export interface Sampling {
  /** 0, the default, takes the likeliest token (after penalties; the lowest id of several). */
  readonly temperature?: number;
  /** Keeps the k likeliest tokens; 0, the default, all. Of equal ones the lowest ids. */
  readonly topK?: number;
  /** Keeps the fewest tokens whose probabilities sum to this much; 1, the default, all. At least one is kept. */
  readonly topP?: number;
  /** Keeps tokens at least this part as likely as the likeliest; 0, the default, all. */
  readonly minP?: number;
  /**
   * Keeps the tokens whose surprise (-log p) is nearest to the one expected, the fewest whose probabilities sum to this
   * much; 1, the default, all. At least one is kept, and with the last all that are as near.
   */
  readonly typicalP?: number;
  /** Added to the logits of single tokens, by id: from -100 to 100, or -Infinity, which forbids the token. */
  readonly logitBias?: Readonly<Record<number, number>>;
  /** Divides positive logits of tokens seen (in the prompt or drawn) and multiplies negative ones; 1 is none. */
  readonly repetitionPenalty?: number;
  /** Taken off the logits of tokens drawn in this request. */
  readonly presencePenalty?: number;
  /** Taken off the logits of tokens drawn in this request, as often as they were. */
  readonly frequencyPenalty?: number;
  /** The same seed draws the same tokens at the same places of the sequence; random by default. */
  readonly seed?: number;
}

/** Sampling in full. */
export type CheckedSampling = Required<Sampling>;

/** All options, with the defaults; throws an ArgumentError that names the first one out of its range. */
export function checkSampling(sampling: Sampling = {}): CheckedSampling {
  const checked: CheckedSampling = {
    temperature: sampling.temperature ?? 0,
    topK: sampling.topK ?? 0,
    topP: sampling.topP ?? 1,
    minP: sampling.minP ?? 0,
    typicalP: sampling.typicalP ?? 1,
    logitBias: sampling.logitBias ?? {},
    repetitionPenalty: sampling.repetitionPenalty ?? 1,
    presencePenalty: sampling.presencePenalty ?? 0,
    frequencyPenalty: sampling.frequencyPenalty ?? 0,
    seed: sampling.seed ?? Math.floor(Math.random() * Number.MAX_SAFE_INTEGER),
  };
  const require = (name: Exclude<keyof Sampling, 'logitBias'>, fits: boolean, expected: string): void => {
    if (!fits) throw new ArgumentError(`sampling.${name}`, String(checked[name]), expected);
  };
  const { temperature, topK, topP, minP, typicalP, seed } = checked;
  const { repetitionPenalty, presencePenalty, frequencyPenalty } = checked;
  require('temperature', temperature >= 0 && temperature <= 100, 'a number from 0 (greedy) to 100');
  require('topK', Number.isSafeInteger(topK) && topK >= 0, 'a whole number, 0 for no limit');
  require('topP', topP >= 0 && topP <= 1, 'a number from 0 to 1 (no limit)');
  require('minP', minP >= 0 && minP <= 1, 'a number from 0 (no limit) to 1');
  require('typicalP', typicalP >= 0 && typicalP <= 1, 'a number from 0 to 1 (no limit)');
  require('repetitionPenalty', repetitionPenalty >= 0.01 && repetitionPenalty <= 100, 'a number from 0.01 to 100');
  require('presencePenalty', Math.abs(presencePenalty) <= 100, 'a number from -100 to 100');
  require('frequencyPenalty', Math.abs(frequencyPenalty) <= 100, 'a number from -100 to 100');
  require('seed', Number.isSafeInteger(seed) && seed >= 0, 'a whole number from 0 to 2^53 - 1');
  checkBias(checked.logitBias);
  return checked;
}

function checkBias(logitBias: CheckedSampling['logitBias']): void {
  for (const [id, bias] of Object.entries(logitBias)) {
    if (!/^\d+$/.test(id)) throw new ArgumentError('sampling.logitBias', `a bias for «${id}»`, 'token ids');
    if (bias !== -Infinity && !(Math.abs(bias) <= 100))
      throw new ArgumentError('sampling.logitBias', `${bias} for token ${id}`, 'from -100 to 100, or -Infinity');
  }
}

export function hasPenalties(sampling: CheckedSampling): boolean {
  const { repetitionPenalty, presencePenalty, frequencyPenalty } = sampling;
  return repetitionPenalty !== 1 || presencePenalty !== 0 || frequencyPenalty !== 0;
}

export function hasBias({ logitBias }: CheckedSampling): boolean {
  return Object.keys(logitBias).length > 0;
}

/** Whether typical-p has anything to say: it cuts what a temperature draws from. */
export function isTypical({ temperature, typicalP }: CheckedSampling): boolean {
  return temperature > 0 && Math.fround(typicalP) < 1;
}

/** Words of a mask of `vocab` tokens, 32 a word. */
export function maskWords(vocab: number): number {
  return Math.ceil(vocab / 32);
}

// ---- the words the kernels read --------------------------------------------------------------------------------

export const SETTINGS_LENGTH = 12;

/** Bits of the first word. */
const DRAWS = 1;
const CUTS = 2;
const PENALISES = 4;
const SUMS = 8;

/** Below this the scan's own draw, which knows no maximum, would have too few bits left: the pick draws instead. */
const COOL = 0.05;
/** Colder than this nothing but the likeliest tokens are ever drawn, and float32 can hold no smaller one's inverse. */
const COLDEST = 1e-30;

/** A mass of nothing keeps one token too: the first that reaches a little. */
const LEAST_MASS = 1e-20;

/** Twin of sample_settings.wesl, for a vocabulary of `vocab` tokens. */
export function settingsWords(sampling: CheckedSampling, vocab: number, top: number): Uint32Array<ArrayBuffer> {
  const { temperature, topP, minP, seed } = sampling;
  const topK = sampling.topK < vocab ? sampling.topK : 0;
  const draws = temperature > 0;
  const cutsMass = Math.fround(topP) < 1;
  const cuts = draws && (topK > 0 || cutsMass || minP > 0 || isTypical(sampling) || temperature < COOL);
  const words = new Uint32Array(SETTINGS_LENGTH);
  const floats = new Float32Array(words.buffer);
  words[0] =
    (draws ? DRAWS : 0) |
    (cuts ? CUTS : 0) |
    (hasPenalties(sampling) ? PENALISES : 0) |
    (cuts && cutsMass && topK === 0 ? SUMS : 0);
  floats[1] = draws ? 1 / Math.max(temperature, COLDEST) : 1;
  words[2] = topK;
  floats[3] = cutsMass ? Math.max(topP, LEAST_MASS) : 1;
  // How far below the best logit min-p cuts; a logarithm of 0 would not do.
  floats[4] = minP > 0 ? -Math.log(minP) * temperature : 3e38;
  floats[5] = sampling.repetitionPenalty;
  floats[6] = sampling.presencePenalty;
  floats[7] = sampling.frequencyPenalty;
  words[8] = seed % 2 ** 32;
  words[9] = Math.floor(seed / 2 ** 32);
  words[10] = top;
  floats[11] = Math.max(sampling.typicalP, LEAST_MASS);
  return words;
}
