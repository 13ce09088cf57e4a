/**
 * How weights lie in GPU memory. A layout is data; weights.wesl reads it, repack.wesl writes it.
 *
 * Rows of a matrix `[N, K]` are cut into chunks: 4 elements of f32, 8 of f16 or bf16, 16 of 8 bits, 32 of fewer. Codes of
 * 8 bits or 4 fill one vec4<u32> a chunk, those of 2 bits half of one: so kernels read weights 16 bytes a thread at
 * neighbouring addresses, whatever the type. What belongs to the codes lies apart, in groups of words (weights.wesl):
 * scales, minimums, and a fifth and sixth bit. Scales are float32, or exact as float32 times a small integer: nothing
 * that a file holds is rounded.
 */
import type { TensorType } from '../formats/blocks';
import { MAGNITUDES, NL_LEVELS } from '../formats/iq_blocks';

export type LayoutName =
  | 'f32'
  | 'f16'
  | 'bf16'
  | 'q8'
  | 'q4'
  | 'q4m'
  | 'q5'
  | 'q5m'
  | 'q2k'
  | 'q3k'
  | 'q4k'
  | 'q5k'
  | 'q6k'
  | 'iq4'
  | 'iq4k'
  | 'iq2k';

export interface Layout {
  readonly name: LayoutName;
  /** Elements of a chunk. */
  readonly chunk: number;
  /** Bits of an element among the codes. */
  readonly low: number;
  /** Bits above them, which lie with the scales. */
  readonly high: 0 | 1 | 2;
  /** Elements that share a scale; 0: there are no scales. */
  readonly scaled: 0 | 16 | 32;
  /** Elements whose scales lie together. Rows are whole groups. */
  readonly group: number;
  /** There is a minimum beside each scale: an element is code * scale - minimum. */
  readonly minimum: boolean;
  /** Bits of a scale in a group of 256, where it is an integer times the group's float32; 0: it is a float32. */
  readonly scaleBits: 0 | 4 | 8;
  /** What a code means: code - bias, or a number by its place in a table of signed bytes. */
  readonly bias: number;
  readonly levels: readonly number[];
}

type Choice = Partial<Omit<Layout, 'name'>>;

/** Blocks of 32, one float32 each (and one more for the minimum). */
const BLOCKS: Omit<Layout, 'name'> = {
  chunk: 32,
  low: 4,
  high: 0,
  scaled: 32,
  group: 32,
  minimum: false,
  scaleBits: 0,
  bias: 0,
  levels: [],
};
const PLAIN: Choice = { scaled: 0, group: 1 };
/** Groups of 256. */
const SUPER: Choice = { group: 256, scaleBits: 8 };

const CHOICES: Readonly<Record<LayoutName, Choice>> = {
  f32: { ...PLAIN, low: 32, chunk: 4 },
  f16: { ...PLAIN, low: 16, chunk: 8 },
  bf16: { ...PLAIN, low: 16, chunk: 8 },
  q8: { low: 8, chunk: 16 },
  q4: { bias: 8 },
  q4m: { minimum: true },
  q5: { high: 1, bias: 16 },
  q5m: { high: 1, minimum: true },
  q2k: { ...SUPER, low: 2, scaled: 16, minimum: true, scaleBits: 4 },
  q3k: { ...SUPER, low: 2, high: 1, scaled: 16, bias: 4 },
  q4k: { ...SUPER, minimum: true },
  q5k: { ...SUPER, high: 1, minimum: true },
  q6k: { ...SUPER, high: 2, scaled: 16, bias: 32 },
  iq4: { levels: NL_LEVELS },
  iq4k: { ...SUPER, levels: NL_LEVELS },
  // A sign above two bits of magnitude, the fourth of which no file has.
  iq2k: { ...SUPER, low: 2, high: 1, levels: [...MAGNITUDES, 0, ...MAGNITUDES.map((size) => -size), 0] },
};

export const LAYOUTS = Object.fromEntries(
  Object.entries(CHOICES).map(([name, choice]) => [name, { ...BLOCKS, ...choice, name }]),
) as Readonly<Record<LayoutName, Layout>>;

/** The layout that holds a type of tensor without loss. */
const BY_TYPE: Partial<Record<TensorType, LayoutName>> = {
  F32: 'f32',
  F16: 'f16',
  BF16: 'bf16',
  Q8_0: 'q8',
  Q4_0: 'q4',
  Q4_1: 'q4m',
  Q5_0: 'q5',
  Q5_1: 'q5m',
  Q2_K: 'q2k',
  Q3_K: 'q3k',
  Q4_K: 'q4k',
  Q5_K: 'q5k',
  Q6_K: 'q6k',
  IQ4_NL: 'iq4',
  IQ4_XS: 'iq4k',
  IQ2_XXS: 'iq2k',
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

/** Words of codes that a chunk has. */
export function chunkWords({ chunk, low }: Layout): number {
  return (chunk * low) / 32;
}

/** Words of a group beside its codes: a float32 or two, scales as small integers, high bits. */
export interface SideWords {
  readonly heads: number;
  readonly entries: number;
  readonly high: number;
  readonly all: number;
}

export function sideWords({ scaled, group, minimum, scaleBits, high }: Layout): SideWords {
  if (scaled === 0) return { heads: 0, entries: 0, high: 0, all: 0 };
  const heads = minimum ? 2 : 1;
  const entries = ((group / scaled) * scaleBits * heads) / 32;
  const highWords = (group * high) / 32;
  return { heads, entries, high: highWords, all: heads + entries + highWords };
}

/** Bytes that an element takes on the GPU. */
export function bytesPerWeight(layout: Layout): number {
  return layout.low / 8 + (sideWords(layout).all * 4) / layout.group;
}

/** The conditions of weights.wesl. `padded`: rows end inside a chunk. */
export function layoutConditions(layout: Layout, columns: number): Record<string, boolean> {
  return {
    W_F32: layout.name === 'f32',
    W_F16: layout.name === 'f16',
    W_BF16: layout.name === 'bf16',
    LOW_8: layout.low === 8,
    LOW_4: layout.low === 4,
    LOW_2: layout.low === 2,
    HIGH_1: layout.high === 1,
    HIGH_2: layout.high === 2,
    SCALED: layout.scaled > 0,
    MINIMUM: layout.minimum,
    TWO_LEVELS: layout.scaleBits > 0,
    LEVELLED: layout.levels.length > 0,
    PADDED: columns % layout.chunk !== 0,
  };
}

/** The constants of weights.wesl. */
export function layoutConstants(layout: Layout): Record<string, number | string> {
  const { chunk, low, scaled, group, scaleBits, bias, levels } = layout;
  const words = sideWords(layout);
  return {
    CHUNK: `${chunk}u`,
    LOW_BITS: `${low}u`,
    BLOCK: `${scaled || chunk}u`,
    GROUP: `${group}u`,
    HEADS: `${words.heads}u`,
    SIDE: `${words.all}u`,
    HIGH_AT: `${words.heads + words.entries}u`,
    SCALE_BITS: `${scaleBits}u`,
    BIAS: `${bias}.0`,
    LEVELS: packed(levels),
  };
}

/** Sixteen signed bytes at most, four a word. */
function packed(levels: readonly number[]): string {
  const words = new Uint32Array(Int8Array.from({ length: 16 }, (_, place) => levels[place] ?? 0).buffer);
  return `vec4u(${[...words].map((word) => `${word}u`).join()})`;
}
