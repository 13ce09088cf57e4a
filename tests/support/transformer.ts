/** The forward pass of any model that a configuration can describe, in float64, independent of any GPU. */
import type { ModelConfig, RopeConfig } from '../../gpu/formats/model';
import type { LayerRole, ModelRole } from '../../gpu/formats/roles';
import { ggufName, type TinyWeights } from './llama';
import { normReference, productReference } from './ops';

/** Natural log-probabilities `[ids.length, V]` of the next token at every position. */
export function tinyReference(config: ModelConfig, weights: TinyWeights, ids: readonly number[]): Float64Array[] {
  const { width, vocab, scales, gainOffset, normEps, layers } = config;
  const of: Lookup = (role, layer) => weights.get(ggufName(role, layer))?.values;
  // As many elements are normalised together as there are gains.
  const norm: Norm = (x, role, layer) => {
    const gain = of(role, layer);
    return gain
      ? normReference(
          x,
          gain.map((value) => value + gainOffset),
          normEps,
        )
      : x;
  };
  const embedding = of('embedding')!;
  let x = Float64Array.from(ids.flatMap((id) => [...embedding.subarray(id * width, (id + 1) * width)]));
  x = x.map((value) => value * scales.embedding);
  for (const n of layers.keys()) {
    const attended = attention(config, n, of, norm, norm(x, 'attnNorm', n));
    x = plus(x, norm(attended, 'attnAfter', n), scales.residual);
    x = plus(x, norm(feedForward(config, n, of, norm(x, 'ffnNorm', n)), 'ffnAfter', n), scales.residual);
  }
  const head = config.tiedHead ? embedding : of('head')!;
  const cap = scales.logitSoftcap;
  const logits = productReference(norm(x, 'finalNorm'), head, width)
    .map((logit) => logit * scales.logits)
    .map((logit) => (cap > 0 ? cap * Math.tanh(logit / cap) : logit));
  return ids.map((_, i) => logProbabilities(logits.subarray(i * vocab, (i + 1) * vocab)));
}

type Lookup = (role: ModelRole | LayerRole, layer?: number) => Float32Array | undefined;
type Norm = (x: Float64Array, role: ModelRole | LayerRole, layer?: number) => Float64Array;

function feedForward(config: ModelConfig, n: number, of: Lookup, x: Float64Array): Float64Array {
  const { width, ffnWidth, blocks } = config;
  // GGUF's name for both is the one that others have for up alone.
  const fused = blocks.fused ? of('gateUp', n) : undefined;
  const gate = productReference(x, fused?.subarray(0, ffnWidth * width) ?? of('gate', n)!, width);
  const up = productReference(x, fused?.subarray(ffnWidth * width) ?? of('up', n)!, width);
  const act = blocks.activation === 'silu' ? silu : gelu;
  return productReference(
    gate.map((value, at) => act(value) * up[at]!),
    of('down', n)!,
    ffnWidth,
  );
}

const silu = (x: number): number => x / (1 + Math.exp(-x));
const gelu = (x: number): number => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

function attention(config: ModelConfig, n: number, of: Lookup, norm: Norm, x: Float64Array): Float64Array {
  const { width, headsQ, headsKv, headDim, layers, scales } = config;
  const [wq, wk, wv] = splitRows(of('qkv', n), [headsQ, headsKv, headsKv], headDim * width);
  const project = (part: Float32Array | undefined, role: 'q' | 'k' | 'v', bias: LayerRole): Float64Array => {
    const y = productReference(x, part ?? of(role, n)!, width);
    const added = of(bias, n);
    return added ? y.map((value, at) => value + added[at % added.length]!) : y;
  };
  const q = norm(project(wq, 'q', 'qBias'), 'qNorm', n);
  const k = norm(project(wk, 'k', 'kBias'), 'kNorm', n);
  const v = project(wv, 'v', 'vBias');
  const { rope, window = Infinity } = layers[n]!;
  if (rope !== 'none') {
    const turning = rope === 'local' ? config.localRope! : config.rope;
    turn(q, headsQ, headDim, turning, of);
    turn(k, headsKv, headDim, turning, of);
  }
  const out = new Float64Array(q.length);
  const length = q.length / (headsQ * headDim);
  const scale = scales.attention ?? 1 / Math.sqrt(headDim);
  for (let i = 0; i < length; i++) {
    for (let h = 0; h < headsQ; h++) {
      const kv = Math.floor(h / (headsQ / headsKv));
      const first = Math.max(0, i + 1 - window);
      const scores = Array.from({ length: i + 1 - first }, (_, at) => {
        let sum = 0;
        for (let d = 0; d < headDim; d++)
          sum += q[(i * headsQ + h) * headDim + d]! * k[((first + at) * headsKv + kv) * headDim + d]!;
        const cap = scales.attentionSoftcap;
        return cap > 0 ? cap * Math.tanh((sum * scale) / cap) : sum * scale;
      });
      const shares = softmax(scores);
      for (let d = 0; d < headDim; d++) {
        out[(i * headsQ + h) * headDim + d] = shares.reduce(
          (sum, share, at) => sum + share * v[((first + at) * headsKv + kv) * headDim + d]!,
          0,
        );
      }
    }
  }
  return productReference(out, of('o', n)!, headsQ * headDim);
}

function splitRows(
  whole: Float32Array | undefined,
  heads: readonly number[],
  perHead: number,
): (Float32Array | undefined)[] {
  let begin = 0;
  return heads.map((count) => {
    const part = whole?.subarray(begin * perHead, (begin + count) * perHead);
    begin += count;
    return part;
  });
}

function softmax(scores: readonly number[]): number[] {
  const most = Math.max(...scores);
  const shares = scores.map((score) => Math.exp(score - most));
  const total = shares.reduce((a, b) => a + b);
  return shares.map((share) => share / total);
}

// ---- positions -------------------------------------------------------------------------------------------------

function turn(x: Float64Array, heads: number, headDim: number, rope: RopeConfig, of: Lookup): void {
  const pairs = rope.dims / 2;
  const { scaling } = rope;
  const magnitude = scaling?.kind === 'yarn' || scaling?.kind === 'factors' ? scaling.magnitude : 1;
  for (let row = 0; row < x.length / headDim; row++) {
    const position = Math.floor(row / heads);
    for (let pair = 0; pair < pairs; pair++) {
      const angle = position * frequencyOf(rope, pair, of);
      const [a, b] = rope.pairing === 'neighbours' ? [2 * pair, 2 * pair + 1] : [pair, pair + pairs];
      const [p, q] = [x[row * headDim + a]!, x[row * headDim + b]!];
      x[row * headDim + a] = magnitude * (p * Math.cos(angle) - q * Math.sin(angle));
      x[row * headDim + b] = magnitude * (q * Math.cos(angle) + p * Math.sin(angle));
    }
  }
}

/** Of contexts up to the original one, where it matters. Stretched kinds are held against llama.cpp and fixed numbers. */
function frequencyOf({ theta, dims, scaling }: RopeConfig, pair: number, of: Lookup): number {
  const plain = 1 / theta ** ((2 * pair) / dims);
  if (!scaling) return plain;
  if (scaling.kind === 'linear') return plain / scaling.factor;
  if (scaling.kind !== 'factors') throw new Error(`no reference for ${scaling.kind}`);
  const factors = typeof scaling.short === 'string' ? of(scaling.short)! : scaling.short;
  return plain / factors[pair]!;
}

function plus(a: Float64Array, b: Float64Array, scale: number): Float64Array<ArrayBuffer> {
  return Float64Array.from(a, (value, at) => value + scale * b[at]!);
}

function logProbabilities(logits: Float64Array): Float64Array {
  const most = logits.reduce((a, b) => Math.max(a, b));
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
