/** flashAttentionWithKvCache: append, turn, attend, over a cache that stays where it is. */
import { ArgumentError, Tensor, describe, flatGrid } from '../device';
import type { BindingKind, Gpu, PipelineSpec } from '../device';
import {
  checkCount,
  checkHeadValues,
  checkHeads,
  checkIndices,
  checkOut,
  checkSameDType,
  checkShapeIs,
  checkTensor,
} from './check';
import { launch } from './launch';
import type { AttentionResult, KvCacheOptions } from './options';
import { pagingOf } from './paging';
import { contiguous, problemParams, scoringOf } from './problem';
import type { Call, Dims, Scoring } from './problem';
import { sequenceTable } from './sequences';
import { keptSpec, operandConditions, sources } from './specs';

/**
 * q `[B, Sq, Hq, D]` over kCache and vCache `[Bc, capacity, Hkv, D]`, or pages `[P, pageSize, Hkv, D]` with a block table.
 *
 * With k and v `[B, Sn, Hkv, D]` these are appended first, in place, at cacheSeqlens; attention then sees them too. With
 * rotary tables (which need k and v) new keys and queries are turned by their positions. The caches may be of another
 * float dtype than q. Semantics of flash_attn_with_kvcache. Throws ArgumentError, before anything is written.
 *
 * Lengths in an i32 tensor are read by the GPU at each replay of a recorded plan: one plan serves every step.
 */
export function flashAttentionWithKvCache(
  gpu: Gpu,
  q: Tensor,
  kCache: Tensor,
  vCache: Tensor,
  options: KvCacheOptions = {},
): AttentionResult {
  const shape = checkCaches(q, kCache, vCache, options);
  const { dims, capacity, cacheBatches, newKeys } = shape;
  const { batch, seqQ, headsQ, headDim } = dims;
  const scoring = scoringOf(options, headDim);
  const out = options.out ?? gpu.empty(q.shape, q.dtype);
  const lse = options.returnLse ? gpu.empty([batch, headsQ, seqQ], 'f32') : undefined;
  gpu.scoped(() => {
    const sequences = sequenceTable(gpu, {
      batch,
      headsQ,
      seqQ,
      totalQ: seqQ,
      capacity,
      newKeys,
      cacheBatches,
      totalK: capacity,
      maxSeqK: capacity,
      paged: options.blockTable !== undefined,
      cacheSeqlens: lengthsOf(options, batch),
      cacheBatchIdx: options.cacheBatchIdx,
      cacheLeftpad: options.cacheLeftpad,
      alibiSlopes: options.alibiSlopes,
      sinks: options.sinks,
    });
    const call: Call = {
      dims,
      q: contiguous(q),
      k: contiguous(kCache),
      v: contiguous(vCache),
      out: contiguous(out),
      lse: lse ?? gpu.scratch([batch, headsQ, seqQ], 'f32'),
      lseBatch: headsQ * seqQ,
      lseHead: seqQ,
      lseOffset: 0,
      tokens: batch * seqQ,
      scoring,
      shift: 0,
      splits: options.numSplits ?? 0,
      ...(sequences ? { sequences } : {}),
      ...(options.blockTable ? { paging: pagingOf(gpu, options.blockTable, kCache, tableRows(shape), capacity) } : {}),
    };
    if (options.k && options.v) append(gpu, call, options.k, options.v, options);
    launch(gpu, options.rotaryCos ? { ...call, q: contiguous(rotated(gpu, call, options)) } : call);
  });
  return lse ? { out, lse } : { out };
}

// ---- append and turn -------------------------------------------------------------------------------------------

/** Numbers of append.wesl and rotate.wesl ride in the chunk fields of the problem. */
function rowParams(call: Call, options: KvCacheOptions, perQuery: boolean) {
  const { dims } = call;
  const pairs = options.rotaryCos?.shape[1] ?? 0;
  const newKeys = options.k?.shape[1] ?? 0;
  const chunk = { batch: 0, head: perQuery ? 1 : 0, row: dims.headDim, rows: pairs, pitch: 0 };
  return problemParams({ ...call, dims: { ...dims, seqK: newKeys } }, {}, { chunk });
}

function append(gpu: Gpu, call: Call, k: Tensor, v: Tensor, options: KvCacheOptions): void {
  if (k.size === 0) return;
  const halves = k.dtype !== 'f32';
  const atomic = halves && call.dims.headDim % 2 !== 0;
  gpu.dispatch({
    pipeline: gpu.pipeline(appendSpec(call, options, atomic)),
    bindings: [
      null,
      k,
      v,
      options.rotaryCos ?? null,
      options.rotarySin ?? null,
      call.k.tensor,
      call.sequences!.tensor,
      call.paging?.table ?? null,
      call.v.tensor,
    ],
    params: rowParams(call, options, false),
    workgroups: flatGrid(gpu, Math.ceil(k.size / (halves && !atomic ? 2 : 1))),
  });
}

function appendSpec(call: Call, options: KvCacheOptions, atomic: boolean): PipelineSpec {
  const { dtype } = call.k.tensor;
  const paged = call.paging !== undefined;
  const rope: BindingKind = options.rotaryCos ? 'read' : 'none';
  return keptSpec(`append ${dtype} ${paged} ${atomic} ${ropeKey(options)}`, () => ({
    label: 'attention/append',
    module: 'attention/append',
    sources,
    conditions: {
      ...operandConditions('KV', dtype, false),
      ...ropeConditions(options),
      CACHE_ATOMIC: atomic,
      SEQUENCES: true,
      PAGED: paged,
    },
    bindings: ['uniform', 'read', 'read', rope, rope, 'write', 'read', paged ? 'read' : 'none', 'write'],
  }));
}

/** The queries turned by their positions, in f32. */
function rotated(gpu: Gpu, call: Call, options: KvCacheOptions): Tensor {
  const { causal = false, windowSize = [-1, -1] } = options;
  const out = gpu.scratch(call.q.tensor.shape, 'f32');
  if (out.size === 0) return out;
  const { dtype } = call.q.tensor;
  const spec = keptSpec(`rotate ${dtype} ${ropeKey(options)}`, () => ({
    label: 'attention/rotate',
    module: 'attention/rotate',
    sources,
    conditions: { ...operandConditions('Q', dtype, false), ...ropeConditions(options), SEQUENCES: true },
    bindings: ['uniform', 'read', 'none', 'read', 'read', 'write', 'read'],
  }));
  gpu.dispatch({
    pipeline: gpu.pipeline(spec),
    bindings: [null, call.q.tensor, null, options.rotaryCos!, options.rotarySin!, out, call.sequences!.tensor],
    params: rowParams(call, options, causal || windowSize[0] >= 0 || windowSize[1] >= 0),
    workgroups: flatGrid(gpu, out.size),
  });
  return out;
}

function ropeKey({ rotaryCos, rotaryInterleaved = false }: KvCacheOptions): string {
  return rotaryCos ? `${rotaryCos.dtype} ${rotaryInterleaved}` : 'unturned';
}

function ropeConditions({ rotaryCos, rotaryInterleaved = false }: KvCacheOptions): Record<string, boolean> {
  return {
    ROPE: rotaryCos !== undefined,
    ROPE_F32: rotaryCos?.dtype === 'f32',
    ROPE_F16: rotaryCos?.dtype === 'f16',
    ROPE_BF16: rotaryCos?.dtype === 'bf16',
    ROPE_INTERLEAVED: rotaryInterleaved,
  };
}

// ---- checks ----------------------------------------------------------------------------------------------------

interface CacheShape {
  readonly dims: Dims;
  /** Rows that a sequence may have. */
  readonly capacity: number;
  readonly cacheBatches: number;
  readonly newKeys: number;
  readonly scoring?: Scoring;
}

/** Sequences the block table has a row for. */
function tableRows({ cacheBatches }: CacheShape): number {
  return cacheBatches;
}

/** One number for all becomes a list; the append needs lengths even where none are given. */
function lengthsOf({ cacheSeqlens }: KvCacheOptions, batch: number): Int32Array | Tensor | undefined {
  return typeof cacheSeqlens === 'number' ? new Int32Array(batch).fill(cacheSeqlens) : cacheSeqlens;
}

function checkCaches(q: Tensor, kCache: Tensor, vCache: Tensor, options: KvCacheOptions): CacheShape {
  const paged = options.blockTable !== undefined;
  const form = paged ? '[P, pageSize, Hkv, D]' : '[Bc, capacity, Hkv, D]';
  checkTensor('q', q, 4, '[B, Sq, Hq, D]');
  checkTensor('kCache', kCache, 4, form);
  checkTensor('vCache', vCache, 4, form);
  const [batch, seqQ, headsQ, headDim] = q.shape as [number, number, number, number];
  const [first, second, headsKv] = kCache.shape as [number, number, number];
  checkShapeIs('kCache', kCache, [first, second, headsKv, headDim], `${form} with D of q`);
  checkShapeIs('vCache', vCache, kCache.shape, 'the shape of kCache');
  checkSameDType('vCache', vCache, kCache, 'kCache');
  if (kCache.memory === vCache.memory) {
    throw new ArgumentError('vCache', 'a view of the memory of kCache', 'memory of its own');
  }
  const { capacity, cacheBatches } = cacheExtent(options, first, second, batch);
  const newKeys = checkNew(q, kCache, options, { batch, headsKv, headDim, capacity });
  checkRotary(q, options, headDim, capacity);
  const dims = { batch, seqQ, seqK: capacity, headsQ, headsKv, headDim };
  checkHeads(dims);
  checkLengths(options, batch, { capacity, cacheBatches, newKeys });
  checkHeadValues('alibiSlopes', options.alibiSlopes, dims, true);
  checkHeadValues('sinks', options.sinks, dims, false);
  const inputs = [q, kCache, vCache, options.k, options.v].filter((input) => input !== undefined);
  checkOut(options.out, q.shape, q.dtype, inputs);
  if (options.numSplits !== undefined) checkCount('numSplits', options.numSplits);
  return { dims, capacity, cacheBatches, newKeys };
}

/** How many rows a sequence may have, and how many sequences there are. */
function cacheExtent({ blockTable, rotaryCos }: KvCacheOptions, first: number, second: number, batch: number) {
  if (!blockTable) return { capacity: second, cacheBatches: first };
  const size = blockTable instanceof Tensor ? blockTable.size : blockTable.length;
  const sequences = blockTable instanceof Tensor ? (blockTable.shape[0] ?? 0) : batch;
  // Pages come whole: a sequence may use its last one only as far as there are positions to turn its keys by.
  const positions = rotaryCos?.shape[0] ?? Infinity;
  const rows = sequences > 0 ? Math.floor(size / sequences) * second : 0;
  return { capacity: Math.min(rows, positions), cacheBatches: sequences };
}

function checkNew(
  q: Tensor,
  cache: Tensor,
  { k, v }: KvCacheOptions,
  { batch, headsKv, headDim, capacity }: { batch: number; headsKv: number; headDim: number; capacity: number },
): number {
  if (!k && !v) return 0;
  if (!k || !v) throw new ArgumentError(k ? 'v' : 'k', 'nothing', 'a tensor: k and v come together');
  checkTensor('k', k, 4, '[B, Sn, Hkv, D]');
  checkTensor('v', v, 4, '[B, Sn, Hkv, D]');
  checkShapeIs('k', k, [batch, k.shape[1]!, headsKv, headDim], '[B, Sn, Hkv, D] with B of q, Hkv and D of kCache');
  checkShapeIs('v', v, k.shape, 'the shape of k');
  checkSameDType('k', k, cache, 'kCache');
  checkSameDType('v', v, cache, 'kCache');
  if (k.shape[1]! > capacity)
    throw new ArgumentError('k', describe(k), `at most ${capacity} new keys, the cache's capacity`);
  return k.shape[1]!;
}

function checkRotary(q: Tensor, options: KvCacheOptions, headDim: number, capacity: number): void {
  const { rotaryCos, rotarySin, k } = options;
  if (!rotaryCos && !rotarySin) return;
  if (!rotaryCos || !rotarySin) {
    throw new ArgumentError(rotaryCos ? 'rotarySin' : 'rotaryCos', 'nothing', 'a tensor: cos and sin come together');
  }
  if (!k) throw new ArgumentError('rotaryCos', 'a tensor without k', 'k and v, whose positions it turns them by');
  checkTensor('rotaryCos', rotaryCos, 2, '[positions, pairs]');
  checkTensor('rotarySin', rotarySin, 2, '[positions, pairs]');
  checkShapeIs('rotarySin', rotarySin, rotaryCos.shape, 'the shape of rotaryCos');
  checkSameDType('rotarySin', rotarySin, rotaryCos, 'rotaryCos');
  const [positions, pairs] = rotaryCos.shape as [number, number];
  if (pairs < 1 || 2 * pairs > headDim) {
    throw new ArgumentError(
      'rotaryCos',
      describe(rotaryCos),
      `1 to ${Math.floor(headDim / 2)} pairs of a head's ${headDim} elements`,
    );
  }
  if (positions < capacity) {
    throw new ArgumentError('rotaryCos', describe(rotaryCos), `a row for each of the cache's ${capacity} positions`);
  }
}

function checkLengths(
  options: KvCacheOptions,
  batch: number,
  { capacity, cacheBatches, newKeys }: { capacity: number; cacheBatches: number; newKeys: number },
): void {
  const high = capacity - newKeys;
  const { cacheSeqlens } = options;
  if (typeof cacheSeqlens === 'number') {
    if (!(Number.isInteger(cacheSeqlens) && cacheSeqlens >= 0 && cacheSeqlens <= high)) {
      throw new ArgumentError(
        'cacheSeqlens',
        String(cacheSeqlens),
        `0 to ${high} (capacity ${capacity}, ${newKeys} new)`,
      );
    }
  } else {
    checkIndices('cacheSeqlens', cacheSeqlens, [batch], '[B]', { low: 0, high });
  }
  checkIndices('cacheBatchIdx', options.cacheBatchIdx, [batch], '[B]', { low: 0, high: cacheBatches - 1 });
  checkIndices('cacheLeftpad', options.cacheLeftpad, [batch], '[B]', { low: 0, high: capacity });
  if (!options.cacheBatchIdx && cacheBatches < batch) {
    const name = options.blockTable ? 'blockTable' : 'kCache';
    throw new ArgumentError(name, `${cacheBatches} entries`, `at least the ${batch} of q, or cacheBatchIdx`);
  }
}
