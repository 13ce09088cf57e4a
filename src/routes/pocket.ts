/** The model that comes with the page, read while pages are prerendered. */
import { asset } from '$app/paths';
import type { ModelEntry } from '$lib/chat/models';

/** What pocket.json says of it (scripts/pocket.js). */
interface Pocket {
  readonly name: string;
  readonly file: string;
  readonly bytes: number;
}

export async function readPocket(fetch: typeof globalThis.fetch): Promise<ModelEntry> {
  const { name, file, bytes } = (await (await fetch(asset('/pocket/pocket.json'))).json()) as Pocket;
  return { url: asset(`/pocket/${file}`), name, bytes };
}
