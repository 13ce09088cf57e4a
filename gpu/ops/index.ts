/** Every operation of a model but attention. One operation a file pair. */
export { embed, embedSpec } from './embed';
export { normSpec, rmsNorm } from './norm';
export { FEW_TOKENS, product, productSpecs } from './product';
export type { NormInput, ProductMode, ProductOptions } from './product';
export { ropeAppend, ropeAppendSpec, rotaryAngles } from './rope_append';
export type { RopeAppendCall } from './rope_append';
export { verifyProducts } from './selftest';
export type { ProductKind } from './selftest';
