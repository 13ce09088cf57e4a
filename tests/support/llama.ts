/** Small models of random weights, of any family; tests/support/transformer.ts is their forward pass in float64. */
import type { TensorType } from '../../gpu/formats/blocks';
import { FAMILIES, type Architecture } from '../../gpu/formats/families';
import { NEUTRAL, type ModelConfig } from '../../gpu/formats/model';
import { layerRoles, modelRoles, shapeOf, type LayerRole, type ModelRole } from '../../gpu/formats/roles';
import type { Gpu } from '../../gpu/device';
import { Model, type ModelOptions } from '../../gpu/model';
import { randomWeights, type RandomWeights } from './weights';

export const TINY: ModelConfig = {
  architecture: 'llama',
  blocks: FAMILIES.llama.blocks,
  layers: [{ rope: 'global' }, { rope: 'global' }],
  width: 64,
  ffnWidth: 96,
  headsQ: 4,
  headsKv: 2,
  headDim: 16,
  vocab: 96,
  context: 600,
  normEps: 1e-5,
  gainOffset: 0,
  rope: { theta: 10000, dims: 16, pairing: 'neighbours' },
  tiedHead: false,
  scales: NEUTRAL,
};

/** A tiny model of a family, with what its configuration usually says besides. */
export function tinyOf(architecture: Architecture, more: Partial<ModelConfig> = {}): ModelConfig {
  const { blocks, ggufPairing: pairing } = FAMILIES[architecture];
  return { ...TINY, architecture, blocks, rope: { ...TINY.rope, pairing }, ...more };
}

const LAYER_NAMES: Readonly<Record<LayerRole, string>> = {
  attnNorm: 'attn_norm.weight',
  q: 'attn_q.weight',
  k: 'attn_k.weight',
  v: 'attn_v.weight',
  qkv: 'attn_qkv.weight',
  qBias: 'attn_q.bias',
  kBias: 'attn_k.bias',
  vBias: 'attn_v.bias',
  qNorm: 'attn_q_norm.weight',
  kNorm: 'attn_k_norm.weight',
  o: 'attn_output.weight',
  attnAfter: 'post_attention_norm.weight',
  ffnNorm: 'ffn_norm.weight',
  gate: 'ffn_gate.weight',
  up: 'ffn_up.weight',
  gateUp: 'ffn_up.weight',
  down: 'ffn_down.weight',
  ffnAfter: 'post_ffw_norm.weight',
};
const MODEL_NAMES: Readonly<Record<ModelRole, string>> = {
  embedding: 'token_embd.weight',
  finalNorm: 'output_norm.weight',
  head: 'output.weight',
  ropeFactors: 'rope_freqs.weight',
  ropeFactorsShort: 'rope_factors_short.weight',
  ropeFactorsLong: 'rope_factors_long.weight',
};

/** The name that a GGUF file has for a tensor. */
export function ggufName(role: ModelRole | LayerRole, layer?: number): string {
  return layer === undefined ? MODEL_NAMES[role as ModelRole] : `blk.${layer}.${LAYER_NAMES[role as LayerRole]}`;
}

/** Weights by tensor name, as a GGUF file has them; vectors are f32. */
export type TinyWeights = ReadonlyMap<string, RandomWeights>;

export function tinyWeights(config: ModelConfig, type: TensorType): TinyWeights {
  const weights = new Map<string, RandomWeights>();
  const add = (role: ModelRole | LayerRole, layer?: number): void => {
    const [rows, columns] = shapeOf(config, role);
    const random = randomWeights(columns ? type : 'F32', columns ? rows! : 1, columns ?? rows!, weights.size + 1);
    // A row of one column is scaled by 1 / sqrt(columns): gains and factors lie about one.
    const around = columns === undefined && !role.endsWith('Bias');
    weights.set(ggufName(role, layer), around ? aroundOne(random, config.gainOffset) : random);
  };
  const tied = (role: ModelRole): boolean => role === 'head' && config.tiedHead;
  for (const role of modelRoles(config)) if (!tied(role)) add(role);
  for (const layer of config.layers.keys()) for (const role of layerRoles(config)) add(role, layer);
  return weights;
}

function aroundOne(weights: RandomWeights, offset: number): RandomWeights {
  const values = weights.values.map((value) => 1 + value - offset);
  return { ...weights, values, bytes: new Uint8Array(values.buffer) };
}

/** Whether a tensor of that name has one dimension. */
export const isVector = (name: string): boolean => /norm|bias|rope_/.test(name);

export async function tinyModel(
  gpu: Gpu,
  config: ModelConfig,
  weights: TinyWeights,
  options?: ModelOptions,
): Promise<Model> {
  const tensors = [...weights].map(([name, { type, rows, columns }]) => ({
    name,
    type,
    shape: isVector(name) ? [columns] : [rows, columns],
  }));
  const model = new Model(gpu, config, tensors, options);
  for (const [name, { bytes }] of weights) {
    const writer = model.writer(name)!;
    writer.push(bytes);
    writer.finish();
  }
  await model.ready();
  return model;
}
