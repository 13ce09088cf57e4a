/**
 * A model on a server that speaks OpenAI's wire format (vLLM, TGI, llama.cpp, Ollama, `fireside serve`), with the calls
 * that the page's own engine has: whoever talks to one can talk to the other. It runs in the page; there is no worker.
 *
 * What is asked here leaves this device. Nobody may open one that the person has not added, knowing that.
 */
import { EngineError } from './engine-error';
import type {
  AnswerEnd,
  AnswerSettings,
  Ask,
  EndReason,
  GenerateProgress,
  LoadedModel,
  LoadProgress,
  RemoteModelAt,
  Timings,
} from './protocol';
import { hostOf } from './remote/address';
import { ask, remoteError, type Server } from './remote/ask';
import { deltasOf, type RemoteUsage } from './remote/deltas';
import { Estimate } from './remote/estimate';
import { listModels, type RemoteModel } from './remote/models';
import { requestBody } from './remote/request';
import { Writer } from './remote/writer';

export { hostOf, serverAddress } from './remote/address';
export type { Server } from './remote/ask';
export { listModels, type RemoteModel } from './remote/models';

/** Where a server does not tell: the least that one may have without being set up (Ollama). */
const ASSUMED_CONTEXT = 4096;

interface Open {
  readonly server: Server;
  readonly remote: RemoteModel;
  readonly loaded: LoadedModel;
  readonly estimate: Estimate;
}

export class RemoteEngine {
  #open: Open | undefined;
  /** Ends what is under way. */
  #closing = new AbortController();

  /** The model that is open. */
  get model(): LoadedModel | undefined {
    return this.#open?.loaded;
  }

  /** Asks the server whether it has the model. Rejects with an EngineError, stopped by `signal` with the code `aborted`. */
  async load(
    request: RemoteModelAt & { readonly key?: string },
    onProgress: (progress: LoadProgress) => void = () => {},
    signal?: AbortSignal,
  ): Promise<LoadedModel> {
    const start = performance.now();
    const { server: address, model: id, key } = request;
    const server: Server = { server: address, ...(key !== undefined && { key }) };
    this.unload();
    onProgress({ phase: 'server' });
    const models = await this.#unlessEnded(signal, (either) => listModels(server, either));
    const remote = models.find((one) => one.id === id);
    const host = hostOf(address);
    if (!remote) {
      const names = models.slice(0, 8).map((one) => `«${one.id}»`);
      const there = names.length > 0 ? `It has ${names.join(', ')}.` : 'It has none now.';
      throw remoteError('remote-model', `${host} has no model «${id}». ${there}`);
    }
    const { context } = remote;
    const loaded: LoadedModel = {
      name: id,
      path: 'server',
      reason: 'server',
      server: { host, contextAssumed: context === undefined },
      abilities: { mask: false, logprobs: false, penaltiesCount: 'answer' },
      toolFormat: 'hermes',
      context: context ?? ASSUMED_CONTEXT,
      bytes: 0,
      loadMs: performance.now() - start,
    };
    this.#open = { server, remote, loaded, estimate: new Estimate() };
    return loaded;
  }

  /** Answers a conversation, piece by piece. Stopped by `signal`, it resolves with the reason `aborted`. */
  async generate(
    request: Ask & AnswerSettings,
    onProgress: (progress: GenerateProgress) => void = () => {},
    signal?: AbortSignal,
  ): Promise<AnswerEnd> {
    const open = this.#opened;
    const { server, remote, loaded, estimate } = open;
    const { host } = loaded.server!;
    const clock = new Clock();
    const writer = new Writer();
    const tell = (text: string): void => {
      if (text !== '') onProgress({ type: 'text', text, tokens: [] });
    };
    let reason: EndReason = 'end';
    const either = this.#either(signal);
    try {
      const response = await ask(server, '/chat/completions', requestBody(request, remote), either);
      for await (const delta of deltasOf(response, host, either)) {
        const text = writer.push(delta);
        clock.note(text, delta.usage);
        tell(text);
        if (delta.finish !== undefined) reason = reasonOf(delta.finish, host);
      }
    } catch (error) {
      if (!signal?.aborted) throw this.#told(error);
      reason = 'aborted';
    } finally {
      tell(writer.finish());
    }
    const timings = clock.timings(estimate.of(request));
    if (clock.usage) estimate.learn(request, clock.usage.prompt);
    return { reason, timings };
  }

  /** How many tokens the prompt for this has: an estimate, on the safe side, better after the first answer. */
  async count(request: Ask): Promise<number> {
    return this.#opened.estimate.of(request);
  }

  /** Forgets the model. */
  unload(): void {
    this.#open = undefined;
  }

  /** Ends what is under way; calls fail. */
  close(): void {
    this.#closing.abort();
    this.#closing = new AbortController();
    this.unload();
  }

  get #opened(): Open {
    if (this.#open) return this.#open;
    throw new EngineError({ code: 'no-model', message: 'No model is open. Open one first.' });
  }

  #either(signal: AbortSignal | undefined): AbortSignal {
    return signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal;
  }

  async #unlessEnded<T>(signal: AbortSignal | undefined, call: (either: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await call(this.#either(signal));
    } catch (error) {
      throw this.#told(error);
    }
  }

  #told(error: unknown): unknown {
    const stopped = error instanceof Error && error.name === 'AbortError';
    return stopped ? new EngineError({ code: 'aborted', message: 'It was stopped.' }, { cause: error }) : error;
  }
}

function reasonOf(finish: string, host: string): EndReason {
  if (finish === 'length') return 'length';
  if (finish !== 'content_filter') return 'end';
  throw remoteError('remote-refused', `A filter at ${host} ended the answer.`);
}

/** When the first and the last words came, as seen from here: the way to the server and back is in it. */
class Clock {
  readonly #start = performance.now();
  #first: number | undefined;
  #last = this.#start;
  /** Pieces with text, which with most servers are tokens. */
  #pieces = 0;
  usage: RemoteUsage | undefined;

  note(text: string, usage: RemoteUsage | undefined): void {
    this.usage = usage ?? this.usage;
    if (text === '') return;
    this.#last = performance.now();
    this.#first ??= this.#last;
    this.#pieces += 1;
  }

  /** @param prompt its tokens, where the server does not tell */
  timings(prompt: number): Timings {
    const { answer = this.#pieces, cached = 0, prompt: told = prompt } = this.usage ?? {};
    const firstMs = this.#first === undefined ? undefined : this.#first - this.#start;
    return {
      tokens: answer,
      ...(firstMs !== undefined && { firstTokenMs: firstMs }),
      prefill: { tokens: Math.max(0, told - cached), reused: cached, ms: firstMs ?? 0 },
      decode: { tokens: Math.max(0, answer - 1), ms: this.#last - (this.#first ?? this.#last) },
    };
  }
}
