/** A call on a KV cache: the cache's memory, what is appended to it, and what attention over it should give. */
import type { AttentionShapes, ReferenceOptions } from '$gpu/attention/reference';
import type { FloatDType } from '$gpu/formats/dtype';
import { random } from '../gpu';
import { pagedRow, permutation, randomBlockTable } from './layout';
import { normals, type Inputs, type Problem } from './problem';
import { randomTables, rotate, type RotaryTables } from './rotary';

/** How the cache lies in memory. */
export const STORAGES = [
  'cache',
  'leftpad',
  'batch index',
  'leftpad, batch index',
  'pages of 16',
  'pages of 256',
] as const;
export type Storage = (typeof STORAGES)[number];

export const APPENDS = ['append nothing', 'append Sq', 'append fewer'] as const;
export type Append = (typeof APPENDS)[number];

export const ROTARIES = [
  'no rotary',
  'half interleaved rotary',
  'half split rotary',
  'whole interleaved rotary',
  'whole split rotary',
] as const;
export type Rotary = (typeof ROTARIES)[number];

export interface CacheSetup {
  /** `seqK` is the capacity of the cache: rows of each sequence. */
  readonly shapes: AttentionShapes;
  readonly dtype: FloatDType;
  readonly options: ReferenceOptions;
  readonly storage: Storage;
  readonly append: Append;
  readonly rotary: Rotary;
  readonly seed: number;
}

export interface CacheProblem {
  readonly setup: CacheSetup;
  /** `[B, Sq, Hq, D]`, before rotation. */
  readonly q: Float32Array;
  /** `[rows of the storage, Hkv, D]`; NaN wherever no key has been written. */
  readonly kCache: Float32Array;
  readonly vCache: Float32Array;
  readonly storageShape: readonly [number, number, number, number];
  /** `[B, appended, Hkv, D]`, before rotation. */
  readonly k?: Float32Array;
  readonly v?: Float32Array;
  readonly appended: number;
  /** Keys in the cache before the call, leftpad included. */
  readonly seqlens: Int32Array;
  readonly leftpad?: Int32Array;
  readonly batchIdx?: Int32Array;
  readonly blockTable?: { readonly table: Int32Array; readonly blocksPerSequence: number };
  readonly rotary?: RotaryTables & { readonly interleaved: boolean };
  /** Row of the storage at which token s of batch entry b lies. */
  readonly rowOf: (b: number, s: number) => number;
  /** Appended keys as they have to stand in the cache: rotated and rounded. */
  readonly storedK?: Float32Array;
  /** What the output is judged by: everything gathered to `[B, Sk, Hkv, D]`. */
  readonly gathered: { readonly problem: Problem; readonly inputs: Inputs };
}

export function cacheProblem(setup: CacheSetup): CacheProblem {
  const { shapes, dtype, seed } = setup;
  const { batch, seqQ, seqK, headsQ, headsKv, headDim } = shapes;
  const row = headsKv * headDim;
  const appended = appendedOf(setup);
  const lengths = randomLengths(setup, appended);
  const place = placeOf(setup);
  const rotary = rotaryOf(setup, place);

  const qScale = setup.options.softcap || 1;
  const q = normals(seed, batch * seqQ * headsQ * headDim, dtype, qScale);
  const [kCache, vCache] = [seed + 1, seed + 2].map((s) => filledCache(s, setup, lengths, place, row)) as [
    Float32Array,
    Float32Array,
  ];
  const k = normals(seed + 3, batch * appended * row, dtype);
  const v = normals(seed + 4, batch * appended * row, dtype);
  const position = (b: number, s: number): number => lengths.seqlens[b]! + s;
  const rotateBy = (x: Float32Array, seq: number, heads: number, at: typeof position): Float32Array =>
    rotary ? rotate(x, [batch, seq, heads, headDim], rotary, rotary.interleaved, at, dtype) : x;
  const storedK = rotateBy(k, appended, headsKv, position);
  // Without a causal or local mask all queries stand at the first new position.
  const isLocal = setup.options.causal === true || (setup.options.windowSize ?? [-1, -1]).some((side) => side >= 0);
  const rotatedQ = rotateBy(q, seqQ, headsQ, (b, s) => position(b, isLocal ? s : 0));

  const gather = (cache: Float32Array, fresh: Float32Array): Float32Array =>
    gathered({ batch, seqK, row }, cache, place, { fresh, appended, seqlens: lengths.seqlens });
  return {
    setup,
    q,
    kCache,
    vCache,
    ...place,
    storageShape: [...place.storageShape, headsKv, headDim],
    ...(appended > 0 && { k, v, storedK }),
    appended,
    ...lengths,
    ...(rotary && { rotary }),
    gathered: {
      problem: {
        shapes,
        dtype,
        options: {
          ...setup.options,
          seqlensK: lengths.seqlens.map((length) => length + appended),
          ...(lengths.leftpad && { leftpadK: lengths.leftpad }),
        },
      },
      inputs: { q: rotatedQ, k: gather(kCache, storedK), v: gather(vCache, v) },
    },
  };
}

function appendedOf({ append, shapes: { seqQ }, seed }: CacheSetup): number {
  if (append === 'append nothing') return 0;
  return append === 'append Sq' ? seqQ : 1 + Math.floor(random(seed + 5)() * seqQ);
}

/** Lengths as flash-attention's test draws them: any that leaves room for what is appended, and for the tables. */
function randomLengths(
  { shapes: { batch, seqQ, seqK }, storage, rotary, seed }: CacheSetup,
  appended: number,
): { seqlens: Int32Array; leftpad?: Int32Array } {
  const next = random(seed + 6);
  const least = appended > 0 ? 0 : 1;
  const room = seqK - (rotary === 'no rotary' ? appended : Math.max(appended, seqQ));
  const seqlens = Int32Array.from({ length: batch }, () => least + Math.floor(next() * (room - least + 1)));
  if (!storage.startsWith('leftpad')) return { seqlens };
  return { seqlens, leftpad: seqlens.map((length) => Math.floor(next() * length)) };
}

type Place = Pick<CacheProblem, 'batchIdx' | 'blockTable' | 'rowOf'> & { storageShape: readonly [number, number] };

function placeOf({ shapes: { batch, seqK }, storage, seed }: CacheSetup): Place {
  if (storage.startsWith('pages')) {
    const layout = randomBlockTable(seed + 7, batch, seqK, Number(storage.slice('pages of '.length)));
    return {
      blockTable: layout,
      storageShape: [layout.blocks, layout.pageSize],
      rowOf: (b, s) => pagedRow(layout, b, s),
    };
  }
  if (!storage.endsWith('batch index')) return { storageShape: [batch, seqK], rowOf: (b, s) => b * seqK + s };
  const entries = 2 * batch;
  const batchIdx = permutation(seed + 7, entries).slice(0, batch);
  return { batchIdx, storageShape: [entries, seqK], rowOf: (b, s) => batchIdx[b]! * seqK + s };
}

/** The rotary dimension is a multiple of 16, and there is a row of angles for each row of the cache, as in flash_attn. */
function rotaryOf(
  { rotary, shapes: { headDim, seqK }, dtype, seed }: CacheSetup,
  { blockTable, storageShape }: Place,
): CacheProblem['rotary'] {
  if (rotary === 'no rotary') return undefined;
  const capacity = blockTable ? blockTable.blocksPerSequence * storageShape[1] : seqK;
  const rotaryDim = Math.floor((rotary.startsWith('half') ? headDim / 2 : headDim) / 16) * 16;
  return { ...randomTables(seed + 8, capacity, rotaryDim, dtype), interleaved: rotary.includes('interleaved') };
}

/** Numbers where keys are, NaN in front of the leftpad, behind the length, and in what belongs to no sequence. */
function filledCache(
  seed: number,
  { shapes: { batch }, dtype }: CacheSetup,
  { seqlens, leftpad }: { seqlens: Int32Array; leftpad?: Int32Array },
  { storageShape, rowOf }: Place,
  row: number,
): Float32Array {
  const cache = new Float32Array(storageShape[0] * storageShape[1] * row).fill(NaN);
  for (let b = 0; b < batch; b++) {
    const first = leftpad?.[b] ?? 0;
    const values = normals(seed + 100 * b, (seqlens[b]! - first) * row, dtype);
    for (let s = first; s < seqlens[b]!; s++) {
      cache.set(values.subarray((s - first) * row, (s - first + 1) * row), rowOf(b, s) * row);
    }
  }
  return cache;
}

function gathered(
  { batch, seqK, row }: { batch: number; seqK: number; row: number },
  cache: Float32Array,
  { rowOf }: Place,
  { fresh, appended, seqlens }: { fresh: Float32Array; appended: number; seqlens: Int32Array },
): Float32Array {
  const all = new Float32Array(batch * seqK * row);
  for (let b = 0; b < batch; b++) {
    for (let s = 0; s < seqK; s++) {
      const from = rowOf(b, s) * row;
      all.set(cache.subarray(from, from + row), (b * seqK + s) * row);
    }
    all.set(fresh.subarray(b * appended * row, (b + 1) * appended * row), (b * seqK + seqlens[b]!) * row);
  }
  return all;
}
