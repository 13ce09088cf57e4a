/** The configuration of a model out of a GGUF file's metadata. */
import { FAMILIES } from '$gpu/formats/families';
import type { Architecture } from '$gpu/formats/families';
import { NEUTRAL } from '$gpu/formats/model';
import type { ModelConfig, ModelScales, RopeConfig, RopeScaling } from '$gpu/formats/model';
import { layerKinds, LOCAL_THETA, requireArchitecture, yarnMagnitude } from './config-layers';
import { FormatError } from './errors';
import { MAX_LAYERS } from './limits';
import type { Metadata } from './metadata';
import type { WeightsFile } from './types';

/** Throws a FormatError that names the field: a family we do not know, numbers that are missing. */
export function configFromGguf({ metadata, tensors, files }: WeightsFile): ModelConfig {
  const file = files[0]!.name;
  const named = metadata.string('general.architecture');
  const architecture = requireArchitecture(named, file, 'general.architecture', named);
  // Metadata counts the tokenizer's tokens; the embedding may have more rows.
  const vocab = tensors.get('token_embd.weight')?.shape[0];
  if (vocab === undefined) {
    throw new FormatError(file, 'missing', 'token_embd.weight', 'there is no such tensor; these are no whole weights.');
  }
  const facts = new Facts(metadata, file, architecture);
  const width = facts.size('embedding_length');
  const headsQ = facts.size('attention.head_count');
  const headDim = facts.size('attention.key_length', width / headsQ);
  const layers = facts.size('block_count', undefined, MAX_LAYERS);
  const rope = ropeOf(facts, headDim, (name) => tensors.has(name));
  const local = architecture === 'gemma3';
  const pattern = facts.count('attention.sliding_window_pattern', undefined);
  return {
    architecture,
    blocks: FAMILIES[architecture].blocks,
    layers: layerKinds({
      architecture,
      count: layers,
      window: facts.count('attention.sliding_window', undefined),
      windowed: pattern ? (layer) => (layer + 1) % pattern !== 0 : undefined,
      localRope: local,
    }),
    width,
    ffnWidth: facts.size('feed_forward_length'),
    headsQ,
    headsKv: facts.size('attention.head_count_kv', headsQ),
    headDim,
    vocab,
    context: facts.size('context_length'),
    normEps: facts.positive('attention.layer_norm_rms_epsilon'),
    gainOffset: 0,
    rope,
    ...(local && { localRope: localRope(facts, rope) }),
    tiedHead: !tensors.has('output.weight'),
    scales: scalesOf(facts, { width, headsQ, layers }),
  };
}

/** Metadata of one family: keys without its name before them. */
class Facts {
  constructor(
    private readonly metadata: Metadata,
    readonly file: string,
    readonly architecture: Architecture,
  ) {}

  key(name: string): string {
    return `${this.architecture}.${name}`;
  }

  has(name: string): boolean {
    return this.metadata.has(this.key(name));
  }

  count(name: string): number;
  count<F>(name: string, fallback: F): number | F;
  count(name: string, ...fallback: []): number {
    return this.metadata.count(this.key(name), ...fallback);
  }

  number(name: string): number;
  number<F>(name: string, fallback: F): number | F;
  number(name: string, ...fallback: []): number {
    return this.metadata.number(this.key(name), ...fallback);
  }

  positive(name: string, ...fallback: readonly number[]): number {
    return this.metadata.positive(this.key(name), ...fallback);
  }

  size(name: string, fallback?: number, most = Infinity): number {
    return this.metadata.extent(this.key(name), most, ...(fallback === undefined ? [] : [fallback]));
  }

  string(name: string, fallback: string): string {
    return this.metadata.string(this.key(name), fallback);
  }
}

function ropeOf(facts: Facts, headDim: number, hasTensor: (name: string) => boolean): RopeConfig {
  const scaling = scalingOf(facts, hasTensor);
  return {
    theta: facts.positive('rope.freq_base', 10000),
    dims: facts.count('rope.dimension_count', headDim),
    pairing: FAMILIES[facts.architecture].ggufPairing,
    ...(scaling && { scaling }),
  };
}

function localRope(facts: Facts, { dims, pairing }: RopeConfig): RopeConfig {
  return { theta: facts.positive('rope.freq_base_swa', LOCAL_THETA), dims, pairing };
}

function scalingOf(facts: Facts, hasTensor: (name: string) => boolean): RopeScaling | undefined {
  const context = facts.size('context_length');
  const original = facts.size('rope.scaling.original_context_length', context);
  // Factors in tensors go before whatever else is said: llama.cpp's converter computes Llama 3's into one.
  if (hasTensor('rope_factors_long.weight')) {
    const magnitude = facts.positive('rope.scaling.attn_factor', 1);
    return { kind: 'factors', short: 'ropeFactorsShort', long: 'ropeFactorsLong', original, magnitude };
  }
  if (hasTensor('rope_freqs.weight')) {
    return { kind: 'factors', short: 'ropeFactors', long: 'ropeFactors', original, magnitude: 1 };
  }
  const legacy = facts.number('rope.scale_linear', undefined);
  const type = facts.string('rope.scaling.type', legacy ? 'linear' : 'none');
  const factor = facts.positive('rope.scaling.factor', legacy || 1);
  switch (type) {
    case 'none':
      return undefined;
    case 'linear':
      return { kind: 'linear', factor };
    case 'yarn':
      return {
        kind: 'yarn',
        factor,
        original,
        fast: facts.positive('rope.scaling.yarn_beta_fast', 32),
        slow: facts.positive('rope.scaling.yarn_beta_slow', 1),
        magnitude: yarnMagnitude(factor) * facts.positive('rope.scaling.attn_factor', 1),
      };
    default:
      throw new FormatError(
        facts.file,
        'unsupported',
        facts.key('rope.scaling.type'),
        `positions scaled by «${type}» cannot be computed. Known: none, linear, yarn, and factors in tensors.`,
      );
  }
}

interface Sizes {
  readonly width: number;
  readonly headsQ: number;
  readonly layers: number;
}

/** Layers of the one size of Gemma that divides by its heads' share of the width instead of by their size: 27B. */
const GEMMA_27B: Partial<Record<Architecture, number>> = { gemma2: 46, gemma3: 62 };

function scalesOf(facts: Facts, { width, headsQ, layers }: Sizes): ModelScales {
  switch (facts.architecture) {
    case 'gemma2':
    case 'gemma3':
      return {
        ...NEUTRAL,
        embedding: Math.sqrt(width),
        ...(layers === GEMMA_27B[facts.architecture] && { attention: 1 / Math.sqrt(width / headsQ) }),
        attentionSoftcap: facts.number('attn_logit_softcapping', 0),
        logitSoftcap: facts.number('final_logit_softcapping', 0),
      };
    case 'granite':
      return {
        ...NEUTRAL,
        embedding: facts.number('embedding_scale', 1),
        residual: facts.number('residual_scale', 1),
        logits: 1 / facts.positive('logit_scale', 1),
        ...(facts.has('attention.scale') && { attention: facts.number('attention.scale') }),
      };
    default:
      return NEUTRAL;
  }
}
