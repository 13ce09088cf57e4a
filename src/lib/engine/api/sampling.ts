/** What chat and plain completions have in common: how tokens are drawn, when to stop, how the answer is sent. */
import type { Sampling } from '../protocol';
import { invalid } from './errors';
import { type Fields, isObject, kindOf } from './fields';

export interface CommonRequest {
  readonly model: string;
  readonly sampling: Sampling;
  readonly stop: readonly string[];
  /** Answers to every prompt. */
  readonly n: number;
  readonly stream: boolean;
  /** A last part of the stream tells the usage. */
  readonly includeUsage: boolean;
}

/** OpenAI's bound, for the same reason: one request is not to take the place of many. */
const MOST_CHOICES = 8;
const MOST_STOPS = 16;
const MOST_BIASES = 1024;

export function readCommon(body: Fields): CommonRequest {
  const model = body.requiredText('model');
  const stream = body.flag('stream') ?? false;
  const options = body.object('stream_options');
  const includeUsage = options?.flag('include_usage') ?? false;
  // Padding against listeners on the line; there is none in a page, and on loopback nobody listens.
  options?.only('include_obfuscation', [false], 'is not supported here');
  options?.refuseOthers();
  if (options && !stream) throw invalid('stream_options', 'goes with «stream»: true');
  body.labels('user', 'safety_identifier');
  body.only('service_tier', ['auto', 'default'], 'there is one tier here, which is «auto»');
  return {
    model,
    sampling: readSampling(body),
    stop: readStops(body),
    n: body.whole('n', 1, MOST_CHOICES) ?? 1,
    stream,
    includeUsage,
  };
}

function readSampling(body: Fields): Sampling {
  const given: { readonly [K in keyof Sampling]: Sampling[K] | undefined } = {
    temperature: body.number('temperature', 0, 2) ?? 1,
    topP: body.number('top_p', 0, 1),
    presencePenalty: body.number('presence_penalty', -2, 2),
    frequencyPenalty: body.number('frequency_penalty', -2, 2),
    seed: body.whole('seed', 0),
    logitBias: readBias(body),
    // Not OpenAI's, but under these names with most servers of open models.
    topK: body.whole('top_k', 0),
    minP: body.number('min_p', 0, 1),
    typicalP: body.number('typical_p', 0, 1),
    repetitionPenalty: body.number('repetition_penalty', 0.01, 100),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function readBias(body: Fields): Readonly<Record<number, number>> | undefined {
  const bias = body.raw('logit_bias');
  if (bias === undefined) return undefined;
  if (!isObject(bias))
    throw invalid('logit_bias', `is ${kindOf(bias)}; expected token ids with numbers`, 'invalid_type');
  const entries = Object.entries(bias);
  if (entries.length > MOST_BIASES) throw invalid('logit_bias', `has more than ${MOST_BIASES} entries`);
  for (const [id, value] of entries) {
    if (!/^\d{1,9}$/.test(id)) throw invalid(`logit_bias.${id.slice(0, 40)}`, 'is no token id');
    if (typeof value !== 'number' || !(Math.abs(value) <= 100)) {
      throw invalid(`logit_bias.${id}`, `is ${kindOf(value)}; expected a number from -100 to 100`);
    }
  }
  // -100 is how OpenAI's clients forbid a token; a model that is sure of it would say it all the same.
  return Object.fromEntries(entries.map(([id, value]) => [id, value === -100 ? -Infinity : (value as number)]));
}

function readStops(body: Fields): string[] {
  const stop = body.raw('stop');
  if (stop === undefined) return [];
  const stops: unknown[] = Array.isArray(stop) ? stop : [stop];
  if (stops.length > MOST_STOPS) throw invalid('stop', `has ${stops.length} entries; at most ${MOST_STOPS} are taken`);
  return stops.map((text, i) => {
    if (typeof text === 'string' && text !== '') return text;
    const path = Array.isArray(stop) ? `stop[${i}]` : 'stop';
    throw invalid(path, `is ${text === '' ? 'empty' : kindOf(text)}; expected a text`, 'invalid_type');
  });
}

/** Of the choice at this place: a seed for one answer would make all of them the same. */
export function samplingOf({ seed, ...sampling }: Sampling, choice: number): Sampling {
  return seed === undefined ? sampling : { ...sampling, seed: seed + choice };
}
