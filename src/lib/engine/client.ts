/**
 * The page's end of the engine: typed calls to the worker that owns the GPU. The one file of this room, with
 * protocol.ts, that pages import; no WebGPU code comes along.
 */
import { EngineError } from './engine-error';
import type {
  AnswerEnd,
  AnswerSettings,
  Ask,
  Failure,
  GenerateProgress,
  GpuFigures,
  Inspection,
  InspectionStage,
  LoadedModel,
  LoadProgress,
  LoadRequest,
  MaskAnswer,
  MaskHook,
  MaskQuestion,
  MeasureProgress,
  Method,
  Methods,
  ModelFigures,
  ModelProgress,
  Reply,
  Request,
  Stop,
  Timings,
} from './protocol';

export { EngineError };
/** For pages that let a model call tools: finds the calls in what it says. */
export { ToolCallParser, type AnswerEvent } from './api/tool-calls';
export { TOOL_FORMATS } from './api/tool-formats';

/** The Web Lock of the tab whose engine has a model open: there is one on a device. */
export const ENGINE_LOCK = 'fireside-engine';

/** A call that is under way. */
interface Pending {
  readonly progress: (value: Methods[Method]['progress']) => void;
  readonly done: (value: Methods[Method]['result']) => void;
  readonly failed: (error: EngineError) => void;
  readonly mask: MaskHook | undefined;
}

interface Call<M extends Method> {
  readonly progress?: (value: Methods[M]['progress']) => void;
  readonly signal?: AbortSignal | undefined;
  readonly mask?: MaskHook | undefined;
}

/** `mask`: which tokens may come next, asked in the page before every token. What it throws ends the answer. */
export type ChatCall = Ask & Omit<AnswerSettings, 'masked'> & { readonly mask?: MaskHook };

const NO_TIME: Timings = { tokens: 0, prefill: { tokens: 0, reused: 0, ms: 0 }, decode: { tokens: 0, ms: 0 } };

export class Engine {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #model: LoadedModel | undefined;
  /** Over when all answers are that were asked for so far. */
  #answering: Promise<unknown> | undefined;

  constructor() {
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'fireside' });
    this.#worker.addEventListener('message', ({ data }: MessageEvent<Reply>) => this.#receive(data));
    this.#worker.addEventListener('error', (event) => {
      // A worker that cannot be loaded says nothing at all; one that broke says what in `message`.
      this.#failAll({
        code: 'worker',
        message: event.message || 'The part that talks to the GPU could not be loaded.',
      });
    });
  }

  /** The model that is open. */
  get model(): LoadedModel | undefined {
    return this.#model;
  }

  /** Opens the GPU, checks it, and tells what it is. */
  inspect(onProgress: (stage: InspectionStage) => void = () => {}): Promise<Inspection> {
    return this.#call('inspect', undefined, { progress: onProgress });
  }

  /** Measures what the GPU can do; figures come with `onProgress` as soon as they are there. */
  measureGpu(onProgress: (progress: MeasureProgress) => void = () => {}): Promise<GpuFigures> {
    return this.#call('measureGpu', undefined, { progress: onProgress });
  }

  /** Opens a model in place of the one that is open. Stopped by `signal`, it rejects with the code `aborted`. */
  async load(
    request: LoadRequest,
    onProgress: (progress: LoadProgress) => void = () => {},
    signal?: AbortSignal,
  ): Promise<LoadedModel> {
    this.#model = undefined;
    this.#model = await this.#call('load', request, { progress: onProgress, signal });
    return this.#model;
  }

  /**
   * Answers a conversation, piece by piece. Stopped by `signal`, it resolves with the reason `aborted`. One answer at a
   * time: others wait, the first to come first (the page's own, and those that clients ask for).
   */
  generate(
    request: ChatCall,
    onProgress: (progress: GenerateProgress) => void = () => {},
    signal?: AbortSignal,
  ): Promise<AnswerEnd> {
    const before = this.#answering;
    const call = before
      ? this.#generateAfter(before, request, onProgress, signal)
      : this.#generate(request, onProgress, signal);
    const over = Promise.allSettled([before, call]);
    this.#answering = over;
    void over.then(() => {
      if (this.#answering === over) this.#answering = undefined;
    });
    return call;
  }

  /** How many tokens the prompt for this has. */
  count(ask: Ask): Promise<number> {
    return this.#call('count', ask);
  }

  /** Measures how fast the open model answers, and where it runs on the GPU, what takes the time. */
  measureModel(onProgress: (progress: ModelProgress) => void = () => {}): Promise<ModelFigures> {
    return this.#call('measureModel', undefined, { progress: onProgress });
  }

  /** Closes the model and gives back its memory. */
  unload(): Promise<void> {
    this.#model = undefined;
    return this.#call('unload', undefined);
  }

  /** Ends the worker, and with it all that it holds on the GPU. Calls under way fail. */
  close(): void {
    this.#worker.terminate();
    this.#failAll({ code: 'worker', message: 'The engine was closed.' });
  }

  /** Whoever stops while they wait leaves at once. */
  async #generateAfter(
    before: Promise<unknown>,
    request: ChatCall,
    onProgress: (progress: GenerateProgress) => void,
    signal: AbortSignal | undefined,
  ): Promise<AnswerEnd> {
    await unlessAborted(before, signal);
    if (signal?.aborted) return { reason: 'aborted', timings: NO_TIME };
    return this.#generate(request, onProgress, signal);
  }

  #generate(
    { mask, ...request }: ChatCall,
    onProgress: (progress: GenerateProgress) => void,
    signal: AbortSignal | undefined,
  ): Promise<AnswerEnd> {
    const params = mask ? { ...request, masked: true } : request;
    return this.#call('generate', params, { progress: onProgress, signal, mask });
  }

  #call<M extends Method>(
    method: M,
    params: Methods[M]['params'],
    { progress = () => {}, signal, mask }: Call<M> = {},
  ): Promise<Methods[M]['result']> {
    const id = (this.#lastId += 1);
    const stop = (): void => this.#worker.postMessage({ stop: id } satisfies Stop);
    const call = new Promise<Methods[M]['result']>((done, failed) => {
      this.#pending.set(id, { progress, done, failed, mask });
      this.#worker.postMessage({ id, method, params } satisfies Request<M>);
    });
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop, { once: true });
    return call.finally(() => signal?.removeEventListener('abort', stop));
  }

  #receive(reply: Reply): void {
    const pending = this.#pending.get(reply.id);
    if (!pending) return;
    if (reply.type === 'mask') return void this.#answerMask(reply, pending);
    if (reply.type === 'progress') return pending.progress(reply.progress);
    this.#pending.delete(reply.id);
    if (reply.type === 'done') pending.done(reply.result);
    else pending.failed(new EngineError(reply.failure));
  }

  async #answerMask({ id, drawn }: MaskQuestion, { mask, failed }: Pending): Promise<void> {
    const answer = (said: Omit<MaskAnswer, 'maskFor'>): void =>
      this.#worker.postMessage({ maskFor: id, ...said } satisfies MaskAnswer);
    try {
      answer({ mask: await mask?.(drawn) });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#pending.delete(id);
      failed(new EngineError({ code: 'unknown', message }, { cause: error }));
      answer({ failed: message });
    }
  }

  #failAll(failure: Failure): void {
    for (const { failed } of this.#pending.values()) failed(new EngineError(failure));
    this.#pending.clear();
  }
}

/** Resolves with what is awaited, or earlier, when the signal is given. */
function unlessAborted(awaited: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((done) => {
    const leave = (): void => done();
    if (signal?.aborted) leave();
    signal?.addEventListener('abort', leave, { once: true });
    void awaited.then(() => {
      signal?.removeEventListener('abort', leave);
      done();
    });
  });
}
