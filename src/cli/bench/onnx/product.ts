/**
 * Products with weights in blocks as ONNX graphs: MatMulNBits nodes side by side, all of the same inputs.
 *
 * A product's output is seldom as long as its input, so that a chain as of attention is not to be had. Nodes side by
 * side serve as well: inputs go up once and one output comes down, however many nodes there are, and with the graph's
 * optimisations off none is left out; the profile has the dispatches of all.
 */
import type { OnnxGraph } from './model';
import type { PeerProduct } from './protocol';
import type { Feeds, Runtime } from './runtime';

const BLOCK = 32;

export function productGraph({ rows, columns, tokens, bits }: PeerProduct, length: number): OnnxGraph {
  const blocks = columns / BLOCK;
  return {
    inputs: [
      { name: 'x', type: 'float32', dims: [tokens, columns] },
      { name: 'codes', type: 'uint8', dims: [rows, blocks, (BLOCK * bits) / 8] },
      { name: 'scales', type: 'float32', dims: [rows, blocks] },
    ],
    outputs: [{ name: `y${length - 1}`, type: 'float32', dims: [tokens, rows] }],
    nodes: Array.from({ length }, (_, n) => ({
      operator: 'MatMulNBits',
      domain: 'com.microsoft',
      inputs: ['x', 'codes', 'scales'],
      outputs: [`y${n}`],
      ints: { K: columns, N: rows, bits, block_size: BLOCK },
    })),
  };
}

export interface ProductInputs {
  readonly x: Float32Array;
  readonly codes: Uint8Array;
  readonly scales: Float32Array;
}

export function productInputs({ rows, columns, tokens, bits }: PeerProduct): ProductInputs {
  let state = 1;
  const next = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 16;
  return {
    x: Float32Array.from({ length: tokens * columns }, () => (next() % 129) / 64 - 1),
    codes: Uint8Array.from({ length: (rows * columns * bits) / 8 }, next),
    scales: Float32Array.from({ length: (rows * columns) / BLOCK }, () => (1 + (next() % 7)) / 1024),
  };
}

export function productFeeds({ Tensor }: Runtime, product: PeerProduct, inputs: ProductInputs): Feeds {
  const { rows, columns, tokens, bits } = product;
  const blocks = columns / BLOCK;
  return {
    x: new Tensor('float32', inputs.x, [tokens, columns]),
    codes: new Tensor('uint8', inputs.codes, [rows, blocks, (BLOCK * bits) / 8]),
    scales: new Tensor('float32', inputs.scales, [rows, blocks]),
  };
}

const SAMPLES = 64;

/** The largest error among some elements, against sums in float64; NaN where anything at all is none. */
export function errorOfProduct(product: PeerProduct, inputs: ProductInputs, y: Float32Array): number {
  const { rows, columns, tokens } = product;
  if (y.length !== tokens * rows || !y.every(Number.isFinite)) return NaN;
  let largest = 0;
  for (let n = 0; n < SAMPLES; n++) {
    const [token, row] = [(n * 37) % tokens, (n * 641) % rows];
    let sum = 0;
    for (let k = 0; k < columns; k++) sum += inputs.x[token * columns + k]! * weightAt(product, inputs, row, k);
    largest = Math.max(largest, Math.abs(y[token * rows + row]! - sum));
  }
  return largest;
}

/** Codes count from the middle; of 4 bits, the first of two lies in the lower half of its byte. */
function weightAt({ columns, bits }: PeerProduct, { codes, scales }: ProductInputs, row: number, k: number): number {
  const at = row * columns + k;
  const scale = scales[Math.floor(at / BLOCK)]!;
  if (bits === 8) return (codes[at]! - 128) * scale;
  return (((codes[at >> 1]! >> (4 * (at & 1))) & 15) - 8) * scale;
}
