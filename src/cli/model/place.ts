/** What `--model` names: a folder, a GGUF file, an address, or a model of a hub, which is downloaded and kept. */
import { parseAddress } from '$lib/store';
import { EngineFault } from '$lib/engine/errors';
import { diskPlace } from '$lib/engine/disk-place';
import type { ModelPlace } from '$lib/engine/open-model';
import { manifestPlace } from '$lib/engine/place';
import { urlPlace } from '$lib/engine/url-place';
import { type DownloadProgress, fetchModel, type StoreChoice } from './store';

export async function modelPlace(
  name: string,
  signal: AbortSignal,
  store: StoreChoice,
  onProgress: (progress: DownloadProgress) => void = () => {},
): Promise<ModelPlace> {
  const found = await diskPlace(name);
  if (found) return found;
  if (looksLikePath(name)) throw new EngineFault('files', `${name}: there is no such file or folder.`);
  const address = isAddress(name) && !isOnHub(name, store) ? undefined : parseAddress(name, { hub: store.hub });
  // A folder, or a file, that a server holds: it is read where it lies.
  if (!address || address.kind === 'url') return urlPlace(name, signal);
  const { manifest, depot } = await fetchModel(address, store, signal, onProgress);
  return manifestPlace(manifest, depot);
}

function isAddress(name: string): boolean {
  return /^https?:\/\//i.test(name);
}

function isOnHub(address: string, { hub }: StoreChoice): boolean {
  const { host } = new URL(address);
  return host === new URL(hub).host || /(^|\.)(huggingface\.co|hf\.co)$/.test(host);
}

/** `owner/name` is a path too; what has two parts and no ending is taken for a model's name. */
function looksLikePath(name: string): boolean {
  return /^([.~]?[\\/]|\.\.?[\\/]|[a-z]:[\\/])/i.test(name) || /^[^/]*\.(gguf|safetensors)$/i.test(name);
}
