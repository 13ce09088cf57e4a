/** One request to a server, and what its refusals mean. Nothing goes along that was not asked for: no cookies, no referrer. */
import { EngineError } from '../engine-error';
import { boundedText } from '../api/bounded-text';
import { isObject } from '../api/fields';
import type { Failure, RemoteErrorCode } from '../protocol';
import { hostOf } from './address';

export interface Server {
  /** As `serverAddress` gives it. */
  readonly server: string;
  readonly key?: string;
}

/** Bytes of an answer that is not streamed, and of an error's text that is looked at. */
const MOST_BYTES = 8 * 1024 * 1024;
const MOST_WORDS = 300;

/**
 * Rejects with an EngineError, or, stopped by `signal`, with its reason.
 *
 * @param body undefined: a GET
 */
export async function ask(
  { server, key }: Server,
  path: string,
  body: object | undefined,
  signal: AbortSignal,
): Promise<Response> {
  const host = hostOf(server);
  if (key !== undefined && !/^[\x21-\x7e]+$/.test(key)) {
    throw remoteError('remote-key', `The key for ${host} has letters or blanks in it that no key has. Copy it again.`);
  }
  const response = await fetch(server + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...(key !== undefined && { Authorization: `Bearer ${key}` }),
      // Of the page's own host: past the service worker, which would ask the page's own model (pwa/api-door.ts).
      ...(new URL(server).origin === globalThis.location?.origin && { 'X-Fireside-Host': '1' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal,
    credentials: 'omit',
    referrerPolicy: 'no-referrer',
    cache: 'no-store',
    // A server that sends us on to another one would send along what was meant for it.
    redirect: 'error',
  }).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw remoteError('remote-unreachable', unreachable(host), cause);
  });
  if (response.ok) return response;
  throw await refusal(response, host, signal);
}

/** The whole answer, as JSON. */
export async function readJson(response: Response, host: string, signal: AbortSignal): Promise<unknown> {
  const text = await readBody(response, host, signal);
  const value = text === undefined ? undefined : parsed(text);
  if (value !== undefined) return value;
  throw notTheFormat(host);
}

export function remoteError(code: RemoteErrorCode, message: string, cause?: unknown): EngineError {
  return new EngineError({ code, message }, { cause });
}

export function notTheFormat(host: string): EngineError {
  const message = `${host} answers, but not in OpenAI’s format. Is the address whole? It often ends with /v1.`;
  return remoteError('remote-format', message);
}

export function brokenOff(host: string, cause?: unknown): EngineError {
  return remoteError(
    'remote-cut',
    `The answer from ${host} broke off on the way. What came is kept; go on with it.`,
    cause,
  );
}

/** An error that a server tells in its own words: `{ error: { message } }`, `{ error: "..." }`, `{ detail: "..." }`. */
export function toldError(value: unknown): { readonly message: string; readonly code: string } | undefined {
  if (!isObject(value)) return undefined;
  const error = value.error ?? value.detail ?? (value.object === 'error' ? value : undefined);
  if (typeof error === 'string') return { message: shortened(error), code: '' };
  if (!isObject(error)) return undefined;
  const { message, code, type } = error;
  return { message: typeof message === 'string' ? shortened(message) : '', code: `${String(code)} ${String(type)}` };
}

/** What a status means, and what to do; `said` in the server's own words. */
export function failureOf(status: number, said: string, code: string, host: string): Failure {
  const words = said === '' ? '' : ` It says: «${said}»`;
  if (status < 500 && /context.{0,20}(?:length|size|window)|exceed_context/i.test(`${code} ${said}`)) {
    return { code: 'context', message: `The conversation is longer than the model at ${host} holds.${words}` };
  }
  if (status === 401 || status === 403) {
    return { code: 'remote-key', message: `${host} wants a key, or another one. Give it under Models.${words}` };
  }
  if (status === 404 && /model/i.test(`${code} ${said}`)) {
    return {
      code: 'remote-model',
      message: `${host} has no such model. Look again which it has, under Models.${words}`,
    };
  }
  if (status === 404 || status === 405) return notTheFormat(host);
  if (status === 429 || status === 503) {
    return { code: 'remote-busy', message: `${host} has too much to do now. Try again in a while.${words}` };
  }
  if (status < 500) return { code: 'remote-refused', message: `${host} refuses this.${words}` };
  return { code: 'remote-failed', message: `${host} failed (${status}). Look at its own log.${words}` };
}

async function refusal(response: Response, host: string, signal: AbortSignal): Promise<EngineError> {
  const value = parsed((await readBody(response, host, signal)) ?? '');
  const { message = '', code = '' } = toldError(value) ?? {};
  return new EngineError(failureOf(response.status, message, code, host));
}

async function readBody(response: Response, host: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    return await boundedText(response.body, MOST_BYTES);
  } catch (error) {
    signal.throwIfAborted();
    throw brokenOff(host, error);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > MOST_WORDS ? `${line.slice(0, MOST_WORDS)}…` : line;
}

/** A page is not told which of the two it is. */
function unreachable(host: string): string {
  const { origin } = globalThis.location ?? {};
  const from = origin === undefined ? '' : ` from pages of ${origin}`;
  return (
    `${host} cannot be asked. Either nothing answers there: is it running, is the address right? Or it does not allow ` +
    `questions${from}: «fireside serve» and vLLM have an option for that (--allow-origin, --allowed-origins), ` +
    `Ollama a variable (OLLAMA_ORIGINS).`
  );
}
