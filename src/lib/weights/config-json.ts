/** The configuration of a model out of Hugging Face's config.json. */
import { FAMILIES, familyOfType } from '$gpu/formats/families';
import type { Architecture } from '$gpu/formats/families';
import { NEUTRAL } from '$gpu/formats/model';
import type { LayerKind, ModelConfig, ModelScales } from '$gpu/formats/model';
import { layerKinds, requireArchitecture, ROPELESS_EVERY } from './config-layers';
import { localRopeOf, ropeOf } from './config-rope';
import { FormatError } from './errors';
import { Fields } from './fields';
import { isJsonObject } from './json';
import type { Json } from './json';
import { MAX_LAYERS } from './limits';

/** Throws a FormatError that names the field: a family we do not know, numbers that are missing, what we cannot do. */
export function configFromJson(json: Json, file = 'config.json'): ModelConfig {
  if (!isJsonObject(json)) throw new FormatError(file, 'malformed', 'config', 'this is no JSON object.');
  const fields = new Fields(json, file);
  const type = fields.text('model_type');
  const architecture = requireArchitecture(familyOfType(type), file, 'model_type', type);
  refuseOtherBlocks(fields, architecture);
  const width = fields.size('hidden_size');
  const headsQ = fields.size('num_attention_heads');
  const headDim = fields.size('head_dim', width / headsQ);
  const context = fields.size('max_position_embeddings');
  const local = localRopeOf(fields, architecture, headDim);
  return {
    architecture,
    blocks: FAMILIES[architecture].blocks,
    layers: layersOf(fields, architecture, local !== undefined),
    width,
    ffnWidth: fields.size('intermediate_size'),
    headsQ,
    headsKv: fields.size('num_key_value_heads', headsQ),
    headDim,
    vocab: fields.size('vocab_size'),
    context,
    normEps: fields.positive('rms_norm_eps'),
    gainOffset: FAMILIES[architecture].hfGainOffset,
    rope: ropeOf(fields, architecture, headDim, context),
    ...(local && { localRope: local }),
    tiedHead: fields.flag('tie_word_embeddings', isGemma(architecture)),
    scales: scalesOf(fields, architecture, width),
  };
}

function isGemma(architecture: Architecture): boolean {
  return FAMILIES[architecture].blocks.activation === 'gelu';
}

/** What config.json calls each activation. Gemma's early files say «gelu» and mean its tanh form. */
const ACTIVATIONS = { silu: ['silu', 'swish'], gelu: ['gelu_pytorch_tanh', 'gelu'] } as const;

function refuseOtherBlocks(fields: Fields, architecture: Architecture): void {
  const { activation } = FAMILIES[architecture].blocks;
  const known: readonly string[] = ACTIVATIONS[activation];
  const field = fields.has('hidden_activation') ? 'hidden_activation' : 'hidden_act';
  const found = fields.text(field, activation);
  if (!known.includes(found)) fields.refuse(field, `the activation ${found}; this family is run with ${known[0]}.`);
  for (const bias of ['attention_bias', 'mlp_bias']) {
    if (fields.flag(bias, false)) fields.refuse(bias, 'biases that this family is not run with.');
  }
  if (fields.flag('use_bidirectional_attention', false)) {
    fields.refuse('use_bidirectional_attention', 'attention that looks ahead: it embeds texts and does not write any.');
  }
}

// ---- layers ----------------------------------------------------------------------------------------------------

function layersOf(fields: Fields, architecture: Architecture, localRope: boolean): LayerKind[] {
  const count = fields.size('num_hidden_layers', undefined, MAX_LAYERS);
  return layerKinds({
    architecture,
    count,
    window: windowOf(fields, architecture),
    windowed: windowedOf(fields, architecture, count),
    ropeless: ropelessOf(fields, architecture, count),
    localRope,
  });
}

/** Qwen's and SmolLM3's files give the size of a window that only `use_sliding_window` opens. */
function windowOf(fields: Fields, architecture: Architecture): number | undefined {
  const optional = architecture === 'qwen2' || architecture === 'qwen3' || architecture === 'smollm3';
  if (optional && !fields.flag('use_sliding_window', false)) return undefined;
  return fields.has('sliding_window') ? fields.count('sliding_window') : undefined;
}

function windowedOf(
  fields: Fields,
  architecture: Architecture,
  layers: number,
): ((layer: number) => boolean) | undefined {
  if (fields.has('layer_types')) {
    const types = fields.texts('layer_types', layers);
    const unknown = types.find((type) => type !== 'full_attention' && type !== 'sliding_attention');
    if (unknown !== undefined) fields.refuse('layer_types', `layers of the kind ${unknown}.`);
    return (layer) => types[layer] === 'sliding_attention';
  }
  if (architecture === 'gemma3' && fields.has('sliding_window_pattern')) {
    const pattern = fields.count('sliding_window_pattern');
    return (layer) => (layer + 1) % pattern !== 0;
  }
  if (fields.has('max_window_layers')) {
    const first = fields.count('max_window_layers');
    return (layer) => layer >= first;
  }
  return undefined;
}

function ropelessOf(
  fields: Fields,
  architecture: Architecture,
  layers: number,
): ((layer: number) => boolean) | undefined {
  if (ROPELESS_EVERY[architecture] === undefined) return undefined;
  if (fields.has('no_rope_layers')) {
    // 1 for a layer that turns, in spite of the name.
    const turns = fields.numbers('no_rope_layers', layers);
    return (layer) => turns[layer] === 0;
  }
  const every = fields.count('no_rope_layer_interval', ROPELESS_EVERY[architecture]);
  return (layer) => (layer + 1) % every === 0;
}

// ---- numbers ---------------------------------------------------------------------------------------------------

function scalesOf(fields: Fields, architecture: Architecture, width: number): ModelScales {
  switch (architecture) {
    case 'gemma2':
    case 'gemma3':
      return {
        ...NEUTRAL,
        embedding: Math.sqrt(width),
        attention: fields.positive('query_pre_attn_scalar') ** -0.5,
        attentionSoftcap: fields.number('attn_logit_softcapping', 0),
        logitSoftcap: fields.number('final_logit_softcapping', 0),
      };
    case 'granite':
      return {
        ...NEUTRAL,
        embedding: fields.number('embedding_multiplier', 1),
        residual: fields.number('residual_multiplier', 1),
        attention: fields.number('attention_multiplier', 1),
        logits: 1 / fields.positive('logits_scaling', 1),
      };
    default:
      return NEUTRAL;
  }
}
