/**
 * How weights lie in GPU memory. A layout is data; weights.wesl reads it, repack.wesl writes it.
 *
 * Rows of a matrix `[N, K]` are cut into chunks whose codes fill one vec4<u32>: 4 elements of f32, 8 of f16 or bf16, 16
 * of 8 bits, 32 of 4 bits. So every kernel reads weights 16 bytes a thread at neighbouring addresses, whatever the type.
 * Scales lie apart, as float32: nothing that a file holds is rounded.
 */
import type { TensorType } from '../formats/blocks';

export type LayoutName = 'f32' | 'f16' | 'bf16' | 'q8' | 'q4';

export interface Layout {
  readonly name: LayoutName;
  /** Elements whose codes fill one vec4<u32>. */
  readonly chunk: number;
  /** Elements that share a scale; 0: there are no scales. */
  readonly scaled: 0 | 32;
}

export const LAYOUTS: Readonly<Record<LayoutName, Layout>> = {
  f32: { name: 'f32', chunk: 4, scaled: 0 },
  f16: { name: 'f16', chunk: 8, scaled: 0 },
  bf16: { name: 'bf16', chunk: 8, scaled: 0 },
  q8: { name: 'q8', chunk: 16, scaled: 32 },
  q4: { name: 'q4', chunk: 32, scaled: 32 },
};

/** The layout that holds a type of tensor without loss. */
const BY_TYPE: Partial<Record<TensorType, LayoutName>> = {
  F32: 'f32',
  F16: 'f16',
  BF16: 'bf16',
  Q8_0: 'q8',
  Q4_0: 'q4',
};

export function layoutOf(type: TensorType): Layout | undefined {
  const name = BY_TYPE[type];
  return name && LAYOUTS[name];
}

/** The type of tensor that a layout is made for. */
export function typeOf(layout: Layout): TensorType {
  return MATRIX_TYPES.find((type) => layoutOf(type) === layout)!;
}

/** The types of tensors that matrices can be made of. */
export const MATRIX_TYPES = Object.keys(BY_TYPE) as TensorType[];

/** Chunks of a row of K elements; the last may be padded with zeros. */
export function chunksOf(layout: Layout, columns: number): number {
  return Math.ceil(columns / layout.chunk);
}

export function scalesOf(layout: Layout, columns: number): number {
  return layout.scaled === 0 ? 0 : columns / layout.scaled;
}

/** The conditions of weights.wesl. `padded`: rows end inside a chunk. */
export function layoutConditions(layout: Layout, columns: number): Record<string, boolean> {
  return {
    W_F32: layout.name === 'f32',
    W_F16: layout.name === 'f16',
    W_BF16: layout.name === 'bf16',
    W_Q8: layout.name === 'q8',
    W_Q4: layout.name === 'q4',
    SCALED: layout.scaled > 0,
    PADDED: columns % layout.chunk !== 0,
  };
}
