/** The model that comes with the app. */
import { asset } from '$app/paths';
import type { ModelEntry } from './models';

/** What pocket.json says of it (scripts/pocket.js). */
interface Pocket {
  readonly name: string;
  readonly file: string;
  readonly bytes: number;
}

/** Read while a page is prerendered. */
export async function readPocket(read: typeof fetch): Promise<ModelEntry> {
  const { name, file, bytes } = (await (await read(asset('/pocket/pocket.json'))).json()) as Pocket;
  return { url: asset(`/pocket/${file}`), name, bytes };
}
