/** A tiny model as a GGUF file that llama.cpp opens too: its weights, its configuration, and a vocabulary of bytes. */
import type { ModelConfig, RopeScaling } from '../../gpu/formats/model';
import {
  f32,
  numbers,
  text,
  texts,
  u32,
  writeGguf,
  type GgufTensor,
  type GgufValue,
} from '../../src/lib/weights/gguf-writer';
import { concat } from '../src/lib/weights/files';
import { isVector, type TinyWeights } from './llama';

/** llama.cpp's kinds of tokens. */
const [NORMAL, UNKNOWN, CONTROL, BYTE] = [1, 2, 3, 6];
/** llama.cpp ends the program where it looks for a byte that has no token. */
const BYTES = Array.from({ length: 256 }, (_, n) => `<0x${n.toString(16).toUpperCase().padStart(2, '0')}>`);

type Facts = Record<string, GgufValue>;

export function tinyMetadata(config: ModelConfig): Facts {
  const { vocab, architecture } = config;
  const control = ['<unk>', '<s>', '</s>'];
  const tokens = Array.from({ length: vocab }, (_, id) => control[id] ?? BYTES[id - 3] ?? `t${id}`);
  const kindOf = (id: number): number =>
    id === 0 ? UNKNOWN : id < 3 ? CONTROL : id < 3 + BYTES.length ? BYTE : NORMAL;
  const facts = Object.entries({ ...factsOf(config), ...scalesOf(config), ...ropeOf(config) });
  return {
    'general.architecture': text(architecture),
    ...Object.fromEntries(facts.map(([name, value]) => [`${architecture}.${name}`, value])),
    'tokenizer.ggml.model': text('llama'),
    'tokenizer.ggml.tokens': texts(tokens),
    'tokenizer.ggml.scores': numbers('f32', new Array<number>(vocab).fill(0)),
    'tokenizer.ggml.token_type': numbers(
      'i32',
      tokens.map((_, id) => kindOf(id)),
    ),
    'tokenizer.ggml.bos_token_id': u32(1),
    'tokenizer.ggml.eos_token_id': u32(2),
    'tokenizer.ggml.unknown_token_id': u32(0),
  };
}

function factsOf({ layers, width, ffnWidth, headsQ, headsKv, headDim, context, normEps }: ModelConfig): Facts {
  const window = layers.find((layer) => layer.window !== undefined)?.window;
  return {
    block_count: u32(layers.length),
    context_length: u32(context),
    embedding_length: u32(width),
    feed_forward_length: u32(ffnWidth),
    'attention.head_count': u32(headsQ),
    'attention.head_count_kv': u32(headsKv),
    'attention.key_length': u32(headDim),
    'attention.value_length': u32(headDim),
    'attention.layer_norm_rms_epsilon': f32(normEps),
    ...(window !== undefined && { 'attention.sliding_window': u32(window) }),
  };
}

/** Gemma's scale of the embedding follows from its width, and stands in no file. */
function scalesOf({ architecture, scales }: ModelConfig): Facts {
  if (architecture === 'granite') {
    return {
      embedding_scale: f32(scales.embedding),
      residual_scale: f32(scales.residual),
      logit_scale: f32(1 / scales.logits),
      'attention.scale': f32(scales.attention!),
    };
  }
  if (architecture !== 'gemma2') return {};
  return {
    attn_logit_softcapping: f32(scales.attentionSoftcap),
    final_logit_softcapping: f32(scales.logitSoftcap),
  };
}

function ropeOf({ rope }: ModelConfig): Facts {
  return {
    'rope.freq_base': f32(rope.theta),
    'rope.dimension_count': u32(rope.dims),
    ...(rope.scaling && scalingOf(rope.scaling)),
  };
}

function scalingOf(scaling: RopeScaling): Facts {
  switch (scaling.kind) {
    case 'linear':
      return { 'rope.scaling.type': text('linear'), 'rope.scaling.factor': f32(scaling.factor) };
    case 'yarn':
      return {
        'rope.scaling.type': text('yarn'),
        'rope.scaling.factor': f32(scaling.factor),
        'rope.scaling.original_context_length': u32(scaling.original),
      };
    case 'factors':
      return {
        'rope.scaling.original_context_length': u32(scaling.original),
        'rope.scaling.attn_factor': f32(scaling.magnitude),
      };
    case 'llama3':
      throw new Error('a GGUF file has these as a tensor of factors');
  }
}

export function tinyTensors(weights: TinyWeights): GgufTensor[] {
  return [...weights].map(([name, { type, rows, columns, bytes }]) => ({
    name,
    type,
    shape: isVector(name) ? [columns] : [rows, columns],
    bytes,
  }));
}

export function tinyGguf(config: ModelConfig, weights: TinyWeights): Uint8Array {
  return concat(writeGguf({ metadata: tinyMetadata(config), tensors: tinyTensors(weights) }));
}
