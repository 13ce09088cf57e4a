/** Every operation of a model but attention. One operation a file pair. */
export { embed, embedSpec } from './embed';
export { normSpec, rmsNorm } from './norm';
export { FEW_TOKENS, isGated, kernelMode, product, productSpecs, takesIntegers } from './product';
export type { NormInput, ProductMode, ProductOptions, ProductTraits } from './product';
export { ropeAppend, ropeAppendSpec } from './rope_append';
export type { QueryKeyBlocks, RopeAppendCall } from './rope_append';
export { rotaryAngles, rotaryFrequencies } from './rotary';
export type { FactorLists } from './rotary';
export { verifyProducts } from './selftest';
export { productWay, productWays, setProductWay, wayName } from './ways';
export type { ProductWay } from './ways';
export type { ProductKind } from './selftest';
