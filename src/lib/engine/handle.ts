/**
 * One handler for every client: OpenAI's wire format over an engine, as a web-standard function from a Request to a
 * Response. A page calls it as `fetch`, a service worker answers with it, and `fireside serve` puts it behind a socket.
 *
 * What is asked for is done, or refused by the field's name: no field is ignored. Knows no GPU: an engine is handed in.
 */
import type { ApiEngine, Asker } from './api/answers';
import { readJsonBody } from './api/body';
import { chatChunks, chatCompletion } from './api/chat-answer';
import { readChatCompletion } from './api/chat-request';
import { completionChunks, textCompletion } from './api/completion-answer';
import { readTextCompletion } from './api/completion-request';
import { ApiError, fromFailure, invalid, unavailable } from './api/errors';
import { earlyJson } from './api/early-json';
import { eventStream } from './api/event-stream';
import { isObject } from './api/fields';
import { Queue } from './api/queue';
import { EngineError } from './engine-error';
import { SchemaError } from './grammar';
import type { LoadedModel } from './protocol';

export type { ApiEngine } from './api/answers';
export { ApiError } from './api/errors';

export interface HandlerOptions {
  readonly engine: ApiEngine;
  /** Requests that may wait for their turn; more are refused with 429. Default 64. */
  readonly mostWaiting?: number;
  /** Bytes of a request's body. Default 4 MiB. */
  readonly mostBytes?: number;
  /** What every path begins with. Default `/v1`. */
  readonly base?: string;
  /**
   * Answers that are not streamed begin, too, when it is certain that there will be one; what goes wrong later breaks
   * them off. For a service worker, which is told only of answers that have begun that nobody waits for them any more.
   * Default false: whole, or an error with its status.
   */
  readonly early?: boolean;
}

export type Handler = (request: Request) => Promise<Response>;

/** Never rejects: every error is a response in OpenAI's shape. */
export function createHandler(options: HandlerOptions): Handler {
  const { engine, mostWaiting = 64, mostBytes = 4 * 1024 * 1024, base = '/v1', early = false } = options;
  const queue = new Queue(mostWaiting);
  const since = Math.floor(Date.now() / 1000);

  const answerOf = async (request: Request, route: Answering): Promise<Response> => {
    const value = await readJsonBody(request, mostBytes);
    const model = openModel(engine);
    const leaving = new AbortController();
    const signal = AbortSignal.any([request.signal, leaving.signal]);
    const answering = route(value, model, { engine, queue, signal });
    requireModel(value, model);
    queue.requirePlace();
    if (!answering.stream && early) return earlyJson(answering.whole, () => leaving.abort());
    if (!answering.stream) return Response.json(await answering.whole(() => {}));
    return eventStream(answering.chunks(), toApiError, () => leaving.abort());
  };

  const respond = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    const path = pathname.startsWith(`${base}/`) ? pathname.slice(base.length) : undefined;
    const route = path === undefined ? undefined : ROUTES[path];
    if (route) {
      requireMethod(request, 'POST');
      return answerOf(request, route);
    }
    if (path !== '/models' && !path?.startsWith('/models/')) {
      throw new ApiError(`There is nothing at ${pathname}.`, { status: 404, code: 'not_found' });
    }
    requireMethod(request, 'GET');
    return Response.json(modelsAt(path, engine.model, since));
  };

  return async (request) => {
    try {
      return await respond(request);
    } catch (error) {
      return toApiError(error).toResponse();
    }
  };
}

// ---- routes ----------------------------------------------------------------------------------------------------

interface Answer {
  readonly stream: boolean;
  readonly chunks: () => AsyncGenerator<object, void, undefined>;
  /** @param started is called when it is certain that there will be an answer */
  readonly whole: (started: () => void) => Promise<object>;
}

/** Checks the body; nothing is computed yet. */
type Answering = (value: unknown, model: LoadedModel, asker: Asker) => Answer;

const ROUTES: Readonly<Record<string, Answering>> = Object.assign(Object.create(null) as object, {
  '/chat/completions': ((value, model, asker) => {
    const chat = readChatCompletion(value, model);
    return {
      stream: chat.stream,
      chunks: () => chatChunks(asker, chat),
      whole: (started) => chatCompletion(asker, chat, started),
    };
  }) satisfies Answering,
  '/completions': ((value, model, asker) => {
    const asked = readTextCompletion(value, model);
    return {
      stream: asked.stream,
      chunks: () => completionChunks(asker, asked),
      whole: (started) => textCompletion(asker, asked, started),
    };
  }) satisfies Answering,
});

function modelsAt(path: string, model: LoadedModel | undefined, created: number): object {
  const told = model && {
    id: model.name,
    object: 'model',
    created,
    owned_by: 'fireside',
    context_length: model.context,
  };
  if (path === '/models') return { object: 'list', data: told ? [told] : [] };
  const asked = decodeName(path.slice('/models/'.length));
  if (told?.id === asked) return told;
  throw noSuchModel(asked, model);
}

function decodeName(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function openModel({ model }: ApiEngine): LoadedModel {
  if (model) return model;
  throw unavailable('No model is open.', 'no_model');
}

function requireModel(value: unknown, open: LoadedModel): void {
  const asked = isObject(value) ? value.model : undefined;
  if (asked !== open.name) throw noSuchModel(String(asked), open);
}

function noSuchModel(asked: string, open: LoadedModel | undefined): ApiError {
  const there = open ? `The model that is open is «${open.name}».` : 'No model is open.';
  return new ApiError(`There is no model «${asked}». ${there}`, {
    status: 404,
    param: 'model',
    code: 'model_not_found',
  });
}

function requireMethod({ method }: Request, allowed: 'GET' | 'POST'): void {
  if (method === allowed) return;
  const details = { status: 405, code: 'method_not_allowed', headers: { Allow: allowed } };
  throw new ApiError(`${method} is not for this address; ${allowed} is.`, details);
}

function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof EngineError) return fromFailure(error);
  if (error instanceof SchemaError) return invalid(error.path, error.problem, 'unsupported_schema');
  if (error instanceof Error && error.name === 'TimeoutError') {
    return new ApiError('The answer took longer than is allowed here.', { status: 504, code: 'timeout' });
  }
  // Nobody reads this: whoever asked is gone.
  if (error instanceof Error && error.name === 'AbortError')
    return new ApiError('The request was stopped.', { status: 499 });
  const message = error instanceof Error ? error.message : String(error);
  return new ApiError(`Something went wrong here: ${message}`, { status: 500, code: 'internal' });
}
