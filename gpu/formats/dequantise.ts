/**
 * Numbers out of stored tensors, on the CPU: what files are checked with, and what shaders are checked against.
 *
 * A type joins as one entry of `DECODERS`: a function that turns one block into its elements.
 */
import { type TensorType, tensorTypeInfo } from './blocks';
import { bf16Value, f16Value } from './dtype';
import { decodeIq2Xxs, decodeIq4Nl, decodeIq4Xs } from './iq_blocks';
import { decodeQ2K, decodeQ3K, decodeQ4K, decodeQ5K, decodeQ6K } from './k_blocks';
import { decodeQ4_0, decodeQ4_1, decodeQ5_0, decodeQ5_1, decodeQ8_0 } from './plain_blocks';

/** Writes the elements of the block at `bytes[at]` to `out[to]` and on. */
export type BlockDecoder = (bytes: Uint8Array, at: number, out: Float32Array, to: number) => void;

const oneFloat = new Float32Array(1);
const itsBytes = new Uint8Array(oneFloat.buffer);

/** Byte by byte, since tensors may begin at any offset. Every platform that has WebGPU is little-endian. */
function decodeF32(bytes: Uint8Array, at: number, out: Float32Array, to: number): void {
  for (let i = 0; i < 4; i++) itsBytes[i] = bytes[at + i]!;
  out[to] = oneFloat[0]!;
}

function decodeF16(bytes: Uint8Array, at: number, out: Float32Array, to: number): void {
  out[to] = f16Value(bytes[at]! | (bytes[at + 1]! << 8));
}

function decodeBf16(bytes: Uint8Array, at: number, out: Float32Array, to: number): void {
  out[to] = bf16Value(bytes[at]! | (bytes[at + 1]! << 8));
}

const DECODERS: Partial<Record<TensorType, BlockDecoder>> = {
  F32: decodeF32,
  F16: decodeF16,
  BF16: decodeBf16,
  Q4_0: decodeQ4_0,
  Q4_1: decodeQ4_1,
  Q5_0: decodeQ5_0,
  Q5_1: decodeQ5_1,
  Q8_0: decodeQ8_0,
  Q2_K: decodeQ2K,
  Q3_K: decodeQ3K,
  Q4_K: decodeQ4K,
  Q5_K: decodeQ5K,
  Q6_K: decodeQ6K,
  IQ4_NL: decodeIq4Nl,
  IQ4_XS: decodeIq4Xs,
  IQ2_XXS: decodeIq2Xxs,
};

/** The types that can be computed with. */
export const DEQUANTISED = Object.keys(DECODERS) as readonly TensorType[];

export function canDequantise(type: TensorType): boolean {
  return type in DECODERS;
}

/**
 * The numbers in `bytes`, which hold whole blocks of `type`, as float32: exactly what the format says, rounded once.
 * They go into `out` where it is given (it may be longer), else into a new array.
 */
export function dequantise(type: TensorType, bytes: Uint8Array, out?: Float32Array): Float32Array {
  const decode = DECODERS[type];
  if (!decode) throw new TypeError(`Tensors of type ${type} cannot be dequantised.`);
  const { blockElements, blockBytes } = tensorTypeInfo(type);
  const blocks = bytes.length / blockBytes;
  if (!Number.isInteger(blocks)) {
    throw new RangeError(`${bytes.length} bytes are no whole number of ${type} blocks, which have ${blockBytes} each.`);
  }
  const target = out ?? new Float32Array(blocks * blockElements);
  if (target.length < blocks * blockElements) {
    throw new RangeError(`${blocks} blocks of ${type} need room for ${blocks * blockElements} elements.`);
  }
  for (let block = 0; block < blocks; block++) decode(bytes, block * blockBytes, target, block * blockElements);
  return target;
}
