import { asset } from '$app/paths';
import type { ModelEntry } from '$lib/chat/models';
import type { PageLoad } from './$types';

/** What pocket.json says of the model that comes with the page (scripts/pocket.js). Read while the page is prerendered. */
interface Pocket {
  readonly name: string;
  readonly file: string;
  readonly bytes: number;
}

export const load: PageLoad = async ({ fetch }) => {
  const { name, file, bytes } = (await (await fetch(asset('/pocket/pocket.json'))).json()) as Pocket;
  const pocket: ModelEntry = { url: asset(`/pocket/${file}`), name, bytes };
  return { models: [pocket] };
};
