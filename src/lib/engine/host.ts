/**
 * The worker's side of the engine, without the worker: holds the model that is open, and does one thing at a time with
 * it. What opens models on the GPU and on the processor is handed in.
 */
import type { ChatModel } from './chat-model';
import { describe, EngineFault, isOfGpu } from './errors';
import type {
  AnswerEnd,
  Ask,
  ChatRequest,
  GenerateProgress,
  LoadedModel,
  LoadProgress,
  LoadRequest,
  MaskHook,
  ModelFigures,
  ModelProfile,
  ModelProgress,
  PathReason,
} from './protocol';

export interface LoadContext {
  readonly request: LoadRequest;
  readonly signal: AbortSignal;
  readonly progress: (value: LoadProgress) => void;
}

/** A model that was opened, and what there is to say of it. */
export interface Opened {
  readonly model: ChatModel;
  readonly facts: Pick<LoadedModel, 'name' | 'adapter' | 'threads' | 'bytes' | 'quantised'>;
  /** Times its dispatches, where it runs on the GPU: of a prompt of at most so many tokens, and of a token. */
  readonly profile?: (promptTokens: number) => Promise<ModelProfile>;
}

/** Where a model could run, and why there. */
export type Way =
  | { readonly path: 'cpu'; readonly reason: PathReason; readonly detail?: string }
  | { readonly path: 'gpu'; readonly reason: PathReason; open(context: LoadContext): Promise<Opened> };

export interface HostParts {
  /** Looks for a GPU, and decides. */
  choose(request: LoadRequest): Promise<Way>;
  openOnCpu(context: LoadContext): Promise<Opened>;
}

export class Host {
  readonly #parts: HostParts;
  #model: ChatModel | undefined;
  #profile: Opened['profile'];
  #loaded: LoadedModel | undefined;
  #loading = false;

  constructor(parts: HostParts) {
    this.#parts = parts;
  }

  /** The model that is open. */
  get model(): LoadedModel | undefined {
    return this.#loaded;
  }

  async load(request: LoadRequest, progress: (value: LoadProgress) => void, signal: AbortSignal): Promise<LoadedModel> {
    if (this.#loading) throw new EngineFault('busy', 'A model is being opened already. Wait for it, or stop it.');
    this.#loading = true;
    const start = performance.now();
    try {
      this.unload();
      progress({ phase: 'device' });
      const { way, opened } = await this.#open({ request, signal, progress });
      if (signal.aborted) opened.model.close();
      signal.throwIfAborted();
      this.#model = opened.model;
      this.#profile = opened.profile;
      const { toolFormat } = opened.model;
      this.#loaded = {
        ...opened.facts,
        path: way.path,
        reason: way.reason,
        ...('detail' in way && { detail: way.detail }),
        abilities: opened.model.abilities,
        ...(toolFormat && { toolFormat }),
        context: opened.model.context,
        loadMs: performance.now() - start,
      };
      return this.#loaded;
    } finally {
      this.#loading = false;
    }
  }

  /** @param mask asked before every token, where the request says so */
  async generate(
    { masked = false, ...request }: ChatRequest,
    progress: (value: GenerateProgress) => void,
    signal: AbortSignal,
    mask?: MaskHook,
  ): Promise<AnswerEnd> {
    const model = this.#opened;
    const { sampling, maxTokens, stop, logprobs, grammar } = request;
    const answer = model.answer(model.promptFor(request), {
      ...(sampling && { sampling }),
      ...(maxTokens !== undefined && { maxTokens }),
      ...(stop && { stop }),
      ...(logprobs !== undefined && { logprobs }),
      ...(grammar !== undefined && { grammar }),
      showControl: 'tools' in request && (request.tools?.length ?? 0) > 0,
      signal,
      ...(masked && mask && { mask }),
      onPrefill: (done, total) => progress({ type: 'prefill', done, total }),
    });
    let step = await answer.next();
    for (; !step.done; step = await answer.next()) {
      progress({ type: 'text', ...step.value });
    }
    return step.value;
  }

  /** Tokens of the prompt for this. */
  count(ask: Ask): number {
    return this.#opened.promptFor(ask).ids.length;
  }

  /** How fast the open model answers, and what takes the time where that can be told. */
  async measure(progress: (value: ModelProgress) => void): Promise<ModelFigures> {
    const model = this.#opened;
    const profile = this.#profile;
    // Seldom asked for, and then there is time to fetch it.
    const { timeAnswers } = await import('./bench/answers');
    const share = profile ? 0.5 : 1;
    progress({ step: 'answers', done: 0 });
    const answers = await timeAnswers(model, (done) => progress({ step: 'answers', done: done * share }));
    if (!profile) return { answers };
    progress({ step: 'operations', done: share, answers });
    return { answers, profile: await profile(answers.promptTokens) };
  }

  get #opened(): ChatModel {
    if (!this.#model) throw new EngineFault('no-model', 'No model is open. Open one first.');
    return this.#model;
  }

  unload(): void {
    this.#model?.close();
    this.#model = undefined;
    this.#profile = undefined;
    this.#loaded = undefined;
  }

  /** A GPU that fails is a reason to take the processor, unless it was the GPU that was asked for, or what it alone does. */
  async #open(context: LoadContext): Promise<{ way: Way; opened: Opened }> {
    const { request, signal } = context;
    const way = await this.#parts.choose(request);
    signal.throwIfAborted();
    if (way.path === 'cpu') {
      if (!isQuantAsked(request)) return { way, opened: await this.#parts.openOnCpu(context) };
      const message =
        'Weights are quantised on their way to a GPU, and here the processor computes. Leave «quant» out.';
      throw new EngineFault('cpu', message);
    }
    try {
      return { way, opened: await way.open(context) };
    } catch (error) {
      const needed = request.path === 'gpu' || isQuantAsked(request);
      if (needed || signal.aborted || !isOfGpu(error)) throw error;
      const instead: Way = { path: 'cpu', reason: 'gpu-failed', detail: describe(error).message };
      return { way: instead, opened: await this.#parts.openOnCpu(context) };
    }
  }
}

function isQuantAsked({ quant }: LoadRequest): boolean {
  return quant !== undefined && quant !== 'auto';
}
