/** A tiny Llama as a folder of Hugging Face's: safetensors in shards, their index, config.json, tokenizer.json. */
import type { ModelConfig } from '../../gpu/formats/model';
import { concat } from '../src/lib/weights/files';
import type { TinyWeights } from './llama';
import type { RandomWeights } from './weights';

const MODEL_NAMES: Readonly<Record<string, string>> = {
  'token_embd.weight': 'model.embed_tokens.weight',
  'output_norm.weight': 'model.norm.weight',
  'output.weight': 'lm_head.weight',
};
const LAYER_NAMES: Readonly<Record<string, string>> = {
  attn_norm: 'input_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  ffn_norm: 'post_attention_layernorm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
};

/** Files by name; the weights' types are F32, F16 or BF16, which both formats call the same. */
export function tinyFolder(config: ModelConfig, weights: TinyWeights, shards: number): Record<string, Uint8Array> {
  const all = [...weights];
  const files: Record<string, Uint8Array> = {
    'config.json': json(configJson(config)),
    'tokenizer.json': json(tokenizerJson(config.vocab)),
  };
  const map: Record<string, string> = {};
  for (let shard = 0; shard < shards; shard++) {
    const some = all.filter((_, at) => Math.floor((at * shards) / all.length) === shard);
    const file = shards === 1 ? 'model.safetensors' : `model-0000${shard + 1}-of-0000${shards}.safetensors`;
    files[file] = safetensorsOf(some);
    for (const [name] of some) map[theirName(name)] = file;
  }
  if (shards > 1) files['model.safetensors.index.json'] = json({ metadata: {}, weight_map: map });
  return files;
}

function safetensorsOf(weights: Iterable<[string, RandomWeights]>): Uint8Array {
  const header: Record<string, object> = {};
  const data: Uint8Array[] = [];
  let at = 0;
  for (const [name, { type, rows, columns, bytes }] of weights) {
    const shape = name.includes('norm') ? [columns] : [rows, columns];
    header[theirName(name)] = { dtype: type, shape, data_offsets: [at, at + bytes.length] };
    at += bytes.length;
    data.push(bytes);
  }
  const text = json(header);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
  return concat([length, text, ...data]);
}

function theirName(name: string): string {
  const [, layer, part] = /^blk\.(\d+)\.(\w+)\.weight$/.exec(name) ?? [];
  return part === undefined ? MODEL_NAMES[name]! : `model.layers.${layer}.${LAYER_NAMES[part]}.weight`;
}

function configJson(config: ModelConfig): object {
  const { layers, width, ffnWidth, headsQ, headsKv, headDim, vocab, context, normEps, rope, tiedHead } = config;
  return {
    model_type: 'llama',
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
    tie_word_embeddings: tiedHead,
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
