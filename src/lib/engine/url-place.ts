/** A model's files at an address. */
import { blobSource, type ByteSource, openUrl, SourceError } from '$lib/weights';
import type { ModelFolder, ModelPlace } from './open-model';

/** @param address of a GGUF file, or of a folder */
export async function urlPlace(address: string, signal?: AbortSignal): Promise<ModelPlace> {
  const url = new URL(address);
  if (/\.(gguf|safetensors)$/i.test(url.pathname)) {
    return { file: await openAddress(url, signal), beside: urlFolder(new URL('.', url), url.search) };
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return { folder: urlFolder(url) };
}

/** @param search what follows the «?» of every address, such as a token */
function urlFolder(base: URL, search = ''): ModelFolder {
  return {
    name: base.href,
    async open(file, signal) {
      try {
        return await openAddress(Object.assign(new URL(file, base), { search }), signal);
      } catch (error) {
        if (error instanceof SourceError && error.status === 404) return undefined;
        throw error;
      }
    },
  };
}

/** By ranges; as a whole from a server that knows none, if that is our own, where nobody pays for it. */
async function openAddress(url: URL, signal?: AbortSignal): Promise<ByteSource> {
  try {
    return await openUrl(url, signal ? { signal } : {});
  } catch (error) {
    const ours = 'location' in globalThis && url.origin === globalThis.location.origin;
    if (!ours || !(error instanceof SourceError) || error.problem !== 'no-range') throw error;
    const response = await fetch(url, signal ? { signal } : {});
    return blobSource(await response.blob(), url.href);
  }
}
