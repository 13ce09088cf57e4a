/**
 * FlashAttention for WebGPU: the functions of flash_attn 2.8, their baseline and their reference. README.md derives it.
 */
export { flashAttention, flashAttentionKvPacked, flashAttentionQkvPacked, standardAttention } from './flash';
export { flashAttentionVarlen } from './varlen';
export { flashAttentionWithKvCache } from './kvcache';
export { attendCache, cacheLengths } from './cached';
export type { CachedCall, CachedOptions, CacheShape } from './cached';
export { mergeAttention } from './merge';
export type { PartialResult } from './merge';
export { attentionReference } from './reference';
export type { AttentionShapes, ReferenceOptions, ReferenceResult } from './reference';
export { attention, prepareCached } from './prepare';
export type { AttentionPreparation, CachedPreparation } from './prepare';
export { PREFILL_VARIANTS } from './variants';
export type { Variant } from './variants';
export type {
  AttentionKind,
  AttentionOptions,
  AttentionResult,
  HeadValues,
  Indices,
  KvCacheOptions,
  VarlenOptions,
} from './options';
