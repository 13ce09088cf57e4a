/**
 * Where in a block its numbers lie, as data: what repack.wesl turns blocks into GPU layouts by, and where a scale that
 * is no number would hide. The dequantisers beside this file know the same by heart and are checked against ggml; that
 * both agree, bit for bit, is tested (tests/gpu/ops/embed.gpu.test.ts).
 */
import { tensorTypeInfo } from './blocks';
import type { TensorType } from './blocks';
import { f16Bits } from './dtype';

/**
 * Bits of all codes of a block, side by side in bytes from `at` on. `run` bytes hold the lowest of their `bits` for the
 * first `run` elements, the next higher ones for the next `run`, and so on until their eight bits are used.
 */
export interface Plane {
  readonly at: number;
  readonly run: number;
  readonly bits: 1 | 2 | 4 | 8;
}

/** A binary16 number at this byte of a block, and what it is multiplied by: exactly, a power of two. */
export interface Head {
  readonly at: number;
  readonly times: number;
}

/** How the small integers that multiply the heads are packed: repack.wesl unpacks each kind. */
export type EntryKind = 'bytes' | 'q3' | 'q4' | 'iq4' | 'iq2';

export interface BlockMap {
  /** The scale, and the minimum that is subtracted where there is one. */
  readonly heads: readonly [Head] | readonly [Head, Head];
  /** Low bits of the codes, then the bits above them. IQ2_XXS has its own: places in a grid, and signs. */
  readonly planes: readonly Plane[];
  /** A scale (and minimum) for each 16 or 32 elements: an integer times a head. */
  readonly entries?: { readonly kind: EntryKind; readonly at: number };
}

const scale = (at: number): readonly [Head] => [{ at, times: 1 }];
const both = (at: number, times = 1): readonly [Head, Head] => [
  { at, times: 1 },
  { at: at + 2, times },
];
const plane = (at: number, run: number, bits: Plane['bits']): Plane => ({ at, run, bits });

const BLOCK_MAPS: Partial<Record<TensorType, BlockMap>> = {
  Q8_0: { heads: scale(0), planes: [plane(2, 32, 8)] },
  Q4_0: { heads: scale(0), planes: [plane(2, 16, 4)] },
  // A minimum that is added.
  Q4_1: { heads: both(0, -1), planes: [plane(4, 16, 4)] },
  Q5_0: { heads: scale(0), planes: [plane(6, 16, 4), plane(2, 1, 1)] },
  Q5_1: { heads: both(0, -1), planes: [plane(8, 16, 4), plane(4, 1, 1)] },
  Q2_K: { heads: both(80), planes: [plane(16, 32, 2)], entries: { kind: 'bytes', at: 0 } },
  Q3_K: { heads: scale(108), planes: [plane(32, 32, 2), plane(0, 32, 1)], entries: { kind: 'q3', at: 96 } },
  Q4_K: { heads: both(0), planes: [plane(16, 32, 4)], entries: { kind: 'q4', at: 4 } },
  Q5_K: { heads: both(0), planes: [plane(48, 32, 4), plane(16, 32, 1)], entries: { kind: 'q4', at: 4 } },
  Q6_K: { heads: scale(208), planes: [plane(0, 64, 4), plane(128, 32, 2)], entries: { kind: 'bytes', at: 192 } },
  IQ4_NL: { heads: scale(0), planes: [plane(2, 16, 4)] },
  IQ4_XS: { heads: scale(0), planes: [plane(8, 16, 4)], entries: { kind: 'iq4', at: 2 } },
  // Scales (2 n + 1) d / 8.
  IQ2_XXS: { heads: [{ at: 0, times: 1 / 8 }], planes: [], entries: { kind: 'iq2', at: 2 } },
};

/** Undefined for types without blocks, and for those that cannot be computed with. */
export function blockMapOf(type: TensorType): BlockMap | undefined {
  return BLOCK_MAPS[type];
}

/** Sets the heads of every block in `bytes`, both of those that have two, to a binary16 number: for tests of kernels. */
export function setHeads(type: TensorType, bytes: Uint8Array, value: (block: number) => number): void {
  const { blockBytes } = tensorTypeInfo(type);
  for (let block = 0; block * blockBytes < bytes.length; block++) {
    const bits = f16Bits(value(block));
    for (const { at } of BLOCK_MAPS[type]?.heads ?? []) {
      bytes[block * blockBytes + at] = bits & 255;
      bytes[block * blockBytes + at + 1] = bits >> 8;
    }
  }
}
