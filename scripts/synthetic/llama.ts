/** A Llama of random Q8_0 weights, as the parts of a GGUF file. Tensors of one shape share their bytes. */
import { tensorTypeInfo } from '../../gpu/formats/blocks';
import { f16Bits } from '../../gpu/formats/dtype';
import { f32, type GgufTensor, numbers, text, texts, u32, writeGguf } from '../../src/lib/weights/gguf-writer';

export interface SyntheticShape {
  readonly layers: number;
  /** A multiple of 128. */
  readonly width: number;
}

/** A token for each byte, as llama.cpp's byte-level vocabularies begin, and a few more ids than that. */
const VOCAB = 8192;
const HEAD_DIM = 64;
const NORMAL = 1;
/** The largest code of Q8_0. */
const LARGEST = 127;

export function syntheticLlama({ layers, width }: SyntheticShape): Uint8Array[] {
  const ffn = Math.round((width * 2.75) / 256) * 256;
  const heads = width / HEAD_DIM;
  const tokens = Array.from({ length: VOCAB }, (_, id) => `t${id}`);
  const metadata = {
    'general.architecture': text('llama'),
    'general.name': text(`Random Llama, ${layers} layers of ${width}`),
    'llama.context_length': u32(4096),
    'llama.embedding_length': u32(width),
    'llama.block_count': u32(layers),
    'llama.feed_forward_length': u32(ffn),
    'llama.attention.head_count': u32(heads),
    'llama.attention.head_count_kv': u32(heads),
    'llama.rope.dimension_count': u32(HEAD_DIM),
    'llama.rope.freq_base': f32(10_000),
    'llama.attention.layer_norm_rms_epsilon': f32(1e-5),
    'llama.vocab_size': u32(VOCAB),
    'tokenizer.ggml.model': text('gpt2'),
    'tokenizer.ggml.pre': text('gpt-2'),
    'tokenizer.ggml.tokens': texts(tokens),
    'tokenizer.ggml.token_type': numbers('i32', new Int32Array(VOCAB).fill(NORMAL)),
    'tokenizer.ggml.merges': texts([]),
    'tokenizer.ggml.bos_token_id': u32(0),
    'tokenizer.ggml.eos_token_id': u32(0),
  };
  return writeGguf({ metadata, tensors: [...tensorsOf(layers, width, ffn)] });
}

function* tensorsOf(layers: number, width: number, ffn: number): Generator<GgufTensor> {
  const [square, wide, tall] = [matrix(width, width), matrix(ffn, width), matrix(width, ffn)];
  const gain: Shaped = { type: 'F32', shape: [width], bytes: new Uint8Array(new Float32Array(width).fill(1).buffer) };
  yield { name: 'token_embd.weight', ...matrix(VOCAB, width) };
  for (let layer = 0; layer < layers; layer++) {
    const named = (name: string, tensor: Shaped): GgufTensor => ({ name: `blk.${layer}.${name}.weight`, ...tensor });
    yield named('attn_norm', gain);
    for (const name of ['attn_q', 'attn_k', 'attn_v', 'attn_output']) yield named(name, square);
    yield named('ffn_norm', gain);
    for (const name of ['ffn_gate', 'ffn_up']) yield named(name, wide);
    yield named('ffn_down', tall);
  }
  yield { name: 'output_norm.weight', ...gain };
}

type Shaped = Omit<GgufTensor, 'name'>;

/** `[rows, columns]` of about 1 / sqrt(columns). */
function matrix(rows: number, columns: number): Shaped {
  const { blockElements, blockBytes } = tensorTypeInfo('Q8_0');
  const bytes = new Uint8Array(((rows * columns) / blockElements) * blockBytes);
  // Every byte is a valid code.
  const words = new Uint32Array(bytes.buffer, 0, Math.floor(bytes.length / 4));
  let state = rows ^ columns;
  for (let at = 0; at < words.length; at++) words[at] = state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  const scale = f16Bits(1.7 / Math.sqrt(columns) / LARGEST);
  for (let at = 0; at < bytes.length; at += blockBytes) {
    bytes[at] = scale & 255;
    bytes[at + 1] = scale >> 8;
  }
  return { type: 'Q8_0', shape: [rows, columns], bytes };
}
