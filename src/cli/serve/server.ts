/** The handler behind a socket, and the app beside it: what is Node's here, and nothing of OpenAI's format. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import type { ReadableStream as NodeStream } from 'node:stream/web';
import { ApiError, type Handler } from '$lib/engine/handle';
import { ISOLATION, sendFile } from '../../../scripts/serve.js';
import { Gate, type GateOptions } from './gate';

export interface ServeOptions extends GateOptions {
  readonly handle: Handler;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** The built app; undefined where there is none. */
  readonly app: string | undefined;
  /** Milliseconds that an answer may take, waiting included. */
  readonly timeout: number;
  /** Milliseconds for a request's headers, and for all of it. */
  readonly patience?: { readonly headers: number; readonly whole: number };
}

/** Whoever sends a byte a second is not waited for. */
const PATIENCE = { headers: 10_000, whole: 30_000 };
/** Sockets at once; more are closed as they come. */
const MOST_CONNECTIONS = 1024;
/** Milliseconds for whoever still reads an answer when the server closes. */
const GRACE = 2000;

export interface Serving {
  readonly server: Server;
  /** Where it listens. */
  readonly port: number;
  /** Ends what is under way, and resolves when the last socket is closed. */
  readonly close: () => Promise<void>;
}

/** Resolves once it listens. */
export async function serveApi(options: ServeOptions): Promise<Serving> {
  const running = new Map<ServerResponse, AbortController>();
  const gate = new Gate(options);
  const { headers, whole } = options.patience ?? PATIENCE;
  const limits = {
    headersTimeout: headers,
    requestTimeout: whole,
    connectionsCheckingInterval: Math.min(1000, headers),
  };
  const server = createServer(limits, (request, response) => {
    const stop = stopFor(response, options.timeout);
    running.set(response, stop);
    response.once('close', () => running.delete(response));
    void respond(request, response, gate, options, stop.signal);
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const address = server.address();
  const close = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    const reason = new ApiError('This server is closing.', { status: 503, code: 'closing' });
    const ended = [...running.keys()].map((response) => once(response, 'close'));
    for (const stop of running.values()) stop.abort(reason);
    await Promise.race([Promise.all(ended), setTimeout(GRACE, undefined, { ref: false })]);
    // Those that are kept alive, and those that never asked anything, would hold it open for seconds.
    server.closeAllConnections();
    await closed;
  };
  return { server, port: typeof address === 'object' && address ? address.port : options.port, close };
}

/** Aborts where whoever asked is gone, and where it takes too long. Neither signal nor timer outlives the answer. */
function stopFor(response: ServerResponse, timeout: number): AbortController {
  const stop = new AbortController();
  const timer = globalThis.setTimeout(() => stop.abort(new DOMException('It took too long.', 'TimeoutError')), timeout);
  response.once('close', () => {
    clearTimeout(timer);
    stop.abort();
  });
  return stop;
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  gate: Gate,
  { handle, app }: ServeOptions,
  signal: AbortSignal,
): Promise<void> {
  let headers: Record<string, string> = {};
  try {
    gate.requireHost(request);
    const isApi = /^\/v1(?:\/|$|\?)/.test(request.url ?? '');
    if (!isApi && app !== undefined) {
      for (const [name, value] of Object.entries(ISOLATION)) response.setHeader(name, value);
      return await sendFile(app, '', request, response);
    }
    headers = gate.crossOrigin(request);
    if (request.method === 'OPTIONS' && request.headers.origin !== undefined) {
      return void response.writeHead(204, headers).end();
    }
    gate.requireToken(request);
    await send(response, await handle(webRequest(request, signal)), headers);
  } catch (error) {
    if (response.headersSent) return void response.destroy();
    const told =
      error instanceof ApiError ? error : new ApiError('This is no request.', { status: 400, code: 'invalid_request' });
    await send(response, told.toResponse(), headers);
  }
}

function webRequest(request: IncomingMessage, signal: AbortSignal): Request {
  const { method = 'GET' } = request;
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  const hasBody = method !== 'GET' && method !== 'HEAD';
  const body = hasBody ? (Readable.toWeb(request) as unknown as ReadableStream) : null;
  const init: RequestInit & { duplex: 'half' } = { method, headers, body, signal, duplex: 'half' };
  return new Request(`http://localhost${request.url ?? '/'}`, init);
}

/** Waits for whoever reads slowly; their place is given back when they have read, or are gone. */
async function send(response: ServerResponse, answer: Response, headers: Record<string, string>): Promise<void> {
  const unread = answer.status >= 400 ? { Connection: 'close' } : {};
  response.writeHead(answer.status, {
    ...Object.fromEntries(answer.headers),
    'X-Content-Type-Options': 'nosniff',
    ...headers,
    ...unread,
  });
  if (!answer.body) return void response.end();
  const reader = Readable.fromWeb(answer.body as NodeStream<Uint8Array>);
  response.once('close', () => reader.destroy());
  try {
    for await (const part of reader as AsyncIterable<Uint8Array>) {
      if (response.destroyed) return;
      if (!response.write(part)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
    }
    response.end();
  } catch {
    response.destroy();
  }
}
