/** A tiny model as a folder of Hugging Face's: safetensors in shards, their index, config.json, tokenizer.json. */
import { FAMILIES } from '../../gpu/formats/families';
import type { ModelConfig, RopeScaling } from '../../gpu/formats/model';
import { concat } from '../src/lib/weights/files';
import { ggufName, isVector, type TinyWeights } from './llama';
import type { RandomWeights } from './weights';

const MODEL_NAMES: Readonly<Record<string, string>> = {
  'token_embd.weight': 'model.embed_tokens.weight',
  'output_norm.weight': 'model.norm.weight',
  'output.weight': 'lm_head.weight',
};
const LAYER_NAMES: Readonly<Record<string, string>> = {
  'attn_norm.weight': 'input_layernorm.weight',
  'attn_q.weight': 'self_attn.q_proj.weight',
  'attn_k.weight': 'self_attn.k_proj.weight',
  'attn_v.weight': 'self_attn.v_proj.weight',
  'attn_qkv.weight': 'self_attn.qkv_proj.weight',
  'attn_q.bias': 'self_attn.q_proj.bias',
  'attn_k.bias': 'self_attn.k_proj.bias',
  'attn_v.bias': 'self_attn.v_proj.bias',
  'attn_q_norm.weight': 'self_attn.q_norm.weight',
  'attn_k_norm.weight': 'self_attn.k_norm.weight',
  'attn_output.weight': 'self_attn.o_proj.weight',
  'post_attention_norm.weight': 'post_attention_layernorm.weight',
  'ffn_gate.weight': 'mlp.gate_proj.weight',
  'ffn_up.weight': 'mlp.up_proj.weight',
  'ffn_down.weight': 'mlp.down_proj.weight',
  'post_ffw_norm.weight': 'post_feedforward_layernorm.weight',
};

/** Files by name; the weights' types are F32, F16 or BF16, which both formats call the same. */
export function tinyFolder(config: ModelConfig, weights: TinyWeights, shards: number): Record<string, Uint8Array> {
  const all = theirTensors(config, weights);
  const files: Record<string, Uint8Array> = {
    'config.json': json(configJson(config, weights)),
    'tokenizer.json': json(tokenizerJson(config.vocab)),
  };
  const map: Record<string, string> = {};
  for (let shard = 0; shard < shards; shard++) {
    const some = all.filter((_, at) => Math.floor((at * shards) / all.length) === shard);
    const file = shards === 1 ? 'model.safetensors' : `model-0000${shard + 1}-of-0000${shards}.safetensors`;
    files[file] = safetensorsOf(some);
    for (const { name } of some) map[name] = file;
  }
  if (shards > 1) files['model.safetensors.index.json'] = json({ metadata: {}, weight_map: map });
  return files;
}

interface TheirTensor {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

function safetensorsOf(tensors: readonly TheirTensor[]): Uint8Array {
  const header: Record<string, object> = {};
  let at = 0;
  for (const { name, type, shape, bytes } of tensors) {
    header[name] = { dtype: type, shape, data_offsets: [at, at + bytes.length] };
    at += bytes.length;
  }
  const text = json(header);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
  return concat([length, text, ...tensors.map(({ bytes }) => bytes)]);
}

/** Factors of frequencies stand in config.json. */
function theirTensors(config: ModelConfig, weights: TinyWeights): TheirTensor[] {
  return [...weights]
    .filter(([name]) => !name.startsWith('rope_'))
    .map(([name, tensor]) => {
      const { type, rows, columns } = tensor;
      const shape = isVector(name) ? [columns] : [rows, columns];
      return { name: theirName(config, name), type, shape, bytes: theirBytes(config, name, tensor) };
    });
}

function theirName(config: ModelConfig, name: string): string {
  const [, layer, part] = /^blk\.(\d+)\.(.+)$/.exec(name) ?? [];
  if (part === undefined) return MODEL_NAMES[name]!;
  if (part === 'ffn_up.weight' && config.blocks.fused) return `model.layers.${layer}.mlp.gate_up_proj.weight`;
  // The norm before the feed-forward is named after what it follows, where nothing else stands there.
  const before = config.blocks.norms === 'before' ? 'post_attention_layernorm' : 'pre_feedforward_layernorm';
  return `model.layers.${layer}.${part === 'ffn_norm.weight' ? `${before}.weight` : LAYER_NAMES[part]!}`;
}

function theirBytes(config: ModelConfig, name: string, { bytes, values }: RandomWeights): Uint8Array {
  const { rope, gainOffset, headDim, architecture } = config;
  if (name.includes('norm') && FAMILIES[architecture].hfGainOffset !== gainOffset) {
    return new Uint8Array(values.map((value) => value - 1).buffer);
  }
  const turned = rope.pairing === 'neighbours' && /attn_(q|k)\.(weight|bias)$/.test(name);
  return turned ? inHalves(bytes, headDim, config.width) : bytes;
}

/** Rows of each head as Hugging Face has them: the first of every pair, then the second ones. */
function inHalves(bytes: Uint8Array, headDim: number, width: number): Uint8Array {
  const heads = bytes.length / 4 / width / headDim;
  const row = bytes.length / heads / headDim;
  const parts = Array.from({ length: heads * headDim }, (_, at) => {
    const [head, i] = [Math.floor(at / headDim), at % headDim];
    const half = headDim / 2;
    const from = head * headDim + (i < half ? 2 * i : 2 * (i - half) + 1);
    return bytes.subarray(from * row, (from + 1) * row);
  });
  return concat(parts);
}

function configJson(config: ModelConfig, weights: TinyWeights): object {
  const { layers, width, ffnWidth, headsQ, headsKv, headDim, vocab, context, normEps, rope, tiedHead } = config;
  const window = layers.find((layer) => layer.window !== undefined)?.window;
  return {
    model_type: FAMILIES[config.architecture].hfTypes[0],
    num_hidden_layers: layers.length,
    hidden_size: width,
    intermediate_size: ffnWidth,
    num_attention_heads: headsQ,
    num_key_value_heads: headsKv,
    head_dim: headDim,
    vocab_size: vocab,
    max_position_embeddings: context,
    rms_norm_eps: normEps,
    rope_theta: rope.theta,
    partial_rotary_factor: rope.dims / headDim,
    tie_word_embeddings: tiedHead,
    hidden_act: config.blocks.activation === 'silu' ? 'silu' : 'gelu_pytorch_tanh',
    ...(rope.scaling && { rope_scaling: scalingJson(rope.scaling, weights) }),
    ...(window !== undefined && { sliding_window: window }),
    ...scalesJson(config),
  };
}

function scalingJson(scaling: RopeScaling, weights: TinyWeights): object {
  if (scaling.kind === 'linear') return { rope_type: 'linear', factor: scaling.factor };
  if (scaling.kind === 'yarn') {
    return { rope_type: 'yarn', factor: scaling.factor, original_max_position_embeddings: scaling.original };
  }
  if (scaling.kind === 'llama3') throw new Error('llama.cpp has these as factors');
  const list = (factors: readonly number[] | Parameters<typeof ggufName>[0]): readonly number[] =>
    typeof factors === 'string' ? [...weights.get(ggufName(factors))!.values] : factors;
  return {
    type: 'longrope',
    short_factor: list(scaling.short),
    long_factor: list(scaling.long),
    original_max_position_embeddings: scaling.original,
    attention_factor: scaling.magnitude,
  };
}

function scalesJson({ architecture, scales, headDim }: ModelConfig): object {
  if (architecture === 'granite') {
    return {
      embedding_multiplier: scales.embedding,
      residual_multiplier: scales.residual,
      attention_multiplier: scales.attention,
      logits_scaling: 1 / scales.logits,
    };
  }
  if (!architecture.startsWith('gemma')) return {};
  return {
    query_pre_attn_scalar: scales.attention === undefined ? headDim : scales.attention ** -2,
    attn_logit_softcapping: scales.attentionSoftcap || null,
    final_logit_softcapping: scales.logitSoftcap || null,
  };
}

/** Characters from «!» on, behind a beginning and an end. */
function tokenizerJson(vocab: number): object {
  const control = ['<s>', '</s>'];
  const tokens = Array.from({ length: vocab }, (_, id) => control[id] ?? String.fromCodePoint(0x21 + id - 2));
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    added_tokens: control.map((content, id) => ({ id, content, special: true })),
    pre_tokenizer: byteLevel,
    decoder: byteLevel,
    model: { type: 'BPE', vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges: [] },
  };
}

const json = (value: object): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
