/**
 * What a decoder-only transformer is made of, as data: the numbers of its configuration, and the tensors by their part
 * in it. Readers of files translate into this; gpu/model turns it into dispatches.
 */

/** How a head's elements pair up to turn by their position: (2i, 2i + 1), or (i, i + dims / 2). */
export type RopePairing = 'neighbours' | 'halves';

export interface RopeConfig {
  readonly theta: number;
  /** Elements of a head that turn: the first ones. */
  readonly dims: number;
  readonly pairing: RopePairing;
}

export interface ModelConfig {
  /** The family's name, as GGUF has it. */
  readonly architecture: Architecture;
  readonly layers: number;
  /** Elements of the residual stream (hidden_size). */
  readonly width: number;
  readonly ffnWidth: number;
  readonly headsQ: number;
  readonly headsKv: number;
  readonly headDim: number;
  readonly vocab: number;
  /** Positions the model was trained for. */
  readonly context: number;
  readonly normEps: number;
  readonly rope: RopeConfig;
  /** The output head is the embedding. */
  readonly tiedHead: boolean;
}

/** Families of models that can be run. */
export const ARCHITECTURES = ['llama'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

export function isArchitecture(name: string): name is Architecture {
  return (ARCHITECTURES as readonly string[]).includes(name);
}

/** Tensors of the whole model. */
export type ModelRole = 'embedding' | 'finalNorm' | 'head';
/** Tensors of each layer. */
export type LayerRole = 'attnNorm' | 'q' | 'k' | 'v' | 'o' | 'ffnNorm' | 'gate' | 'up' | 'down';

export type TensorRole =
  { readonly role: ModelRole; readonly layer?: undefined } | { readonly role: LayerRole; readonly layer: number };

const GGUF_MODEL: Readonly<Record<string, ModelRole>> = {
  'token_embd.weight': 'embedding',
  'output_norm.weight': 'finalNorm',
  'output.weight': 'head',
};
const GGUF_LAYER: Readonly<Record<string, LayerRole>> = {
  'attn_norm.weight': 'attnNorm',
  'attn_q.weight': 'q',
  'attn_k.weight': 'k',
  'attn_v.weight': 'v',
  'attn_output.weight': 'o',
  'ffn_norm.weight': 'ffnNorm',
  'ffn_gate.weight': 'gate',
  'ffn_up.weight': 'up',
  'ffn_down.weight': 'down',
};
const HF_MODEL: Readonly<Record<string, ModelRole>> = {
  'model.embed_tokens.weight': 'embedding',
  'model.norm.weight': 'finalNorm',
  'lm_head.weight': 'head',
};
const HF_LAYER: Readonly<Record<string, LayerRole>> = {
  'input_layernorm.weight': 'attnNorm',
  'self_attn.q_proj.weight': 'q',
  'self_attn.k_proj.weight': 'k',
  'self_attn.v_proj.weight': 'v',
  'self_attn.o_proj.weight': 'o',
  'post_attention_layernorm.weight': 'ffnNorm',
  'mlp.gate_proj.weight': 'gate',
  'mlp.up_proj.weight': 'up',
  'mlp.down_proj.weight': 'down',
};

/** The part that a tensor plays, by its name in a GGUF file or in one of Hugging Face's; undefined: none that we know. */
export function roleOf(name: string): TensorRole | undefined {
  const model = GGUF_MODEL[name] ?? HF_MODEL[name];
  if (model) return { role: model };
  const inLayer = /^(?:blk|model\.layers)\.(\d+)\.(.+)$/.exec(name);
  if (!inLayer) return undefined;
  const role = GGUF_LAYER[inLayer[2]!] ?? HF_LAYER[inLayer[2]!];
  return role && { role, layer: Number(inLayer[1]) };
}

/** Shape of the tensor in files, outermost first: `[out, in]` of a matrix, `[width]` of a norm. */
export function shapeOf(config: ModelConfig, role: ModelRole | LayerRole): readonly number[] {
  const { width, ffnWidth, headsQ, headsKv, headDim, vocab } = config;
  const shapes: Record<ModelRole | LayerRole, readonly number[]> = {
    embedding: [vocab, width],
    head: [vocab, width],
    finalNorm: [width],
    attnNorm: [width],
    ffnNorm: [width],
    q: [headsQ * headDim, width],
    k: [headsKv * headDim, width],
    v: [headsKv * headDim, width],
    o: [width, headsQ * headDim],
    gate: [ffnWidth, width],
    up: [ffnWidth, width],
    down: [width, ffnWidth],
  };
  return shapes[role];
}
