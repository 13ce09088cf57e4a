/** What every file of weights turns into, whatever its format. */
import type { TensorType } from '../../../gpu/formats/blocks';
import type { Metadata } from './metadata';
import type { ByteSource } from './source';

export type WeightsFormat = 'gguf' | 'safetensors';

export interface TensorEntry {
  readonly name: string;
  readonly type: TensorType;
  /** Outermost dimension first, so that the last one is contiguous: a linear layer is [outputs, inputs]. */
  readonly shape: readonly number[];
  /** Which of the weights' `files` holds it: 0 but for shards. */
  readonly file: number;
  /** Of the first byte, from the start of that file. */
  readonly offset: number;
  readonly byteLength: number;
}

export interface WeightsFile {
  readonly format: WeightsFormat;
  /** One, or the shards in order. */
  readonly files: readonly ByteSource[];
  /** What the header says about the model: of GGUF everything, of safetensors little (see config.json). */
  readonly metadata: Metadata;
  /** In the order of the header. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
}
