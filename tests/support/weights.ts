/** Weights as files hold them, at random, and the numbers they stand for. */
import { setHeads } from '../../gpu/formats/block_maps';
import { tensorTypeInfo, type TensorType } from '../../gpu/formats/blocks';
import { dequantise } from '../../gpu/formats/dequantise';
import { bf16Bits, f16Bits } from '../../gpu/formats/dtype';
import type { Gpu } from '../../gpu/device';
import { Matrix, MatrixWriter, requireLayout } from '../../gpu/quant';
import { random } from './gpu';

export interface RandomWeights {
  readonly type: TensorType;
  readonly rows: number;
  readonly columns: number;
  readonly bytes: Uint8Array;
  /** `[rows, columns]`, what the bytes stand for. */
  readonly values: Float32Array;
}

/** Numbers of about 1 / sqrt(columns), so that products are of about 1. */
export function randomWeights(type: TensorType, rows: number, columns: number, seed: number): RandomWeights {
  const next = random(seed);
  const bytes = bytesOf(type, rows * columns, 1 / Math.sqrt(columns), next);
  return { type, rows, columns, bytes, values: dequantise(type, bytes) };
}

function bytesOf(type: TensorType, elements: number, size: number, next: () => number): Uint8Array {
  const number = (): number => (next() * 2 - 1) * 1.7 * size;
  if (type === 'F32') return new Uint8Array(Float32Array.from({ length: elements }, number).buffer);
  if (type === 'F16') return new Uint8Array(Uint16Array.from({ length: elements }, () => f16Bits(number())).buffer);
  if (type === 'BF16') return new Uint8Array(Uint16Array.from({ length: elements }, () => bf16Bits(number())).buffer);
  return blocksOf(type, elements, size, next);
}

/** Every byte at random is a valid code; the scales, in binary16, are set so that the numbers get their size. */
function blocksOf(type: TensorType, elements: number, size: number, next: () => number): Uint8Array {
  const { blockElements, blockBytes } = tensorTypeInfo(type);
  const bytes = Uint8Array.from({ length: (elements / blockElements) * blockBytes }, () => next() * 256);
  setHeads(type, bytes, () => 1);
  const unit = Math.hypot(...dequantise(type, bytes.subarray(0, blockBytes * Math.min(8, bytes.length / blockBytes))));
  const rms = unit / Math.sqrt(Math.min(8 * blockElements, elements));
  setHeads(type, bytes, () => ((0.5 + next()) * size * (next() < 0.5 ? -1 : 1)) / rms);
  return bytes;
}

/** A matrix on the GPU of one or more tensors, one below the other, written in pieces of odd lengths. */
export function matrixOf(gpu: Gpu, ...tensors: readonly RandomWeights[]): Matrix {
  const { columns } = tensors[0]!;
  const sections = tensors.map((tensor) => ({ layout: requireLayout(tensor.type, 'weights'), rows: tensor.rows }));
  const matrix = new Matrix(gpu, columns, sections);
  let firstRow = 0;
  for (const { type, rows: count, bytes } of tensors) {
    const writer = new MatrixWriter(gpu, matrix, type, firstRow, count);
    const ends = [7, Math.floor(bytes.length / 3), Math.floor(bytes.length / 2) + 1, bytes.length];
    let done = 0;
    for (const end of ends) {
      writer.push(bytes.subarray(done, end));
      done = end;
    }
    writer.finish();
    firstRow += count;
  }
  return matrix;
}
