/** Running a cache problem on the GPU, and looking at what became of the cache. */
import { expect } from 'vitest';
import { flashAttentionWithKvCache, type KvCacheOptions } from '$gpu/attention';
import type { Gpu, Tensor } from '$gpu/device';
import { bytesPerElement, type FloatDType } from '$gpu/formats/dtype';
import type { CacheProblem } from './cache';
import { deviceOptions, downloadResult, poisonArena, withTensors, type Downloaded, type Tensors } from './device';

export interface CacheRun extends Downloaded {
  readonly k: CacheContents;
  readonly v: CacheContents;
}

/** The cache's raw bytes before and after the call. */
export interface CacheContents {
  readonly before: Uint8Array;
  readonly after: Uint8Array;
  readonly values: Float32Array;
}

export interface CallStyle {
  readonly numSplits: number;
  /** Lengths, indices and tables given as host arrays, or as tensors that the kernel reads. */
  readonly integers: 'Int32Array' | 'i32 Tensor';
}

export async function runOnCache(gpu: Gpu, problem: CacheProblem, style: CallStyle): Promise<CacheRun> {
  const { setup, storageShape } = problem;
  const { batch, seqQ, headsQ, headDim } = setup.shapes;
  const { dtype } = setup;
  return withTensors(gpu, async (tensors) => {
    const q = tensors.upload(problem.q, [batch, seqQ, headsQ, headDim], dtype);
    const kCache = tensors.upload(problem.kCache, storageShape, dtype);
    const vCache = tensors.upload(problem.vCache, storageShape, dtype);
    const before = await Promise.all([kCache, vCache].map((cache) => gpu.downloadBytes(cache)));
    const out = tensors.poisoned([batch, seqQ, headsQ, headDim], dtype);
    poisonArena(gpu, [batch, headsQ, seqQ], 'f32');
    const result = flashAttentionWithKvCache(gpu, q, kCache, vCache, { ...cacheOptions(tensors, problem, style), out });
    expect(result.out).toBe(out);
    return {
      ...(await downloadResult(gpu, result)),
      k: await contentsOf(gpu, kCache, before[0]!),
      v: await contentsOf(gpu, vCache, before[1]!),
    };
  });
}

export function cacheOptions(
  tensors: Tensors,
  problem: CacheProblem,
  { numSplits, integers }: CallStyle,
): KvCacheOptions {
  const { setup, k, v, appended, seqlens, leftpad, batchIdx, blockTable, rotary } = problem;
  const { batch, headsQ, headsKv, headDim } = setup.shapes;
  const ints = (values: Int32Array, shape: readonly number[] = [values.length]): Int32Array | Tensor =>
    integers === 'Int32Array' ? values : tensors.ints(values, shape);
  const newShape = [batch, appended, headsKv, headDim];
  const table = (values: Float32Array): Tensor =>
    tensors.upload(values, [rotary!.positions, rotary!.rotaryDim / 2], setup.dtype);
  return {
    ...deviceOptions(tensors, setup.options, headsQ),
    numSplits,
    cacheSeqlens: ints(seqlens),
    ...(k && { k: tensors.upload(k, newShape, setup.dtype) }),
    ...(v && { v: tensors.upload(v, newShape, setup.dtype) }),
    ...(leftpad && { cacheLeftpad: ints(leftpad) }),
    ...(batchIdx && { cacheBatchIdx: ints(batchIdx) }),
    ...(blockTable && { blockTable: ints(blockTable.table, [batch, blockTable.blocksPerSequence]) }),
    ...(rotary && {
      rotaryCos: table(rotary.cos),
      rotarySin: table(rotary.sin),
      rotaryInterleaved: rotary.interleaved,
    }),
  };
}

async function contentsOf(gpu: Gpu, cache: Tensor, before: Uint8Array): Promise<CacheContents> {
  return { before, after: await gpu.downloadBytes(cache), values: await gpu.download(cache) };
}

/** What one rotation may be off by, as a part of the largest number of the row: one step of the storage type. */
const ROTATION_ERROR: Readonly<Record<FloatDType, number>> = { f32: 2 ** -20, f16: 2 ** -10, bf16: 2 ** -7 };

/** Appended rows hold what was appended, values bit for bit; every other byte of the cache is as it was. */
export function expectCacheAppended(problem: CacheProblem, run: CacheRun): void {
  const { setup, appended, seqlens, rowOf, rotary } = problem;
  const { batch, headsKv, headDim } = setup.shapes;
  const row = headsKv * headDim;
  const written = new Set<number>();
  for (let b = 0; b < batch; b++) {
    for (let s = 0; s < appended; s++) {
      const at = rowOf(b, seqlens[b]! + s) * row;
      const from = (b * appended + s) * row;
      written.add(at / row);
      const where = `row ${seqlens[b]! + s} of batch entry ${b}`;
      const rowOfBoth = (all: Float32Array, start: number): Float32Array => all.subarray(start, start + row);
      expectRow(rowOfBoth(run.v.values, at), rowOfBoth(problem.v!, from), 0, `appended v, ${where}`);
      const error = rotary ? ROTATION_ERROR[setup.dtype] : 0;
      expectRow(rowOfBoth(run.k.values, at), rowOfBoth(problem.storedK!, from), error, `appended k, ${where}`);
    }
  }
  const rowBytes = row * bytesPerElement(setup.dtype);
  expectUntouched('k', run.k, rowBytes, written);
  expectUntouched('v', run.v, rowBytes, written);
}

/** `error` is a part of the largest number of the row; 0 = bit for bit. */
function expectRow(got: Float32Array, wanted: Float32Array, error: number, where: string): void {
  const allowed = error * wanted.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  const wrong = wanted.findIndex((x, d) => !(Math.abs(got[d]! - x) <= allowed));
  if (wrong >= 0) expect.fail(`${where}, element ${wrong} of the row: got ${got[wrong]}, wanted ${wanted[wrong]}`);
}

function expectUntouched(name: string, { before, after }: CacheContents, rowBytes: number, written: Set<number>): void {
  for (let at = 0; at < before.length; at++) {
    if (before[at] === after[at] || written.has(Math.floor(at / rowBytes))) continue;
    expect.fail(`${name} cache: row ${Math.floor(at / rowBytes)} was overwritten, and nothing was appended there`);
  }
}
