/**
 * Fireside in somebody else's page: a model in a worker, and OpenAI's wire format to talk to it. `fireside.fetch` is for
 * every client that takes a `fetch`; nothing that goes through it leaves the page.
 */
import { Engine } from './client';
import { createHandler, type HandlerOptions } from './handle';
import type { LoadedModel, LoadOptions, LoadProgress, LoadRequest } from './protocol';

export { ApiError, createHandler, type ApiEngine, type Handler, type HandlerOptions } from './handle';
export { EngineError } from './engine-error';
export type { AnswerEnd, AnswerSettings, Ask, GenerateProgress, LoadProgress, LoadedModel } from './protocol';

export interface FiresideOptions extends LoadOptions, Omit<HandlerOptions, 'engine' | 'base'> {
  /**
   * Address of a GGUF file, or of a folder with safetensors, config.json and tokenizer.json: whole, or from the page's
   * own; under Node a path too.
   */
  readonly model: string;
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Ends the opening. */
  readonly signal?: AbortSignal;
}

export interface Fireside {
  /** What was opened, and where it runs. */
  readonly model: LoadedModel;
  /** As the global one, for any host: `http://fireside/v1/chat/completions`. Nothing goes over a network. */
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
  /** Ends what is under way, and gives back the memory. */
  close(): void;
}

/** What a page's engine and Node's have in common. */
export interface LoadingEngine extends Pick<Engine, 'model' | 'generate' | 'close'> {
  load(request: LoadRequest, onProgress?: (progress: LoadProgress) => void, signal?: AbortSignal): Promise<LoadedModel>;
}

/** Opens the model; rejects with an EngineError where that fails. */
export function createFireside(options: FiresideOptions): Promise<Fireside> {
  // In the worker, which is asked for it, an address would be beside the worker's.
  const base = globalThis.location?.href;
  const model = URL.canParse(options.model, base) ? new URL(options.model, base).href : options.model;
  return openFireside(new Engine(), { ...options, model });
}

export async function openFireside(engine: LoadingEngine, options: FiresideOptions): Promise<Fireside> {
  const { model: url, onProgress, signal, mostWaiting, mostBytes, ...request } = options;
  try {
    const model = await engine.load({ ...request, url }, onProgress, signal);
    const handle = createHandler({
      engine,
      ...(mostWaiting !== undefined && { mostWaiting }),
      ...(mostBytes !== undefined && { mostBytes }),
    });
    const fetch: Fireside['fetch'] = async (input, init) => {
      const asked = new Request(input, init);
      const response = await handle(asked);
      asked.signal.throwIfAborted();
      return response;
    };
    return { model, fetch, close: () => engine.close() };
  } catch (error) {
    engine.close();
    throw error;
  }
}
