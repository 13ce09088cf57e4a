/** What the attention functions take and give. */
import type { Tensor } from '../device';

/** Lengths, indices and tables: on the host they are checked, in an i32 tensor they are clamped by the kernels. */
export type Indices = Int32Array | Tensor;
/** A few numbers a head. */
export type HeadValues = Float32Array | readonly number[] | Tensor;

export interface AttentionOptions {
  /** Default `1 / sqrt(D)`. */
  readonly softmaxScale?: number;
  /** The last query sees the last key, the one before it the last but one, and so on. Default false. */
  readonly causal?: boolean;
  /** `[left, right]`: how many keys before and after its own position a query sees; -1 = open. Default `[-1, -1]`. */
  readonly windowSize?: readonly [left: number, right: number];
  /** Scores become `softcap * tanh(score / softcap)`; 0 = none, else 1e-20 to 1e20. */
  readonly softcap?: number;
  /** `[Hq]` or `[B, Hq]`: `-slope * |i + Sk - Sq - j|` is added to a score. */
  readonly alibiSlopes?: HeadValues;
  /** `[Hq]`: a logit per head that takes part in the softmax and has no value behind it. */
  readonly sinks?: HeadValues;
  /** Whether the result carries the log-sum-exp. Default false. */
  readonly returnLse?: boolean;
  /** Where the output goes: q's shape; q's dtype or f32. Default: a new tensor of q's dtype. */
  readonly out?: Tensor;
}

export interface AttentionResult {
  /** Shape of q. */
  readonly out: Tensor;
  /** `[B, Hq, Sq]` f32 (varlen: `[Hq, total]`), natural logarithm, -inf where a query sees no key; with `returnLse`. */
  readonly lse?: Tensor;
}

export interface VarlenOptions extends AttentionOptions {
  /** `[B + 1]`: where each sequence's queries begin; the last is where all end. */
  readonly cuSeqlensQ: Indices;
  readonly cuSeqlensK: Indices;
  /** The longest sequence: the grid is as large. */
  readonly maxSeqlenQ: number;
  readonly maxSeqlenK: number;
  /** `[B, pages of a sequence]`: k and v are pages `[P, pageSize, Hkv, D]` then. */
  readonly blockTable?: Indices;
}

export interface KvCacheOptions extends AttentionOptions {
  /** `[B, Sn, Hkv, D]`: appended to the caches, in place, before attention. */
  readonly k?: Tensor;
  readonly v?: Tensor;
  /** `[positions, pairs]`: the new keys and the queries are turned by their positions. */
  readonly rotaryCos?: Tensor;
  readonly rotarySin?: Tensor;
  /** Pairs are (2i, 2i+1) rather than (i, i + pairs). Default false. */
  readonly rotaryInterleaved?: boolean;
  /** `[B]` or one number: keys in the cache before the new ones. Default: the whole capacity, less the new. */
  readonly cacheSeqlens?: Indices | number;
  /** `[B]`: which entry of the cache belongs to each batch entry. Default: the same one. */
  readonly cacheBatchIdx?: Indices;
  /** `[B]`: rows of padding at the start of each cache entry. */
  readonly cacheLeftpad?: Indices;
  /** `[B, pages of a sequence]`: the caches are pages `[P, pageSize, Hkv, D]` then. */
  readonly blockTable?: Indices;
  /** Over how many workgroups a sequence's keys are split; 0 = chosen here. */
  readonly numSplits?: number;
}

/** Which kernels may serve: flash ones, and where none is right the materialised way; or one of the two alone. */
export type AttentionKind = 'auto' | 'flash' | 'standard';
