/**
 * Attention over a cache that somebody else fills: the part of flashAttentionWithKvCache that a model repeats in every
 * layer. Lengths are read once for all layers, and lie on the GPU.
 */
import { row8Bytes } from '../formats/rows8';
import { ArgumentError, describe, formatShape } from '../device';
import type { Gpu, Tensor } from '../device';
import { launch } from './launch';
import type { AttentionKind, AttentionOptions } from './options';
import { contiguous, scoringOf } from './problem';
import type { Call, SequenceTable } from './problem';
import { sequenceTable } from './sequences';

export interface CachedOptions extends Pick<AttentionOptions, 'softmaxScale' | 'windowSize' | 'softcap'> {
  /** Default 'auto'. */
  readonly kind?: AttentionKind;
}

export interface CacheShape {
  readonly headsQ: number;
  /** Queries of the call, which are the newest keys. */
  readonly seqQ: number;
  readonly capacity: number;
}

export interface CachedCall {
  readonly q: Tensor;
  readonly keys: Tensor;
  readonly values: Tensor;
  readonly out: Tensor;
  readonly lengths: SequenceTable;
  /** Keys that the sequence may have; default as many as there are rows. With fewer rows these are a ring. */
  readonly positions?: number;
}

/**
 * Records what reads the cache's length for the calls of one step: `lengths[0]` (i32, clamped to the capacity) keys
 * were there before the step's `seqQ` ones.
 */
export function cacheLengths(gpu: Gpu, lengths: Tensor, { headsQ, seqQ, capacity }: CacheShape): SequenceTable {
  return sequenceTable(gpu, {
    batch: 1,
    headsQ,
    seqQ,
    totalQ: seqQ,
    capacity,
    newKeys: seqQ,
    cacheBatches: 1,
    totalK: capacity,
    maxSeqK: capacity,
    paged: false,
    cacheSeqlens: lengths,
  })!;
}

/**
 * Records out `[1, Sq, Hq, D]` = causal attention of q `[1, Sq, Hq, D]` over the first keys of kCache and vCache
 * `[1, rows, Hkv, D]`, floats or rows of 8 bits (u8, `[.., D + 4]`), as many as `lengths` says, the step's own included.
 * Where rows are fewer than `positions`, key j lies in row j % rows, and a window keeps queries from looking back
 * further. Throws ArgumentError.
 */
export function attendCache(gpu: Gpu, call: CachedCall, options: CachedOptions = {}): void {
  const { q, keys, values, out, positions } = call;
  const [batch, seqQ, headsQ, headDim] = q.shape as [number, number, number, number];
  const [, seqK, headsKv] = keys.shape as [number, number, number];
  if (q.shape.length !== 4 || batch !== 1) throw new ArgumentError('q', describe(q), 'a shape [1, Sq, Hq, D]');
  const row = keys.dtype === 'u8' ? row8Bytes(headDim) : headDim;
  if (keys.shape.join() !== [1, seqK, headsKv, row].join() || values.shape.join() !== keys.shape.join()) {
    throw new ArgumentError('keys', describe(keys), `[1, capacity, Hkv, ${row}], and values alike`);
  }
  if (keys.dtype === 'u8' && headDim % 4 !== 0) {
    throw new ArgumentError('keys', describe(keys), `16 or 32 bits, as a head_dim of ${headDim} is no multiple of 4`);
  }
  if (out.shape.join() !== q.shape.join()) throw new ArgumentError('out', describe(out), formatShape(q.shape));
  if (headsQ % headsKv !== 0) throw new ArgumentError('q', describe(q), `heads that ${headsKv} divides`);
  const seen = (options.windowSize?.[0] ?? -1) < 0 ? Infinity : options.windowSize![0] + seqQ;
  if (positions !== undefined && positions > seqK && seen > seqK) {
    throw new ArgumentError(
      'keys',
      describe(keys),
      `at least ${seen} rows, the window's and the step's, or ${positions}`,
    );
  }
  gpu.scoped(() => launch(gpu, cachedCall(gpu, call, options)));
}

/** The call in the kernels' terms; its LSE is a scratch of the caller's scope. */
export function cachedCall(gpu: Gpu, call: CachedCall, options: CachedOptions = {}): Call {
  const { q, keys, values, out, lengths } = call;
  const [, seqQ, headsQ, headDim] = q.shape as [number, number, number, number];
  const [, rows, headsKv] = keys.shape as [number, number, number];
  const seqK = call.positions ?? rows;
  return {
    dims: { batch: 1, seqQ, seqK, headsQ, headsKv, headDim },
    ...(seqK > rows && { ring: rows }),
    q: contiguous(q),
    k: contiguous(keys),
    v: contiguous(values),
    out: contiguous(out),
    lse: gpu.scratch([1, headsQ, seqQ], 'f32'),
    lseBatch: headsQ * seqQ,
    lseHead: seqQ,
    lseOffset: 0,
    tokens: seqQ,
    scoring: scoringOf({ ...options, causal: true }, headDim),
    shift: 0,
    splits: 0,
    sequences: lengths,
    ...(options.kind && { kind: options.kind }),
  };
}
