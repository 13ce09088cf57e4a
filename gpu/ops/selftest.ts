/**
 * The self-test: each product kernel computes a known problem before its model answers anybody. Some drivers compile
 * every shader and compute nonsense; a person would only see an answer that makes none.
 */
import { setHeads } from '../formats/block_maps';
import { tensorTypeInfo } from '../formats/blocks';
import type { TensorType } from '../formats/blocks';
import { dequantise } from '../formats/dequantise';
import { f16Bits } from '../formats/dtype';
import { SelfTestError } from '../device';
import type { Gpu } from '../device';
import { Matrix, MatrixWriter, typeOf } from '../quant';
import type { Layout } from '../quant';
import { FEW_TOKENS, isFew, isGated, product, takesIntegers } from './product';
import type { ProductMode, ProductTraits } from './product';
import { LANES } from './ways';

/** A kind of product that a model has. */
export interface ProductKind extends ProductTraits {
  readonly layout: Layout;
  /** Rows end inside a chunk. */
  readonly padded: boolean;
}

/** Rows of x that choose each kernel: one, a tile and a part of one, few. */
const TOKENS = [1, 37, FEW_TOKENS - 1];
/** Rows of W, and of each half of a gated one: no multiple of a tile. */
const ROWS = 70;
const EPS = 1e-5;
/** Of sums; of logits that are bent, where they are bent well. */
const SCALE = 0.75;
const CAP = 2;
const TOLERANCE = 1e-3;
/** Where x is rounded, an element that lies between two codes may go either way; for each element of a row. */
const ROUNDED_TOLERANCE = 1.5e-4;

/** Rejects with a SelfTestError that names the first kernel whose result is wrong. */
export async function verifyProducts(gpu: Gpu, kinds: Iterable<ProductKind>): Promise<void> {
  const tested = new Set<string>();
  for (const kind of kinds) {
    const name = nameOf(kind);
    if (tested.has(name)) continue;
    tested.add(name);
    for (const tokens of TOKENS) {
      const error = await errorOf(gpu, kind, tokens);
      if (error <= (kind.integers ? ROUNDED_TOLERANCE * columnsOf(kind) : TOLERANCE)) continue;
      throw new SelfTestError(
        `The product of ${tokens} x ${name} is off by ${error} on this GPU. Update the browser or the graphics driver, or use the CPU.`,
      );
    }
  }
}

function nameOf({ layout, mode, normed, padded, integers }: ProductKind): string {
  return [layout.name, mode, normed && 'normed', padded && 'padded', integers && 'integers'].filter(Boolean).join(' ');
}

/** Elements of a row: a chunk for each of the lanes that share it and some more, so that every lane's sum counts. */
function columnsOf({ layout: { scaled, group, chunk }, padded }: ProductKind): number {
  if (scaled === 0) return chunk * (LANES + 3) - (padded ? 4 : 0);
  return Math.ceil((chunk * LANES) / group + 1) * group;
}

/** The largest distance from the reference; NaN where the kernel left anything unwritten. */
async function errorOf(gpu: Gpu, kind: ProductKind, tokens: number): Promise<number> {
  const { layout, mode, normed, integers = false } = kind;
  const columns = columnsOf(kind);
  const rows = isGated(mode) ? 2 * ROWS : ROWS;
  const type = typeOf(layout);
  const bytes = knownBytes(type, rows * columns);
  const weights = dequantise(type, bytes);
  const x = ramp(tokens * columns, 5);
  const gain = ramp(columns, 3).map((value) => 1 + value / 2);
  const before = ramp(tokens * ROWS, 7);

  const matrix = new Matrix(gpu, columns, [{ layout, rows }]);
  const writer = new MatrixWriter(gpu, matrix, type, 0, rows);
  writer.push(bytes);
  writer.finish();
  const held = [gpu.upload(x, [tokens, columns]), gpu.upload(gain, [columns]), gpu.upload(before, [tokens, ROWS])];
  const [input, gains, y] = held as [(typeof held)[0], (typeof held)[0], (typeof held)[0]];
  if (mode !== 'added') gpu.fill(y, POISON);
  const norm = normed ? { norm: { gain: gains, eps: EPS } } : {};
  product(gpu, input, matrix, y, { mode, scale: SCALE, cap: CAP, integers, ...norm });
  const got = await gpu.download(y);
  held.forEach((tensor) => tensor.destroy());
  matrix.destroy();

  // Only few rows of x are rounded, and before they are divided by their norm, which blocks do not see.
  const rounds = integers && takesIntegers(layout) && isFew(gpu, tokens);
  const normalisedX = normed ? normalised(x, gain) : x;
  const seen = rounds ? roundedBlocks(normalisedX, Math.min(layout.scaled, layout.chunk)) : normalisedX;
  const expected = expectedOf({ x: seen, weights, columns, mode, before });
  return got.reduce((worst, value, at) => {
    const error = Math.abs(value - expected[at]!);
    return error <= worst ? worst : error;
  }, 0);
}

/** As bytes of -127 to 127 times a step, a block at a time. */
function roundedBlocks(x: ArrayLike<number>, block: number): Float64Array {
  const out = Float64Array.from(x);
  for (let begin = 0; begin < out.length; begin += block) {
    const part = out.subarray(begin, begin + block);
    const step = part.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127;
    if (step > 0) part.forEach((value, at) => (part[at] = Math.floor(value / step + 0.5) * step));
  }
  return out;
}

/** The tanh form of gelu is x * sigmoid(GELU (x + 0.044715 x^3)). */
const GELU = 2 * Math.sqrt(2 / Math.PI);

/** Quiet NaN. */
const POISON = 0x7fc00000;

interface Expected {
  readonly x: ArrayLike<number>;
  readonly weights: Float32Array;
  readonly columns: number;
  readonly mode: ProductMode;
  readonly before: Float32Array;
}

function expectedOf({ x, weights, columns, mode, before }: Expected): Float64Array {
  const dot = (m: number, row: number): number => {
    let sum = 0;
    for (let k = 0; k < columns; k++) sum += x[m * columns + k]! * weights[row * columns + k]!;
    return sum;
  };
  return Float64Array.from(before, (residual, at) => {
    const [m, row] = [Math.floor(at / ROWS), at % ROWS];
    const value = dot(m, row);
    switch (mode) {
      case 'silu':
        return (value / (1 + Math.exp(-value))) * dot(m, row + ROWS);
      case 'gelu':
        return (value / (1 + Math.exp(-GELU * (value + 0.044715 * value ** 3)))) * dot(m, row + ROWS);
      case 'added':
        return residual + SCALE * value;
      case 'capped':
        return CAP * Math.tanh((SCALE * value) / CAP);
      case 'plain':
        return SCALE * value;
    }
  });
}

function normalised(x: Float32Array, gain: Float32Array): Float64Array {
  const columns = gain.length;
  return Float64Array.from(x, (value, at) => {
    const row = x.subarray(at - (at % columns), at - (at % columns) + columns);
    const squares = row.reduce((sum, other) => sum + other ** 2, 0);
    return (value / Math.sqrt(squares / columns + EPS)) * gain[at % columns]!;
  });
}

/** Numbers in [-1, 1] that no two neighbours share: a transposed or shifted read shows. */
function ramp(length: number, step: number): Float32Array {
  return Float32Array.from({ length }, (_, at) => ((at * step * 37) % 129) / 64 - 1);
}

/** A tensor as a file has it, of small numbers. */
function knownBytes(type: TensorType, elements: number): Uint8Array {
  const numbers = ramp(elements, 1).map((value) => value / 8);
  if (type === 'F32') return new Uint8Array(numbers.buffer);
  if (type === 'F16') return new Uint8Array(Uint16Array.from(numbers, f16Bits).buffer);
  // The upper half of a float32: multiples of 1/512 below 1 lose nothing that the reference does not lose as well.
  if (type === 'BF16') return new Uint8Array(Uint16Array.from(new Uint32Array(numbers.buffer), (w) => w >>> 16).buffer);
  return knownBlocks(type, elements);
}

/** Codes of every value; scales of three sizes, so small that no number is larger than 1/8. */
function knownBlocks(type: TensorType, elements: number): Uint8Array {
  const { blockElements, blockBytes } = tensorTypeInfo(type);
  const bytes = Uint8Array.from({ length: (elements / blockElements) * blockBytes }, (_, at) => (at * 37) % 256);
  setHeads(type, bytes, () => 1);
  const largest = dequantise(type, bytes).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  setHeads(type, bytes, (block) => (1 + (block % 3)) / (24 * largest));
  return bytes;
}
