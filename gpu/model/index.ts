/** A model on the GPU: configuration and weights in, logits out. */
export { cacheBytes, capacityFor, KvCache } from './cache';
export { forward, logitsOf } from './forward';
export type { Step } from './forward';
export { Model } from './model';
export type { Activations, KvKind, ModelOptions } from './model';
export { fileBytes } from './shape';
export type { TensorDescription } from './shape';
export { ModelWeights } from './weights';
export type { QuantisedTensor, WeightWriter } from './weights';
