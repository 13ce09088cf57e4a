/**
 * How a token is chosen: the options, their checks, and the words the kernels read (sample_settings.wesl).
 *
 * In this order, as Hugging Face transformers has it: repetition penalty, frequency and presence penalty; temperature;
 * top-k; top-p, of the mass that top-k has left; min-p, against the likeliest token; one draw from what is left.
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
    repetitionPenalty: sampling.repetitionPenalty ?? 1,
    presencePenalty: sampling.presencePenalty ?? 0,
    frequencyPenalty: sampling.frequencyPenalty ?? 0,
    seed: sampling.seed ?? Math.floor(Math.random() * Number.MAX_SAFE_INTEGER),
  };
  const require = (name: keyof Sampling, fits: boolean, expected: string): void => {
    if (!fits) throw new ArgumentError(`sampling.${name}`, String(checked[name]), expected);
  };
  const { temperature, topK, topP, minP, repetitionPenalty, presencePenalty, frequencyPenalty, seed } = checked;
  require('temperature', temperature >= 0 && temperature <= 100, 'a number from 0 (greedy) to 100');
  require('topK', Number.isSafeInteger(topK) && topK >= 0, 'a whole number, 0 for no limit');
  require('topP', topP >= 0 && topP <= 1, 'a number from 0 to 1 (no limit)');
  require('minP', minP >= 0 && minP <= 1, 'a number from 0 (no limit) to 1');
  require('repetitionPenalty', repetitionPenalty >= 0.01 && repetitionPenalty <= 100, 'a number from 0.01 to 100');
  require('presencePenalty', Math.abs(presencePenalty) <= 100, 'a number from -100 to 100');
  require('frequencyPenalty', Math.abs(frequencyPenalty) <= 100, 'a number from -100 to 100');
  require('seed', Number.isSafeInteger(seed) && seed >= 0, 'a whole number from 0 to 2^53 - 1');
  return checked;
}

export function hasPenalties(sampling: CheckedSampling): boolean {
  const { repetitionPenalty, presencePenalty, frequencyPenalty } = sampling;
  return repetitionPenalty !== 1 || presencePenalty !== 0 || frequencyPenalty !== 0;
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

/** Twin of sample_settings.wesl, for a vocabulary of `vocab` tokens. */
export function settingsWords(sampling: CheckedSampling, vocab: number, top: number): Uint32Array<ArrayBuffer> {
  const { temperature, topP, minP, seed } = sampling;
  const topK = sampling.topK < vocab ? sampling.topK : 0;
  const draws = temperature > 0;
  const cutsMass = Math.fround(topP) < 1;
  const cuts = draws && (topK > 0 || cutsMass || minP > 0 || temperature < COOL);
  const words = new Uint32Array(SETTINGS_LENGTH);
  const floats = new Float32Array(words.buffer);
  words[0] =
    (draws ? DRAWS : 0) |
    (cuts ? CUTS : 0) |
    (hasPenalties(sampling) ? PENALISES : 0) |
    (cuts && cutsMass && topK === 0 ? SUMS : 0);
  floats[1] = draws ? 1 / Math.max(temperature, COLDEST) : 1;
  words[2] = topK;
  // A mass of nothing keeps one token too: the first that reaches a little.
  floats[3] = cutsMass ? Math.max(topP, 1e-20) : 1;
  // How far below the best logit min-p cuts; a logarithm of 0 would not do.
  floats[4] = minP > 0 ? -Math.log(minP) * temperature : 3e38;
  floats[5] = sampling.repetitionPenalty;
  floats[6] = sampling.presencePenalty;
  floats[7] = sampling.frequencyPenalty;
  words[8] = seed % 2 ** 32;
  words[9] = Math.floor(seed / 2 ** 32);
  words[10] = top;
  return words;
}
