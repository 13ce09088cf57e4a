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
 *
 * Norms of one token are dispatches of their own on devices where that is faster (gpu/ops/ways.ts): two more a layer. A
 * family that normalises what a branch adds needs two more again: the residual then is added by that norm.
 */
import { attendCache, cacheLengths } from '../attention';
import type { Gpu, Tensor } from '../device';
import { embed, product, rmsNorm, ropeAppend } from '../ops';
import type { Matrix } from '../quant';
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
export function forward(gpu: Gpu, model: Model, step: Step): Tensor {
  const { ids, first, tokens, state, cache } = step;
  const { width, headsQ, headsKv, headDim, ffnWidth, layers, scales } = model.config;
  const x = gpu.scratch([tokens, width], 'f32');
  embed(gpu, ids, model.weights.embedding, x, { first, scale: scales.embedding });
  gpu.scoped(() => {
    const work: Workspace = {
      lengths: cacheLengths(gpu, state, { headsQ, seqQ: tokens, capacity: cache.capacity }),
      qkv: gpu.scratch([tokens, (headsQ + 2 * headsKv) * headDim], 'f32'),
      q: gpu.scratch([1, tokens, headsQ, headDim], 'f32'),
      attended: gpu.scratch([tokens, headsQ * headDim], 'f32'),
      hidden: gpu.scratch([tokens, ffnWidth], 'f32'),
      branch: model.config.blocks.norms === 'before' ? undefined : gpu.scratch(x.shape, 'f32'),
    };
    for (const n of layers.keys()) {
      attentionBranch(gpu, model, step, n, x, work);
      feedForwardBranch(gpu, model, n, x, work);
    }
  });
  return x;
}

/** What the layers hand from dispatch to dispatch. */
interface Workspace {
  readonly lengths: ReturnType<typeof cacheLengths>;
  readonly qkv: Tensor;
  readonly q: Tensor;
  readonly attended: Tensor;
  readonly hidden: Tensor;
  /** What a branch adds, where it is normalised first. */
  readonly branch: Tensor | undefined;
}

function attentionBranch(gpu: Gpu, model: Model, { state, cache }: Step, n: number, x: Tensor, work: Workspace): void {
  const { rope, blocks, scales, layers, normEps: eps } = model.config;
  const { attnNorm, qkv: matrix, bias, queryKeyGain: gain, o, attnAfter } = model.weights.layers[n]!;
  const { window } = layers[n]!;
  const { lengths, qkv, q, attended } = work;
  const [keys, values] = [cache.keys(n), cache.values(n)];
  const { integers } = model;
  product(gpu, x, matrix, qkv, { integers, ...(attnNorm && { norm: { gain: attnNorm, eps } }) });
  ropeAppend(gpu, {
    ...{ qkv, state, q, keys, values, positions: cache.capacity },
    angles: model.angles(layers[n]!),
    pairing: rope.pairing,
    ...(bias && { bias }),
    ...(gain && blocks.queryKeyNorm !== 'none' && { norm: { kind: blocks.queryKeyNorm, gain, eps } }),
  });
  attendCache(
    gpu,
    { q, keys, values, out: attended.view(q.shape), lengths, positions: cache.capacity },
    {
      kind: model.attention,
      softcap: scales.attentionSoftcap,
      ...(scales.attention !== undefined && { softmaxScale: scales.attention }),
      // A window counts the query's own position.
      ...(window !== undefined && { windowSize: [window - 1, 0] }),
    },
  );
  addBranch(gpu, model, attended, o, attnAfter, x, work);
}

function feedForwardBranch(gpu: Gpu, model: Model, n: number, x: Tensor, work: Workspace): void {
  const { blocks, normEps: eps } = model.config;
  const { ffnNorm, gateUp, down, ffnAfter } = model.weights.layers[n]!;
  const norm = ffnNorm && { norm: { gain: ffnNorm, eps } };
  product(gpu, x, gateUp, work.hidden, { ...norm, mode: blocks.activation, integers: model.integers });
  addBranch(gpu, model, work.hidden, down, ffnAfter, x, work);
}

/** x += the last product of a branch, normalised first where the family does so. */
function addBranch(
  gpu: Gpu,
  { config: { scales, normEps }, integers }: Model,
  input: Tensor,
  matrix: Matrix,
  after: Tensor | undefined,
  x: Tensor,
  { branch }: Workspace,
): void {
  if (after && branch) {
    product(gpu, input, matrix, branch, { integers });
    rmsNorm(gpu, branch, after, x, { eps: normEps, mode: 'added' });
  } else {
    product(gpu, input, matrix, x, { mode: 'added', scale: scales.residual, integers });
  }
}

/** Records logits `[rows, V]` f32 of the last `rows` rows of the residual stream, a scratch of the caller's scope. */
export function logitsOf(gpu: Gpu, model: Model, x: Tensor, first: number, rows = 1): Tensor {
  const { vocab, normEps: eps, scales } = model.config;
  const logits = gpu.scratch([rows, vocab], 'f32');
  product(gpu, x, model.weights.head, logits, {
    norm: { gain: model.weights.finalNorm, eps },
    firstToken: first,
    mode: scales.logitSoftcap > 0 ? 'capped' : 'plain',
    scale: scales.logits,
    cap: scales.logitSoftcap,
    integers: model.integers,
  });
  return logits;
}
