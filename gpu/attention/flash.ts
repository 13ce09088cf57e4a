/** flashAttention and its packed forms: dense batches. */
import type { Gpu, Tensor } from '../device';
import { checkSameDType, checkShapeIs, checkTensor } from './check';
import { attend, separate } from './dense';
import { launch } from './launch';
import type { AttentionOptions, AttentionResult } from './options';
import { contiguous, packedPart } from './problem';
import type { Call } from './problem';
import { launchWith } from './run';
import type { Kernel } from './run';

/**
 * `softmax(q k^T * scale) v` without ever holding the scores: exact, in memory linear in the lengths.
 *
 * q `[B, Sq, Hq, D]`, k and v `[B, Sk, Hkv, D]`, Hkv a divisor of Hq (MHA, GQA, MQA), D to 256; f32, f16 or bf16.
 * Scores, maxima, sums and accumulators are float32. Masks are bottom-right aligned; a query that sees no key gives
 * zeros and an LSE of -inf. Semantics of flash_attn 2.8's flash_attn_func.
 *
 * Records dispatches and returns at once. Throws ArgumentError that names what does not fit.
 */
export function flashAttention(
  gpu: Gpu,
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: AttentionOptions = {},
): AttentionResult {
  return attend(gpu, separate(q, k, v), options, launch);
}

/** The materialised baseline: the same result through a whole matrix of scores, `[Sq, Sk]` a head. */
export function standardAttention(
  gpu: Gpu,
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: AttentionOptions = {},
): AttentionResult {
  return attendWith(gpu, q, k, v, options, { kind: 'standard' });
}

/** flashAttention with a given kernel: for the self-test and the benchmarks. */
export function attendWith(
  gpu: Gpu,
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: AttentionOptions & { readonly numSplits?: number },
  kernel: Kernel,
): AttentionResult {
  const numbered = (g: Gpu, call: Call) => launchWith(g, { ...call, splits: options.numSplits ?? 0 }, kernel);
  return attend(gpu, separate(q, k, v), options, numbered);
}

/** qkv `[B, S, 3, H, D]`. */
export function flashAttentionQkvPacked(gpu: Gpu, qkv: Tensor, options: AttentionOptions = {}): AttentionResult {
  checkTensor('qkv', qkv, 5, '[B, S, 3, H, D]');
  const [batch, seq, three, heads, headDim] = qkv.shape as [number, number, number, number, number];
  checkShapeIs('qkv', qkv, [batch, seq, 3, heads, headDim], `[B, S, 3, H, D]: ${three} is not 3`);
  const dims = { batch, seqQ: seq, seqK: seq, headsQ: heads, headsKv: heads, headDim };
  const [q, k, v] = [packedPart(qkv, 0), packedPart(qkv, 1), packedPart(qkv, 2)];
  return attend(gpu, { dims, q, k, v }, options, launch);
}

/** q `[B, Sq, Hq, D]`, kv `[B, Sk, 2, Hkv, D]`. */
export function flashAttentionKvPacked(
  gpu: Gpu,
  q: Tensor,
  kv: Tensor,
  options: AttentionOptions = {},
): AttentionResult {
  checkTensor('q', q, 4, '[B, Sq, Hq, D]');
  checkTensor('kv', kv, 5, '[B, Sk, 2, Hkv, D]');
  checkSameDType('kv', kv, q, 'q');
  const [batch, seqQ, headsQ, headDim] = q.shape as [number, number, number, number];
  const [, seqK, , headsKv] = kv.shape as [number, number, number, number, number];
  checkShapeIs('kv', kv, [batch, seqK, 2, headsKv, headDim], '[B, Sk, 2, Hkv, D] with B and D of q');
  const dims = { batch, seqQ, seqK, headsQ, headsKv, headDim };
  return attend(gpu, { dims, q: contiguous(q), k: packedPart(kv, 0), v: packedPart(kv, 1) }, options, launch);
}
