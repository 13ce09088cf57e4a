/**
 * From token ids to logits: the list of dispatches of one step, for one token (decode) or many (prefill).
 *
 *   a layer, decode         dispatches          a layer, prefill (more than 8 tokens)
 *   norm + q, k, v          1                   norm, then q, k, v            2
 *   turn, into the cache    1                   turn, into the cache          1
 *   attention               2 (split, merge)    attention                     1
 *   o + residual            1                   o + residual                  1
 *   norm + gate, up, silu   1                   norm, then gate, up, silu     2
 *   down + residual         1                   down + residual               1
 *                           7                                                 8
 */
import { attendCache, cacheLengths } from '../attention';
import type { Gpu, Tensor } from '../device';
import { embed, product, ropeAppend } from '../ops';
import type { KvCache } from './cache';
import type { Model } from './model';

export interface Step {
  /** i32; the step's ids lie from element `first` on. */
  readonly ids: Tensor;
  readonly first: number;
  readonly tokens: number;
  /** i32; its first element is the number of positions in the cache before this step. */
  readonly state: Tensor;
  readonly cache: KvCache;
}

/** Records the layers; returns the residual stream `[M, width]` f32, a scratch of the caller's scope. */
export function forward(gpu: Gpu, model: Model, { ids, first, tokens, state, cache }: Step): Tensor {
  const { width, headsQ, headsKv, headDim, ffnWidth, normEps: eps, rope } = model.config;
  const x = gpu.scratch([tokens, width], 'f32');
  embed(gpu, ids, model.weights.embedding, x, first);
  gpu.scoped(() => {
    const lengths = cacheLengths(gpu, state, { headsQ, seqQ: tokens, capacity: cache.capacity });
    const qkv = gpu.scratch([tokens, (headsQ + 2 * headsKv) * headDim], 'f32');
    const q = gpu.scratch([1, tokens, headsQ, headDim], 'f32');
    const attended = gpu.scratch([tokens, headsQ * headDim], 'f32');
    const hidden = gpu.scratch([tokens, ffnWidth], 'f32');
    for (const [n, layer] of model.weights.layers.entries()) {
      const keys = cache.keys(n);
      const values = cache.values(n);
      product(gpu, x, layer.qkv, qkv, { norm: { gain: layer.attnNorm, eps } });
      ropeAppend(gpu, { qkv, angles: model.angles, pairing: rope.pairing, state, q, keys, values });
      attendCache(gpu, { q, keys, values, out: attended.view(q.shape), lengths });
      product(gpu, attended, layer.o, x, { mode: 'added' });
      product(gpu, x, layer.gateUp, hidden, { norm: { gain: layer.ffnNorm, eps }, mode: 'gated' });
      product(gpu, hidden, layer.down, x, { mode: 'added' });
    }
  });
  return x;
}

/** Records logits `[rows, V]` f32 of the last `rows` rows of the residual stream, a scratch of the caller's scope. */
export function logitsOf(gpu: Gpu, model: Model, x: Tensor, first: number, rows = 1): Tensor {
  const { vocab, normEps: eps } = model.config;
  const logits = gpu.scratch([rows, vocab], 'f32');
  product(gpu, x, model.weights.head, logits, { norm: { gain: model.weights.finalNorm, eps }, firstToken: first });
  return logits;
}
