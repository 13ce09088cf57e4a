/** Numbers that are none: a NaN or an infinity among weights or scales makes every answer nonsense. */
import { blockMapOf } from './block_maps';
import { tensorTypeInfo } from './blocks';
import type { TensorType } from './blocks';

/**
 * The first place in `bytes`, which hold whole blocks of `type`, where a number or a block's scale is infinite or NaN:
 * its byte. Undefined where all are finite. Throws a TypeError for types that cannot be computed with.
 */
export function firstNotFinite(type: TensorType, bytes: Uint8Array): number | undefined {
  if (type === 'F32') return scan(aligned(bytes, 4, Uint32Array), 0x7f800000);
  if (type === 'F16') return scan(aligned(bytes, 2, Uint16Array), 0x7c00);
  if (type === 'BF16') return scan(aligned(bytes, 2, Uint16Array), 0x7f80);
  const map = blockMapOf(type);
  if (!map) throw new TypeError(`Tensors of type ${type} cannot be computed with.`);
  const { blockBytes } = tensorTypeInfo(type);
  for (let block = 0; block < bytes.length; block += blockBytes) {
    // The upper byte of a binary16 holds its exponent: all ones for what is no finite number.
    for (const { at } of map.heads) if ((bytes[block + at + 1]! & 0x7c) === 0x7c) return block + at;
  }
  return undefined;
}

function scan(words: Uint16Array | Uint32Array, exponent: number): number | undefined {
  for (let i = 0; i < words.length; i++) if ((words[i]! & exponent) === exponent) return i * words.BYTES_PER_ELEMENT;
  return undefined;
}

type WordArray = Uint16Array | Uint32Array;

/** The bytes as words; copied where they begin at an odd place. */
function aligned<T extends WordArray>(
  bytes: Uint8Array,
  size: number,
  Words: new (buffer: ArrayBufferLike, offset: number, length: number) => T,
): T {
  const { buffer, byteOffset, length } = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return new Words(buffer, byteOffset, length / size);
}
