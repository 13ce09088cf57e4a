/** The public face of the room. */
export { describeChoice, type DescribeOptions } from './describe';
export { CATALOG, type CatalogEntry } from './entries';
export {
  type DeviceFacts,
  fit,
  type FitReason,
  memoryAt,
  memoryBudget,
  type ModelFacts,
  type ModelShape,
  type Verdict,
} from './fit';
export { guess, recommend, type Recommendation } from './recommend';
export { bestOf, type OfferOf, resolveEntry } from './resolve';
export { quantFor, quantisedBytes } from './weight-bytes';
