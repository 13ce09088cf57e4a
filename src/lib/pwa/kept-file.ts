/**
 * Heavy files of the app, kept from their first use on: the pocket model, programs for the processor. A page may ask for
 * parts of them; the first time the whole file is fetched once, and parts are answered as soon as their bytes are here.
 */
import { byteRange } from './precache';

/** Files that are coming, by address: whoever asks in the meantime waits for the same one. */
const coming = new Map<string, Promise<Response>>();

/** Answers from `cache`, which is filled where it does not have the file. Rejects where the file cannot be had. */
export async function keptFile(cache: Cache, request: Request): Promise<Response> {
  const whole = (await cache.match(request.url)) ?? (await fetchOnce(cache, request.url));
  return rangeOf(whole, request.headers.get('range'));
}

async function fetchOnce(cache: Cache, url: string): Promise<Response> {
  const under = coming.get(url) ?? fetchAndKeep(cache, url).finally(() => coming.delete(url));
  coming.set(url, under);
  return (await under).clone();
}

async function fetchAndKeep(cache: Cache, url: string): Promise<Response> {
  const response = await fetch(url);
  // Nothing that is not the whole file may be kept as one.
  if (response.status !== 200) return response;
  try {
    await cache.put(url, response.clone());
  } catch {
    // A full disk: the file serves this once.
    return response;
  }
  return (await cache.match(url)) ?? response;
}

async function rangeOf(whole: Response, header: string | null): Promise<Response> {
  if (header === null || whole.status !== 200) return whole;
  const body = await whole.blob();
  const range = byteRange(header, body.size);
  if (range === undefined) return new Response(body, { headers: whole.headers });
  const headers = new Headers(whole.headers);
  if (range === 'outside') {
    headers.set('Content-Range', `bytes */${body.size}`);
    return new Response(null, { status: 416, headers });
  }
  const { first, last } = range;
  headers.set('Content-Range', `bytes ${first}-${last}/${body.size}`);
  headers.set('Content-Length', String(last + 1 - first));
  return new Response(body.slice(first, last + 1), { status: 206, headers });
}
