/** Numbers that are none: a NaN or an infinity among weights or scales makes every answer nonsense. */
import { blockMapOf } from './block_maps';
import { tensorTypeInfo } from './blocks';
import type { TensorType } from './blocks';

/**
 * The first place in `bytes`, which hold whole blocks of `type`, where a number or a block's scale is infinite or NaN:
 * its byte. Undefined where all are finite. Throws a TypeError for types that cannot be computed with.
 */
export function firstNotFinite(type: TensorType, bytes: Uint8Array): number | undefined {
  const exponents = EXPONENTS[type];
  if (exponents !== undefined) return firstFull(bytes, exponents, tensorTypeInfo(type).blockBytes);
  const map = blockMapOf(type);
  if (!map) throw new TypeError(`Tensors of type ${type} cannot be computed with.`);
  const { blockBytes } = tensorTypeInfo(type);
  for (let block = 0; block < bytes.length; block += blockBytes) {
    // The upper byte of a binary16 holds its exponent: all ones for what is no finite number.
    for (const { at } of map.heads) if ((bytes[block + at + 1]! & 0x7c) === 0x7c) return block + at;
  }
  return undefined;
}

/** Plain types: where the exponents of the one or two numbers of a 32-bit word are. All ones: no finite number. */
const EXPONENTS: Partial<Record<TensorType, number>> = { F32: 0x7f800000, F16: 0x7c007c00, BF16: 0x7f807f80 };

function firstFull(bytes: Uint8Array, exponents: number, size: number): number | undefined {
  const words = wordsOf(bytes);
  // One added to an exponent of ones carries into its number's sign bit, which the mask has cleared.
  const ones = exponents & ~(exponents << 1);
  const signs = (exponents << 1) & ~exponents;
  let seen = 0;
  // Without a branch: gigabytes come through here.
  for (let i = 0; i < words.length; i++) seen |= (words[i]! & exponents) + ones;
  if ((seen & signs) === 0) return undefined;
  const word = words.findIndex((value) => (((value & exponents) + ones) & signs) !== 0);
  const low = ((words[word]! & exponents) + ones) & signs & 0xffff;
  return word * 4 + (size === 2 && low === 0 ? 2 : 0);
}

/** The bytes as words, zeros behind; copied where they begin at an odd place or end inside a word. */
function wordsOf(bytes: Uint8Array): Int32Array {
  const { buffer, byteOffset, length } = bytes;
  if (byteOffset % 4 === 0 && length % 4 === 0) return new Int32Array(buffer, byteOffset, length / 4);
  const words = new Int32Array(Math.ceil(length / 4));
  new Uint8Array(words.buffer).set(bytes);
  return words;
}
