/** The configuration of a model out of GGUF metadata or out of Hugging Face's config.json. */
import { ARCHITECTURES, isArchitecture } from '$gpu/formats/model';
import type { Architecture, ModelConfig } from '$gpu/formats/model';
import { FormatError } from './errors';
import { isJsonObject } from './json';
import type { Json, JsonObject } from './json';
import type { Metadata } from './metadata';

/** @param vocab rows of the embedding: metadata counts the tokenizer's tokens, which may be fewer */
export function configFromGguf(metadata: Metadata, file: string, vocab: number, tiedHead: boolean): ModelConfig {
  const architecture = requireArchitecture(metadata.string('general.architecture'), file, 'general.architecture');
  const key = (name: string): string => `${architecture}.${name}`;
  refuseScaling(metadata.string(key('rope.scaling.type'), 'none'), file, key('rope.scaling.type'));
  const width = metadata.count(key('embedding_length'));
  const headsQ = metadata.count(key('attention.head_count'));
  const headDim = metadata.count(key('attention.key_length'), width / headsQ);
  return {
    architecture,
    layers: metadata.count(key('block_count')),
    width,
    ffnWidth: metadata.count(key('feed_forward_length')),
    headsQ,
    headsKv: metadata.count(key('attention.head_count_kv'), headsQ),
    headDim,
    vocab,
    context: metadata.count(key('context_length')),
    normEps: metadata.number(key('attention.layer_norm_rms_epsilon')),
    rope: {
      theta: metadata.number(key('rope.freq_base'), 10000),
      dims: metadata.count(key('rope.dimension_count'), headDim),
      // llama.cpp's converter deals out the rows of q and k so that neighbours turn.
      pairing: 'neighbours',
    },
    tiedHead,
  };
}

/** `model_type` in config.json to the family's name. */
const FAMILIES: Readonly<Record<string, Architecture>> = { llama: 'llama' };

export function configFromJson(json: Json, file = 'config.json'): ModelConfig {
  if (!isJsonObject(json)) throw new FormatError(file, 'malformed', 'config', 'this is no JSON object.');
  const fields = new Fields(json, file);
  const type = fields.string('model_type');
  const architecture = requireArchitecture(FAMILIES[type] ?? type, file, 'model_type');
  const activation = fields.string('hidden_act', 'silu');
  if (activation !== 'silu') fields.refuse('hidden_act', `${activation}; this family is run with silu.`);
  for (const bias of ['attention_bias', 'mlp_bias']) {
    if (json[bias] === true) fields.refuse(bias, 'biases, which this family is not run with yet.');
  }
  const scaling = isJsonObject(json.rope_scaling) ? json.rope_scaling : undefined;
  const scalingType = scaling?.rope_type ?? scaling?.type ?? 'none';
  refuseScaling(typeof scalingType === 'string' ? scalingType : 'unknown', file, 'rope_scaling');
  const width = fields.count('hidden_size');
  const headsQ = fields.count('num_attention_heads');
  const headDim = fields.count('head_dim', width / headsQ);
  return {
    architecture,
    layers: fields.count('num_hidden_layers'),
    width,
    ffnWidth: fields.count('intermediate_size'),
    headsQ,
    headsKv: fields.count('num_key_value_heads', headsQ),
    headDim,
    vocab: fields.count('vocab_size'),
    context: fields.count('max_position_embeddings'),
    normEps: fields.number('rms_norm_eps'),
    rope: { theta: fields.number('rope_theta', 10000), dims: headDim, pairing: 'halves' },
    tiedHead: json.tie_word_embeddings === true,
  };
}

function requireArchitecture(name: string, file: string, field: string): Architecture {
  if (isArchitecture(name)) return name;
  const message = `models of the family «${name}» cannot be run. Known: ${ARCHITECTURES.join(', ')}.`;
  throw new FormatError(file, 'unsupported', field, message);
}

function refuseScaling(type: string, file: string, field: string): void {
  if (type === 'none' || type === 'default') return;
  throw new FormatError(file, 'unsupported', field, `positions scaled by «${type}» cannot be computed yet.`);
}

class Fields {
  constructor(
    private readonly json: JsonObject,
    private readonly file: string,
  ) {}

  string(name: string, fallback?: string): string {
    return this.#read(name, fallback, 'a text', (value): value is string => typeof value === 'string');
  }

  number(name: string, fallback?: number): number {
    return this.#read(name, fallback, 'a number', (value): value is number => typeof value === 'number');
  }

  count(name: string, fallback?: number): number {
    const isCount = (value: Json): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
    return this.#read(name, fallback, 'a whole number, not negative', isCount);
  }

  refuse(name: string, found: string): never {
    throw new FormatError(this.file, 'unsupported', name, `the model has ${found}`);
  }

  /** `null` is how config.json says that a field is not set. */
  #read<T extends Json>(name: string, fallback: T | undefined, wanted: string, fits: (value: Json) => value is T): T {
    const value = this.json[name] ?? fallback;
    if (value === undefined) throw new FormatError(this.file, 'missing', name, `there is no «${name}».`);
    if (fits(value)) return value;
    throw new FormatError(this.file, 'malformed', name, `«${name}» is no ${wanted.replace(/^an? /, '')}.`);
  }
}
