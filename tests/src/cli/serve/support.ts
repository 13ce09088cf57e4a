/** The server over an engine that says what the test tells it, and requests that no `fetch` would send. */
import { request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { createHandler, type ApiEngine, type HandlerOptions } from '$lib/engine/handle';
import { serveApi, type ServeOptions, type Serving } from '../../../../src/cli/serve/server';
import { ScriptedEngine } from '../../lib/engine/api/scripted';

export type { Serving };

export interface Served extends Serving {
  readonly engine: ScriptedEngine;
}

type Options = Partial<ServeOptions> & Pick<HandlerOptions, 'mostWaiting' | 'mostBytes'>;

export async function serveScripted(options: Options = {}): Promise<Served> {
  const engine = new ScriptedEngine();
  return { ...(await serveEngine(engine, options)), engine };
}

export function serveEngine(engine: ApiEngine, options: Options = {}): Promise<Serving> {
  const { mostWaiting = 64, mostBytes = 10_000, ...others } = options;
  return serveApi({
    handle: createHandler({ engine, mostWaiting, mostBytes }),
    host: '127.0.0.1',
    port: 0,
    app: undefined,
    timeout: 60_000,
    hosts: [],
    origins: [],
    token: undefined,
    open: false,
    ...others,
  });
}

export interface Told {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

export interface Sent {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

export function send(
  port: number,
  { path = '/v1/models', method = 'GET', headers = {}, body = '', signal }: Sent = {},
): Promise<Told> {
  return new Promise((done, failed) => {
    const options = { port, host: '127.0.0.1', path, method, headers, agent: false, ...(signal && { signal }) };
    const sent = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part));
      response.on('error', failed);
      response.on('end', () => done({ status: response.statusCode ?? 0, body: text, headers: response.headers }));
    });
    sent.on('error', failed);
    sent.end(body);
  });
}

export function chat(port: number, fields: object = {}, sent: Sent = {}): Promise<Told> {
  return send(port, {
    path: '/v1/chat/completions',
    method: 'POST',
    body: JSON.stringify({ model: 'scripted', messages: [{ role: 'user', content: 'Hi' }], ...fields }),
    ...sent,
    headers: { 'Content-Type': 'application/json', ...sent.headers },
  });
}

export function codeOf({ status, body }: Told): [number, string] {
  return [status, (JSON.parse(body) as { error: { code: string } }).error.code];
}
