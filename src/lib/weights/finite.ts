/** Refuses numbers that are none, as they come: one NaN among the weights makes every answer nonsense. */
import { type TensorType, tensorTypeInfo } from '../../../gpu/formats/blocks';
import { firstNotFinite } from '../../../gpu/formats/finite';
import { FormatError } from './errors';
import type { TensorEntry } from './types';

/**
 * Throws a FormatError where a number of the tensor, or a scale, is infinite or NaN.
 *
 * @param file the name of the file that holds it
 * @param bytes whole blocks of the tensor, from `byteOffset` on
 */
export function requireFinite(
  file: string,
  { name, type }: Pick<TensorEntry, 'name' | 'type'>,
  byteOffset: number,
  bytes: Uint8Array,
): void {
  const at = firstNotFinite(type, bytes);
  if (at === undefined) return;
  const message = `${placeOf(type, byteOffset + at)} is infinite or no number. Download the file again, or take another.`;
  throw new FormatError(file, 'malformed', name, message);
}

function placeOf(type: TensorType, byte: number): string {
  const { blockElements, blockBytes } = tensorTypeInfo(type);
  const block = Math.floor(byte / blockBytes);
  return blockElements === 1 ? `element ${block}` : `the scale of block ${block}`;
}
