/// <reference types="@sveltejs/kit" />
/// <reference no-default-lib="true"/>
/// <reference lib="esnext" />
/// <reference lib="webworker" />
/**
 * The app without a network: each version of it is kept whole in a cache of its own, fetched before it takes over, so
 * that pages of the old one go on working until they are reloaded. Weights from a hub are never here: they are the
 * store's.
 */
import { base, build, files, prerendered, version } from '$service-worker';
import { answerApi } from '$lib/pwa/api-door';
import { isolated } from '$lib/pwa/isolation';
import { keptFile } from '$lib/pwa/kept-file';
import { keptOnUse, precached } from '$lib/pwa/precache';
import { TAKE_OVER } from '$lib/pwa/messages';

const worker = globalThis as unknown as ServiceWorkerGlobalScope;

const PREFIX = 'fireside-app-';
const APP = `${PREFIX}${version}`;
/** Heavy files, which most new versions leave as they were. */
const KEPT = 'fireside-kept';

const wanted = precached({ build, files, prerendered });
const known = new Set(wanted);

worker.addEventListener('install', (event) => {
  event.waitUntil(caches.open(APP).then((cache) => cache.addAll(wanted)));
});

worker.addEventListener('activate', (event) => {
  event.waitUntil(takeOver());
});

worker.addEventListener('message', (event) => {
  if (event.data === TAKE_OVER) void worker.skipWaiting();
});

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (isApi(request, url)) {
    event.respondWith(answerApi(request, worker.clients, (until) => event.waitUntil(until)));
    return;
  }
  if (request.method !== 'GET' || url.origin !== worker.location.origin || !url.pathname.startsWith(`${base}/`)) return;
  event.respondWith(answer(request, url).then(isolated));
});

/** What clients ask in OpenAI's format; not what a person types into the address bar. */
function isApi({ mode }: Request, { origin, pathname }: URL): boolean {
  return mode !== 'navigate' && origin === worker.location.origin && pathname.startsWith(`${base}/v1/`);
}

/** Old versions go, and heavy files that no version has any more. */
async function takeOver(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== APP).map((name) => caches.delete(name)));
  const kept = await caches.open(KEPT);
  const own = new Set([...build, ...files]);
  for (const request of await kept.keys()) {
    if (!own.has(new URL(request.url).pathname)) await kept.delete(request);
  }
  await worker.clients.claim();
}

async function answer(request: Request, url: URL): Promise<Response> {
  if (keptOnUse(url.pathname)) return keptFile(await caches.open(KEPT), request);
  const path = request.mode === 'navigate' ? pageOf(url.pathname) : url.pathname;
  if (!known.has(path)) return fetch(request);
  const cache = await caches.open(APP);
  return (await cache.match(path)) ?? fetch(request);
}

/** A page by whichever of its addresses a server would know it. */
function pageOf(pathname: string): string {
  const bare = pathname.replace(/(\/index)?(\.html)?$/, '');
  const forms = [pathname, bare, `${bare}/`, `${bare}.html`, `${bare}/index.html`];
  return forms.find((form) => known.has(form)) ?? pathname;
}
