/** Which model to begin with on this device. */
import { CATALOG, type CatalogEntry } from './entries';
import type { QuantName } from '../../../gpu/formats/quantise';
import { type DeviceFacts, fit, type ModelFacts, type Verdict } from './fit';
import { QUANT_BYTES, ROOMY } from './weight-bytes';

export interface Recommendation {
  readonly entry: CatalogEntry;
  readonly verdict: Verdict;
}

/** Bytes of a weight as it will be: Q8_0 of small models, Q4_K_M of larger ones (resolve.ts), or safetensors. */
const BYTES_EACH = { small: 1.07, large: 0.61, half: 2 } as const;
const SMALL_UP_TO = 1.3;

/** Bytes of a first model: so many come within minutes on a common line. Larger ones are on the page of models. */
const FIRST_AT_MOST = 1.5e9;

/**
 * The best that runs well, of those that anybody may download, and soon; by sizes that follow from the number of parameters, since
 * a hub is not asked thirteen times to show a page. Undefined: none does.
 */
export function recommend(device: DeviceFacts, catalog: readonly CatalogEntry[] = CATALOG): Recommendation | undefined {
  return catalog
    .filter((entry) => !entry.gated && guess(entry).fileBytes <= FIRST_AT_MOST)
    .map((entry) => ({ entry, verdict: fit(guess(entry), device) }))
    .filter(({ verdict }) => verdict.runs === 'well')
    .sort((a, b) => b.entry.rank - a.entry.rank)[0];
}

/** Without asking anybody. */
export function guess({ parameters, shape, context, published }: CatalogEntry): ModelFacts {
  const facts = { shape: { ...shape, context } };
  if (published === 'safetensors') {
    const fileBytes = Math.round(parameters * 1e9 * BYTES_EACH.half);
    return { format: 'safetensors', fileBytes, ...quantised(fileBytes), ...facts };
  }
  const each = published === 'q8' || parameters <= SMALL_UP_TO ? BYTES_EACH.small : BYTES_EACH.large;
  const bytes = Math.round(parameters * 1e9 * each);
  return { format: 'gguf', fileBytes: bytes, weightBytes: bytes, ...facts };
}

/** What weights of 16 bits become on their way to the GPU, where nothing is known but their bytes. */
export function quantised(fileBytes: number): { readonly quant: QuantName; readonly weightBytes: number } {
  const weights = fileBytes / BYTES_EACH.half;
  const quant = weights * QUANT_BYTES.q8 <= ROOMY ? 'q8' : 'q4';
  return { quant, weightBytes: Math.round(weights * QUANT_BYTES[quant]) };
}
