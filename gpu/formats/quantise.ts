/** What weights may be quantised to while they go to the GPU, and how its cost is told. Pure data. */

/**
 * Blocks of 32 with a float32 scale each. `q8`: codes of -127 to 127, 1.125 bytes a weight. `q4`: codes of -8 to 7,
 * 0.625 bytes a weight; embedding and head, which cost an answer the most, become `q8`.
 */
export const QUANT_NAMES = ['q8', 'q4'] as const;
export type QuantName = (typeof QUANT_NAMES)[number];

/** How far a tensor's weights are off. */
export interface QuantisationError {
  /** Root of the mean squared error, by the root of the weights' own mean square. */
  readonly rms: number;
  /** The largest error, by the largest weight. */
  readonly max: number;
}
