/** A small Llama of random weights, and its forward pass in float64, independent of any GPU. */
import type { TensorType } from '../../gpu/formats/blocks';
import { shapeOf, type LayerRole, type ModelConfig, type RopePairing } from '../../gpu/formats/model';
import type { Gpu } from '../../gpu/device';
import { Model, type ModelOptions } from '../../gpu/model';
import { normReference, productReference } from './ops';
import { randomWeights, type RandomWeights } from './weights';

export const TINY: ModelConfig = {
  architecture: 'llama',
  layers: 2,
  width: 64,
  ffnWidth: 96,
  headsQ: 4,
  headsKv: 2,
  headDim: 16,
  vocab: 96,
  context: 600,
  normEps: 1e-5,
  rope: { theta: 10000, dims: 16, pairing: 'neighbours' },
  tiedHead: false,
};

const NAMES: Readonly<Record<LayerRole, string>> = {
  attnNorm: 'attn_norm',
  q: 'attn_q',
  k: 'attn_k',
  v: 'attn_v',
  o: 'attn_output',
  ffnNorm: 'ffn_norm',
  gate: 'ffn_gate',
  up: 'ffn_up',
  down: 'ffn_down',
};

/** Weights by tensor name, as a GGUF file has them; norms are f32. */
export type TinyWeights = ReadonlyMap<string, RandomWeights>;

export function tinyWeights(config: ModelConfig, type: TensorType): TinyWeights {
  const weights = new Map<string, RandomWeights>();
  const add = (name: string, shape: readonly number[], as: TensorType): void => {
    const [rows, columns] = shape.length === 2 ? (shape as [number, number]) : [1, shape[0]!];
    // Norms of about one: a row of one column is scaled by 1 / sqrt(columns).
    const random = randomWeights(as, rows, columns, weights.size + 1);
    weights.set(`${name}.weight`, shape.length === 2 ? random : aroundOne(random));
  };
  add('token_embd', shapeOf(config, 'embedding'), type);
  for (let layer = 0; layer < config.layers; layer++) {
    for (const [role, name] of Object.entries(NAMES) as [LayerRole, string][]) {
      const shape = shapeOf(config, role);
      add(`blk.${layer}.${name}`, shape, shape.length === 2 ? type : 'F32');
    }
  }
  add('output_norm', shapeOf(config, 'finalNorm'), 'F32');
  if (!config.tiedHead) add('output', shapeOf(config, 'head'), type);
  return weights;
}

function aroundOne(weights: RandomWeights): RandomWeights {
  const values = weights.values.map((value) => 1 + value);
  return { ...weights, values, bytes: new Uint8Array(values.buffer) };
}

export async function tinyModel(
  gpu: Gpu,
  config: ModelConfig,
  weights: TinyWeights,
  options?: ModelOptions,
): Promise<Model> {
  const tensors = [...weights].map(([name, { type, rows, columns }]) => ({
    name,
    type,
    shape: name.includes('norm') ? [columns] : [rows, columns],
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

// ---- float64 ---------------------------------------------------------------------------------------------------

/** Natural log-probabilities `[ids.length, V]` of the next token at every position. */
export function tinyReference(config: ModelConfig, weights: TinyWeights, ids: readonly number[]): Float64Array[] {
  const { width, normEps: eps, layers, vocab } = config;
  const of = (name: string): Float32Array => weights.get(`${name}.weight`)!.values;
  let x = Float64Array.from(ids.flatMap((id) => [...of('token_embd').subarray(id * width, (id + 1) * width)]));
  for (let n = 0; n < layers; n++) {
    const w = (role: LayerRole): Float32Array => of(`blk.${n}.${NAMES[role]}`);
    const normed = normReference(x, w('attnNorm'), eps);
    const attended = attention(
      config,
      productReference(normed, w('q'), width),
      productReference(normed, w('k'), width),
      productReference(normed, w('v'), width),
    );
    x = plus(x, productReference(attended, w('o'), config.headsQ * config.headDim));
    const second = normReference(x, w('ffnNorm'), eps);
    const gate = productReference(second, w('gate'), width);
    const up = productReference(second, w('up'), width);
    const hidden = gate.map((value, at) => (value / (1 + Math.exp(-value))) * up[at]!);
    x = plus(x, productReference(hidden, w('down'), config.ffnWidth));
  }
  const head = config.tiedHead ? of('token_embd') : of('output');
  const logits = productReference(normReference(x, of('output_norm'), eps), head, width);
  return ids.map((_, i) => logProbabilities(logits.subarray(i * vocab, (i + 1) * vocab)));
}

function attention(config: ModelConfig, q: Float64Array, k: Float64Array, v: Float64Array): Float64Array {
  const { headsQ, headsKv, headDim, rope } = config;
  const length = q.length / (headsQ * headDim);
  const out = new Float64Array(q.length);
  turn(q, headsQ, headDim, rope.theta, rope.pairing);
  turn(k, headsKv, headDim, rope.theta, rope.pairing);
  for (let i = 0; i < length; i++) {
    for (let h = 0; h < headsQ; h++) {
      const kv = Math.floor(h / (headsQ / headsKv));
      const scores = Array.from({ length: i + 1 }, (_, j) => {
        let sum = 0;
        for (let d = 0; d < headDim; d++)
          sum += q[(i * headsQ + h) * headDim + d]! * k[(j * headsKv + kv) * headDim + d]!;
        return sum / Math.sqrt(headDim);
      });
      const most = Math.max(...scores);
      const shares = scores.map((score) => Math.exp(score - most));
      const total = shares.reduce((a, b) => a + b);
      for (let d = 0; d < headDim; d++) {
        let sum = 0;
        for (let j = 0; j <= i; j++) sum += shares[j]! * v[(j * headsKv + kv) * headDim + d]!;
        out[(i * headsQ + h) * headDim + d] = sum / total;
      }
    }
  }
  return out;
}

function turn(x: Float64Array, heads: number, headDim: number, theta: number, pairing: RopePairing): void {
  const pairs = headDim / 2;
  for (let row = 0; row < x.length / headDim; row++) {
    const position = Math.floor(row / heads);
    for (let pair = 0; pair < pairs; pair++) {
      const angle = position * theta ** (-pair / pairs);
      const [a, b] = pairing === 'neighbours' ? [2 * pair, 2 * pair + 1] : [pair, pair + pairs];
      const [p, q] = [x[row * headDim + a]!, x[row * headDim + b]!];
      x[row * headDim + a] = p * Math.cos(angle) - q * Math.sin(angle);
      x[row * headDim + b] = q * Math.cos(angle) + p * Math.sin(angle);
    }
  }
}

function plus(a: Float64Array, b: Float64Array): Float64Array<ArrayBuffer> {
  return Float64Array.from(a, (value, at) => value + b[at]!);
}

function logProbabilities(logits: Float64Array): Float64Array {
  const most = Math.max(...logits);
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0);
  return logits.map((logit) => logit - most - Math.log(total));
}

/** What greedy generation gives, a forward pass a token. */
export function tinyGreedy(config: ModelConfig, weights: TinyWeights, ids: readonly number[], count: number): number[] {
  const all = [...ids];
  for (let n = 0; n < count; n++) {
    const row = tinyReference(config, weights, all).at(-1)!;
    all.push(row.indexOf(Math.max(...row)));
  }
  return all.slice(ids.length);
}
