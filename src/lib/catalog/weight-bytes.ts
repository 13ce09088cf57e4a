/** What weights take in a GPU's memory: not always what they take in their file. Compared with gpu/quant by a test. */
import type { TensorType } from '../../../gpu/formats/blocks';
import type { ModelConfig } from '../../../gpu/formats/model';
import type { QuantName } from '../../../gpu/formats/quantise';

/** Bytes of a weight, by the type of its tensor; types that are not here a GPU does not compute with. */
export const GPU_BYTES: Readonly<Partial<Record<TensorType, number>>> = {
  ...{ F32: 4, F16: 2, BF16: 2, Q8_0: 1.125, Q4_0: 0.625, Q4_1: 0.75, Q5_0: 0.75, Q5_1: 0.875 },
  ...{ Q2_K: 0.34375, Q3_K: 0.453125, Q4_K: 0.59375, Q5_K: 0.71875, Q6_K: 0.828125 },
  ...{ IQ4_NL: 0.625, IQ4_XS: 0.546875, IQ2_XXS: 0.421875 },
};

/** Of weights that are made smaller on their way to the GPU; embedding and head are kept in 8 bits. */
export const QUANT_BYTES: Readonly<Record<QuantName, number>> = { q8: 1.125, q4: 0.625 };

/** Up to this size nothing is gained by taking away more than 8 bits do. */
export const ROOMY = 1.3 * 2 ** 30;

/** The rule for weights of 16 and 32 bits, as for the publishers' own files (resolve.ts): small models in 8 bits. */
export function quantFor(config: ModelConfig): QuantName {
  return quantisedBytes(config, 'q8') <= ROOMY ? 'q8' : 'q4';
}

/** Bytes of all matrices of a model; the gains of its norms are nothing beside them. */
export function quantisedBytes(config: ModelConfig, quant: QuantName): number {
  const { layers, width, ffnWidth, headsQ, headsKv, headDim, vocab, tiedHead } = config;
  const attention = (2 * headsQ + 2 * headsKv) * headDim * width;
  const vocabulary = vocab * width * (tiedHead ? 1 : 2);
  return layers.length * (attention + 3 * ffnWidth * width) * QUANT_BYTES[quant] + vocabulary * QUANT_BYTES.q8;
}
