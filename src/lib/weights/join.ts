/** Several files that are one model: shards of safetensors, parts of a split GGUF. */
import { FormatError } from './errors';
import type { TensorEntry, WeightsFile } from './types';

/** The parts as one: their tensors together, each knowing its file, and the first part's metadata. */
export function joinWeights(parts: readonly WeightsFile[]): WeightsFile {
  const [first] = parts;
  if (!first) throw new RangeError('joinWeights needs one file at least.');
  const files = parts.flatMap((part) => part.files);
  const tensors = new Map<string, TensorEntry>();
  let filesBefore = 0;
  for (const part of parts) {
    for (const tensor of part.tensors.values()) {
      const file = filesBefore + tensor.file;
      if (tensors.has(tensor.name)) {
        throw new FormatError(files[file]!.name, 'duplicate', tensor.name, 'another part has the tensor too.');
      }
      tensors.set(tensor.name, { ...tensor, file });
    }
    filesBefore += part.files.length;
  }
  return { format: first.format, files, metadata: first.metadata, tensors };
}
