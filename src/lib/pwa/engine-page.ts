/** A page's side of the service worker's door (api-door.ts): says whether it has a model open, and answers with it. */
import type { ApiEngine, Handler } from '$lib/engine/handle';
import {
  type EngineFound,
  FIND_ENGINE,
  type PassedHead,
  type PassedPiece,
  type PassedRequest,
  type PassedWish,
} from './messages';

let engine: ApiEngine | undefined;
let handler: Promise<Handler> | undefined;

/** From now on this engine answers what comes through the service worker; undefined: none does. */
export function offerEngine(offered: ApiEngine | undefined): void {
  engine = offered;
  handler = undefined;
}

/**
 * Listens to the service worker; returns what ends that.
 *
 * @param base of the handler's paths: `/app/v1`
 */
export function answerServiceWorker(base: string, container = globalThis.navigator?.serviceWorker): () => void {
  const listen = ({ data, ports: [port] }: MessageEvent): void => {
    if (data !== FIND_ENGINE || !port) return;
    port.postMessage({ has: engine !== undefined } satisfies EngineFound);
    // Asked by nobody after all, the port is let go.
    const offered = engine;
    if (offered)
      port.onmessage = ({ data: asked }: MessageEvent<PassedRequest>) =>
        void answer(asked, port, handlerFor(offered, base));
  };
  // Where there are no service workers, nobody asks.
  container?.addEventListener('message', listen);
  return () => container?.removeEventListener('message', listen);
}

async function answer(
  { url, method, headers, body }: PassedRequest,
  port: MessagePort,
  handling: Promise<Handler>,
): Promise<void> {
  const stop = new AbortController();
  port.onmessage = ({ data }: MessageEvent<PassedWish>) => void (data === 'enough' && stop.abort());
  const request = new Request(url, {
    method,
    headers: headers.map(([name, value]): [string, string] => [name, value]),
    body,
    signal: stop.signal,
  });
  const response = await handling.then((handle) => handle(request)).catch(failed);
  const reader = response.body?.getReader();
  port.onmessage = ({ data }: MessageEvent<PassedWish>) => {
    if (data === 'enough') void reader?.cancel();
    else void passPiece(reader, port);
  };
  if (stop.signal.aborted) void reader?.cancel();
  port.postMessage({ status: response.status, headers: [...response.headers] } satisfies PassedHead);
}

/** The handler itself could not be fetched: what it answers is never a rejection. */
function failed(error: unknown): Response {
  const message = error instanceof Error ? error.message : String(error);
  return Response.json({ error: { message, type: 'server_error', param: null, code: 'internal' } }, { status: 500 });
}

async function passPiece(
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined,
  port: MessagePort,
): Promise<void> {
  const say = (piece: PassedPiece): void => port.postMessage(piece);
  try {
    const step = await reader?.read();
    if (!step || step.done) say({ end: true });
    else say({ piece: step.value });
  } catch (error) {
    say({ broken: error instanceof Error ? error.message : String(error) });
  }
}

/** It is large, and most pages are never asked. */
function handlerFor(offered: ApiEngine, base: string): Promise<Handler> {
  return (handler ??= import('$lib/engine/handle').then(({ createHandler }) =>
    createHandler({ engine: offered, base, early: true }),
  ));
}
