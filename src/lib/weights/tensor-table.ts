/** The checks that every table of tensors must pass, whatever format it comes from. */
import { byteLengthOf, type TensorType, tensorTypeInfo } from '../../../gpu/formats/blocks';
import { FormatError } from './errors';
import type { TensorEntry } from './types';

/** Bytes of a tensor of this type and shape, outermost dimension first. */
export function tensorBytes(file: string, name: string, type: TensorType, shape: readonly number[]): number {
  const { blockElements } = tensorTypeInfo(type);
  const row = shape.at(-1) ?? 1;
  if (row % blockElements !== 0) {
    const message = `rows of ${row} elements cannot be ${type}, whose blocks have ${blockElements}.`;
    throw new FormatError(file, 'malformed', name, message);
  }
  // Each partial product must stay countable, lest a zero at the end hide what overflowed before it.
  let elements = 1;
  for (const size of shape) {
    elements *= size;
    if (!Number.isSafeInteger(elements)) {
      throw new FormatError(file, 'malformed', name, `the shape [${shape.join(', ')}] has more elements than can be.`);
    }
  }
  const bytes = byteLengthOf(type, elements);
  if (bytes === undefined) {
    throw new FormatError(file, 'malformed', name, `the shape [${shape.join(', ')}] of ${type} has no size.`);
  }
  return bytes;
}

/** Refuses tensors that reach outside the file's data, or into each other. */
export function checkLayout(file: string, tensors: Iterable<TensorEntry>, dataStart: number, fileSize: number): void {
  const inOrder = [...tensors].sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  let before: TensorEntry | undefined;
  for (const tensor of inOrder) {
    const end = tensor.offset + tensor.byteLength;
    if (!Number.isSafeInteger(end) || tensor.offset < dataStart) {
      throw new FormatError(file, 'malformed', tensor.name, `its offset ${tensor.offset} lies outside the data.`);
    }
    if (end > fileSize) {
      const message = `its bytes ${tensor.offset} to ${end} end after the file, which has ${fileSize}. Download it again.`;
      throw new FormatError(file, 'truncated', tensor.name, message);
    }
    if (before && tensor.offset < before.offset + before.byteLength) {
      throw new FormatError(file, 'overlap', tensor.name, `shares bytes with the tensor ${before.name}.`);
    }
    before = tensor;
  }
}
