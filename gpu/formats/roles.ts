/** The tensors of a model by their part in it: what files call them, which a configuration has, their shapes. */
import { FAMILIES } from './families';
import type { Architecture } from './families';
import type { FactorTensor, ModelConfig } from './model';

/** Tensors of the whole model. */
export type ModelRole = 'embedding' | 'finalNorm' | 'head' | FactorTensor;
/** Tensors of each layer. */
export type LayerRole =
  | 'attnNorm'
  | 'q'
  | 'k'
  | 'v'
  | 'qkv'
  | 'qBias'
  | 'kBias'
  | 'vBias'
  | 'qNorm'
  | 'kNorm'
  | 'o'
  | 'attnAfter'
  | 'ffnNorm'
  | 'gate'
  | 'up'
  | 'gateUp'
  | 'down'
  | 'ffnAfter';

export type TensorRole =
  { readonly role: ModelRole; readonly layer?: undefined } | { readonly role: LayerRole; readonly layer: number };

const MODEL_NAMES: Readonly<Record<string, ModelRole>> = {
  'token_embd.weight': 'embedding',
  'output_norm.weight': 'finalNorm',
  'output.weight': 'head',
  'rope_freqs.weight': 'ropeFactors',
  'rope_factors_short.weight': 'ropeFactorsShort',
  'rope_factors_long.weight': 'ropeFactorsLong',
  'model.embed_tokens.weight': 'embedding',
  'model.norm.weight': 'finalNorm',
  'lm_head.weight': 'head',
};

/** GGUF's names behind `blk.N.`, and Hugging Face's behind `model.layers.N.`. */
const LAYER_NAMES: Readonly<Record<string, LayerRole>> = {
  'attn_norm.weight': 'attnNorm',
  'attn_q.weight': 'q',
  'attn_k.weight': 'k',
  'attn_v.weight': 'v',
  'attn_qkv.weight': 'qkv',
  'attn_q.bias': 'qBias',
  'attn_k.bias': 'kBias',
  'attn_v.bias': 'vBias',
  'attn_q_norm.weight': 'qNorm',
  'attn_k_norm.weight': 'kNorm',
  'attn_output.weight': 'o',
  'post_attention_norm.weight': 'attnAfter',
  'ffn_norm.weight': 'ffnNorm',
  'ffn_gate.weight': 'gate',
  'ffn_up.weight': 'up',
  'ffn_down.weight': 'down',
  'post_ffw_norm.weight': 'ffnAfter',
  'input_layernorm.weight': 'attnNorm',
  'self_attn.q_proj.weight': 'q',
  'self_attn.k_proj.weight': 'k',
  'self_attn.v_proj.weight': 'v',
  'self_attn.qkv_proj.weight': 'qkv',
  'self_attn.q_proj.bias': 'qBias',
  'self_attn.k_proj.bias': 'kBias',
  'self_attn.v_proj.bias': 'vBias',
  'self_attn.q_norm.weight': 'qNorm',
  'self_attn.k_norm.weight': 'kNorm',
  'self_attn.o_proj.weight': 'o',
  'post_attention_layernorm.weight': 'ffnNorm',
  'pre_feedforward_layernorm.weight': 'ffnNorm',
  'post_feedforward_layernorm.weight': 'ffnAfter',
  'mlp.gate_proj.weight': 'gate',
  'mlp.up_proj.weight': 'up',
  'mlp.gate_up_proj.weight': 'gateUp',
  'mlp.down_proj.weight': 'down',
};

/** Where a family means something else by a name. */
function exception(architecture: Architecture, name: string): LayerRole | undefined {
  const { norms, fused } = FAMILIES[architecture].blocks;
  // Hugging Face calls so whatever norm comes after attention: the next branch's own, or what ends this one.
  if (name === 'post_attention_layernorm.weight' && norms !== 'before') return 'attnAfter';
  if (name === 'ffn_up.weight' && fused) return 'gateUp';
  return undefined;
}

/** The part that a tensor plays, by its name in a GGUF file or in one of Hugging Face's; undefined: none that we know. */
export function roleOf(architecture: Architecture, name: string): TensorRole | undefined {
  const model = MODEL_NAMES[name];
  if (model) return { role: model };
  const inLayer = /^(?:blk|model\.layers)\.(\d+)\.(.+)$/.exec(name);
  if (!inLayer) return undefined;
  const role = exception(architecture, inLayer[2]!) ?? LAYER_NAMES[inLayer[2]!];
  return role && { role, layer: Number(inLayer[1]) };
}

/** Shape of the tensor in files, outermost first: `[out, in]` of a matrix, `[width]` of a norm. */
export function shapeOf(config: ModelConfig, role: ModelRole | LayerRole): readonly number[] {
  const { width, ffnWidth, headsQ, headsKv, headDim, vocab, rope, blocks } = config;
  const [q, kv] = [headsQ * headDim, headsKv * headDim];
  const normed = (heads: number): readonly number[] => [blocks.queryKeyNorm === 'token' ? heads : headDim];
  const factors = [rope.dims / 2];
  const shapes: Record<ModelRole | LayerRole, readonly number[]> = {
    embedding: [vocab, width],
    head: [vocab, width],
    finalNorm: [width],
    ropeFactors: factors,
    ropeFactorsShort: factors,
    ropeFactorsLong: factors,
    attnNorm: [width],
    attnAfter: [width],
    ffnNorm: [width],
    ffnAfter: [width],
    q: [q, width],
    k: [kv, width],
    v: [kv, width],
    qkv: [q + 2 * kv, width],
    qBias: [q],
    kBias: [kv],
    vBias: [kv],
    qNorm: normed(q),
    kNorm: normed(kv),
    o: [width, q],
    gate: [ffnWidth, width],
    up: [ffnWidth, width],
    gateUp: [2 * ffnWidth, width],
    down: [width, ffnWidth],
  };
  return shapes[role];
}

/** The tensors of the whole model that this one has; a tied head is the embedding. */
export function modelRoles({ rope }: ModelConfig): readonly ModelRole[] {
  const { scaling } = rope;
  const factors = scaling?.kind === 'factors' ? [scaling.short, scaling.long] : [];
  const tensors = factors.filter((one): one is FactorTensor => typeof one === 'string');
  return ['embedding', 'finalNorm', 'head', ...new Set(tensors)];
}

/** The tensors that each layer of this model has. */
export function layerRoles({ blocks }: ModelConfig): readonly LayerRole[] {
  const before = blocks.norms !== 'after';
  const after = blocks.norms !== 'before';
  return [
    ...when(before, 'attnNorm', 'ffnNorm'),
    ...when(after, 'attnAfter', 'ffnAfter'),
    ...when(blocks.fused, 'qkv', 'gateUp'),
    ...when(!blocks.fused, 'q', 'k', 'v', 'gate', 'up'),
    ...when(blocks.biased, 'qBias', 'kBias', 'vBias'),
    ...when(blocks.queryKeyNorm !== 'none', 'qNorm', 'kNorm'),
    'o',
    'down',
  ];
}

function when(needed: boolean, ...roles: readonly LayerRole[]): readonly LayerRole[] {
  return needed ? roles : [];
}
