/** flash-attention's test grid, and how a row of it becomes a problem with numbers. */
import type { ReferenceOptions } from '$gpu/attention/reference';
import type { FloatDType } from '$gpu/formats/dtype';
import { environment, large, random } from '../gpu';
import { coveringArray, everyValue, product, type Factors, type IsPossible, type Row } from '../covering';
import { normals, randomInteger, randomSlopes } from './problem';

export const HEAD_DIMS = [32, 40, 59, 64, 80, 96, 111, 128, 160, 192, 224, 256] as const;

/** (Sq, Sk) of flash-attention's test_flash_attn_output and test_flash_attn_splitkv. */
export const LENGTHS = [
  [113, 203],
  [128, 217],
  [113, 211],
  [108, 256],
  [256, 512],
  [512, 256],
  [1024, 1024],
  [1023, 1024],
  [1024, 1023],
  [2048, 2048],
  [1, 239],
  [3, 799],
  [127, 512],
  [127, 513],
] as const;

export const DTYPES: readonly FloatDType[] = ['f32', 'f16', 'bf16'];

/**
 * Storage types that tests outside the grids go through here. A type is a kernel of its own, which takes software
 * adapters seconds to compile; each driver sees all three, in one of its two environments or in both together.
 */
export const DTYPES_HERE: readonly FloatDType[] = typesHere();

function typesHere(): readonly FloatDType[] {
  if (large) return DTYPES;
  // `reduced` is lavapipe too, with all three; and only lavapipe computes in f16.
  if (environment === 'lavapipe') return ['f16'];
  return environment === 'chromium' ? ['f32'] : DTYPES;
}

/** Of rows, those with a storage type of DTYPES_HERE. */
export function rowsHere<R extends { readonly dtype: FloatDType }>(rows: readonly R[]): R[] {
  return rows.filter(({ dtype }) => DTYPES_HERE.includes(dtype));
}

export const HEADS = ['MHA', 'MQA', 'GQA'] as const;
export type Heads = (typeof HEADS)[number];

/** [Hq, Hkv]. Groups of 3 and 4 rather than 2: a tile of folded rows does not divide by 3. */
export const HEAD_COUNTS: Readonly<Record<Heads, readonly [number, number]>> = {
  MHA: [3, 3],
  MQA: [4, 1],
  GQA: [6, 2],
};
export const FEW_HEADS: Readonly<Record<Heads, readonly [number, number]>> = { MHA: [1, 1], MQA: [2, 1], GQA: [4, 2] };

export const MASKS = ['no mask', 'causal', 'window', 'left window', 'right window', 'causal window'] as const;
export type Mask = (typeof MASKS)[number];

export const ALIBI = ['no ALiBi', 'ALiBi [Hq]', 'ALiBi [B,Hq]'] as const;
export type Alibi = (typeof ALIBI)[number];

/** Fewer values for some of the factors. */
type Narrowed<F extends Factors> = { readonly [K in keyof F]: readonly F[K][number][] };

/** What is to be combined with what. */
export interface Grid<F extends Factors> {
  readonly factors: F;
  /** Whether a row, or the part of it chosen so far, makes sense. */
  readonly isPossible?: IsPossible<F>;
  /** Whether a covering array may hold the row: to leave out what costs too much and shows nothing more. */
  readonly isWorthIt?: IsPossible<F>;
  /** Values for the full product, where they are fewer. */
  readonly all?: Narrowed<F>;
}

/**
 * A covering array, or with `npm run test:large` every combination.
 *
 * Two drivers, each in two environments. Every pair: Dawn's SwiftShader, and for f16, which only lavapipe computes in,
 * lavapipe. Every value: all four; `reduced` and `chromium` run the very same kernels on the very same drivers.
 */
export function rowsOf<F extends Factors & { dtype: readonly FloatDType[] }>(grid: Grid<F>): Row<F>[] {
  const { factors, isPossible, isWorthIt, all = factors } = grid;
  // With 32 lanes a kernel takes a minute to compile.
  if (large && environment !== 'wide32') return [...product(all as F, isPossible)];
  const rows = coveringArray(factors, (row) => (isPossible?.(row) ?? true) && (isWorthIt?.(row) ?? true));
  if (environment === 'swiftshader' || environment === 'unit') return rows;
  const few = new Set(everyValue(rows));
  return rows.filter((row) => few.has(row) || (environment === 'lavapipe' && row.dtype === 'f16'));
}

// ---- few kernels -----------------------------------------------------------------------------------------------
//
// A kernel is compiled for a D, a storage type, whether scores are modified (softcap, ALiBi, sinks), and, where the
// queries are few, how many rows a tile has; a software adapter takes seconds for each. Rows that need another kernel
// only because a coin fell so are left out of covering arrays: each pair that these functions speak of has one fixed
// third. All pairs still come, if not all in one array.

/** What a row says about its kernel; undefined where it is not chosen yet. */
interface KernelTraits {
  readonly headDim?: number;
  readonly dtype?: FloatDType;
  readonly alibi?: Alibi;
  readonly softcap?: number;
  readonly sinks?: boolean;
}

/** For each D and storage type, scores are either modified or not. */
export function hasItsModification(row: KernelTraits): boolean {
  if (row.headDim === undefined || row.dtype === undefined) return true;
  return isModification(row, (dimIndex(row.headDim) + DTYPES.indexOf(row.dtype)) % 2 === 1);
}

/**
 * For each D one decode kernel, for 4 rows, and one storage type: a query has 3 or 4 heads to a key head, three queries
 * have 1. The smallest D has every other way.
 */
export function hasItsDecoder({
  headDim,
  dtype,
  lengths,
  heads,
}: KernelTraits & { readonly lengths?: readonly [number, number]; readonly heads?: Heads }): boolean {
  if (headDim === undefined || lengths === undefined || lengths[0] > 3) return true;
  if (dtype !== undefined && dtype !== decodedDtype(headDim)) return false;
  return headDim === HEAD_DIMS[0] || heads === undefined || (heads === 'MHA') === (lengths[0] === 3);
}

/** The storage type in which flashAttention's grid decodes with this D. */
export function decodedDtype(headDim: number): FloatDType {
  return DTYPES[dimIndex(headDim) % 3]!;
}

/** Kernels of flashAttention's grid for other tests to take: a D with plain scores, decoded in this type as well. */
export const PLAIN_HEAD_DIM: Readonly<Record<FloatDType, number>> = { f32: 32, f16: 128, bf16: 59 };
/** The same with modified scores, for many queries alone. */
export const MODIFIED_HEAD_DIM: Readonly<Record<FloatDType, number>> = { f32: 64, f16: 59, bf16: 128 };

/** For each D, with and without what `kind` says, one storage type; and scores are either modified or not. */
export function hasItsKernel(row: KernelTraits, kind: boolean | undefined): boolean {
  if (row.headDim === undefined || kind === undefined) return true;
  const index = dimIndex(row.headDim) + (kind ? 1 : 0);
  if (row.dtype !== undefined && row.dtype !== DTYPES[index % 3]) return false;
  return isModification(row, Math.floor(index / 2) % 2 === 1);
}

/** Whether the scores of the row are modified as `wanted`, as far as it is chosen. */
export function isModification({ alibi, softcap, sinks }: KernelTraits, wanted: boolean): boolean {
  if (!wanted) return (alibi ?? 'no ALiBi') === 'no ALiBi' && !softcap && !sinks;
  // Softcap alone would be another kernel: it needs no table of head values.
  return alibi === undefined || sinks === undefined || alibi !== 'no ALiBi' || sinks;
}

function dimIndex(headDim: number): number {
  return HEAD_DIMS.findIndex((dim) => dim === headDim);
}

/** Environments that run a GPU's work on one processor core with narrow vectors, ten times slower than lavapipe. */
export const isSlow = !large && (environment === 'swiftshader' || environment === 'chromium');

/** A size that a slow environment runs at a quarter of its length; 1023 becomes 255, still one short of 256. */
export function affordable(length: number): number {
  return isSlow && length > 512 ? Math.ceil(length / 4) - (length % 4 === 3 ? 1 : 0) : length;
}

/** The options that a mask's name stands for; windows are random, as in flash-attention's tests. */
export function maskOptions(mask: Mask, seqK: number, seed: number): ReferenceOptions {
  const left = randomInteger(seed, Math.max(1, seqK));
  const right = randomInteger(seed + 1, Math.max(1, seqK));
  const causal = mask.startsWith('causal') ? { causal: true } : {};
  switch (mask) {
    case 'window':
      return { windowSize: [left, right] };
    case 'left window':
      return { windowSize: [left, -1] };
    case 'right window':
      return { windowSize: [-1, right] };
    case 'causal window':
      return { ...causal, windowSize: [left, -1] };
    default:
      return causal;
  }
}

export interface Extras {
  readonly alibi: Alibi;
  readonly softcap: number;
  readonly sinks: boolean;
}

export function extraOptions(extras: Extras, batch: number, headsQ: number, seed: number): ReferenceOptions {
  const slopes = extras.alibi === 'ALiBi [Hq]' ? headsQ : batch * headsQ;
  return {
    ...(extras.softcap > 0 && { softcap: extras.softcap }),
    ...(extras.alibi !== 'no ALiBi' && { alibiSlopes: randomSlopes(seed, slopes) }),
    ...(extras.sinks && { sinks: normals(seed + 1, headsQ, 'f32', 2) }),
  };
}

/**
 * Query rows to look at in a problem whose every row would take the reference too long: both ends, where masks and
 * ragged tiles are, and others at random, other ones in every problem. Undefined: all of them.
 */
export function sampledRows(seqQ: number, seed: number, count = 40): Int32Array | undefined {
  if (seqQ <= count) return undefined;
  const next = random(seed);
  const rows = new Set<number>();
  for (let i = 0; i < 12; i++) rows.add(i).add(seqQ - 1 - i);
  while (rows.size < count) rows.add(Math.floor(next() * seqQ));
  return Int32Array.from(rows).sort();
}
