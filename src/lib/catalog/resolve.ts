/**
 * From a catalog entry to files, at this moment: the publisher's GGUF if there is one, else the safetensors, which are
 * made smaller while they stream to the GPU. What is gone or gated says so, through the store's errors.
 */
import { type Choice, type ModelAddress, type Offer, StoreError } from '$lib/store';
import type { CatalogEntry } from './entries';
import { ROOMY } from './weight-bytes';

/** `ModelStore.offer`, or a page's way to it. */
export type OfferOf = (address: ModelAddress, signal?: AbortSignal) => Promise<Offer>;

export async function resolveEntry(entry: CatalogEntry, offerOf: OfferOf, signal?: AbortSignal): Promise<Choice> {
  for (const repo of ggufRepos(entry)) {
    try {
      const { choices } = await offerOf({ kind: 'hub', repo }, signal);
      const found = bestOf(choices.filter(({ format }) => format === 'gguf'));
      if (found) return found;
    } catch (error) {
      // Most publishers have none.
      if (!(error instanceof StoreError) || error.problem !== 'not-found') throw error;
    }
  }
  const { choices } = await offerOf({ kind: 'hub', repo: entry.repo }, signal);
  const found = bestOf(choices);
  if (found) return found;
  throw new StoreError('not-found', `${entry.repo} has nothing that can be run here (any more). Choose another model.`);
}

/** The publisher's own repositories with GGUF files, as they may be called. */
export function ggufRepos({ repo, ggufRepo }: CatalogEntry): string[] {
  return ggufRepo === undefined ? [`${repo}-GGUF`] : [ggufRepo, `${repo}-GGUF`];
}

const FINE = ['Q8_0', 'Q6_K', 'Q5_K_M', 'Q4_K_M', 'Q4_0', 'F16', 'BF16'];
const SMALL = ['Q4_K_M', 'Q5_K_M', 'Q4_0', 'Q6_K', 'Q8_0', 'F16', 'BF16'];

/** Q8_0 of a small model, Q4_K_M of a larger one; what comes closest where there is neither; GGUF before safetensors. */
export function bestOf(choices: readonly Choice[]): Choice | undefined {
  const eight = choices.find(({ quantization }) => quantization === 'Q8_0');
  const order = eight && eight.bytes <= ROOMY ? FINE : SMALL;
  const known = order.map((name) => choices.find(({ quantization }) => quantization === name));
  const gguf = choices.find(({ format }) => format === 'gguf');
  return known.find((choice) => choice !== undefined) ?? gguf ?? choices[0];
}
