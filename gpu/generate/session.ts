/**
 * One conversation with a model: ids in, ids out. It knows no text.
 *
 * The KV cache stays between calls: what a new sequence shares with it from the start is not computed again. While
 * tokens are drawn, several steps are on their way to the GPU at once, each fed by the one before without the host; ids
 * come back behind them. A step that turns out to be one too many leaves nothing that counts.
 */
import { ArgumentError, GpuError } from '../device';
import type { Gpu, Plan, Tensor } from '../device';
import { forward, logitsOf } from '../model';
import type { KvCache, Model } from '../model';
import { Sampler } from './sampler';
import type { Sampling } from './sampling';
import { MAX_TOP } from './shape';
import { createState, drawnTokens, readState, STATE, writeState } from './state';
import { createLogprobs, drawnLogprobs, readTop, topTokens } from './top';
import type { TopTokens } from './top';

export interface GenerateOptions {
  readonly sampling?: Sampling;
  /** Default: as many as the context holds. */
  readonly maxTokens?: number;
  /** Tokens that end the generation; they are not given out. */
  readonly endIds?: ReadonlySet<number>;
  /** Ends the generation within a token, and prefill within a chunk. */
  readonly signal?: AbortSignal;
  /** How many of the likeliest tokens to tell of with each token, by log-probability; 0: its own alone. */
  readonly logprobs?: number;
  /** Tokens of the prompt that are in the cache, and all of them. */
  readonly onPrefill?: (done: number, total: number) => void;
}

export interface GeneratedToken {
  readonly id: number;
  /** Natural logarithm of its probability before penalties and temperature, where `logprobs` was given. */
  readonly logprob?: number;
  readonly top?: TopTokens;
}

export interface GenerationEnd {
  readonly reason: 'end' | 'length' | 'context' | 'aborted';
  /** `reused`: tokens of the prompt that were in the cache already. Milliseconds end with the first token. */
  readonly prefill: { readonly tokens: number; readonly reused: number; readonly ms: number };
  readonly decode: { readonly tokens: number; readonly ms: number };
}

/** Steps on their way to the GPU at once: enough to hide the way back, few enough to stop at once. */
const IN_FLIGHT = 4;
/** Tokens of a prompt computed at once, where a GPU computes them and where a processor stands in for one. */
const CHUNK = 512;
const CHUNK_ON_SOFTWARE = 64;
/** Bytes of logits that score keeps at once. */
const SCORE_BYTES = 32 * 1024 * 1024;
const SCORE_ROWS = 32;

export class Session {
  readonly #model: Model;
  readonly #gpu: Gpu;
  readonly #cache: KvCache;
  readonly #state: Tensor;
  readonly #logprobs: Tensor;
  readonly #sampler: Sampler;
  /** By whether log-probabilities are told; forgotten when the cache moves. */
  readonly #plans = new Map<boolean, Plan>();
  /** What the cache holds. */
  #tokens: readonly number[] = [];
  #busy = false;

  constructor(model: Model) {
    this.#model = model;
    this.#gpu = model.gpu;
    this.#cache = model.createCache();
    this.#state = createState(model.gpu);
    this.#logprobs = createLogprobs(model.gpu);
    this.#sampler = new Sampler(model.gpu, model.config.vocab);
  }

  /** Tokens in the KV cache. */
  get length(): number {
    return this.#tokens.length;
  }

  /** Dispatches of one decoded token. */
  get dispatchesPerToken(): number {
    return this.#plan(false).dispatchCount;
  }

  /** Compiles what remains and records the decode plan, so that the first token does not wait for it. */
  async ready(): Promise<void> {
    await this.#gpu.preparePipelines(Sampler.specs(this.#gpu));
    this.#plan(false);
  }

  /** The decode step as it is replayed: for the profiler. It runs at whatever position the last request left. */
  decodePlan(): Plan {
    return this.#plan(false);
  }

  /**
   * Goes on with `ids`, the whole sequence so far. Leaving the loop early ends the generation. Throws ArgumentError
   * before anything runs, and a GpuError where logits were no numbers.
   */
  async *generate(
    ids: readonly number[],
    options: GenerateOptions = {},
  ): AsyncGenerator<GeneratedToken, GenerationEnd, undefined> {
    this.#checkIds(ids);
    const { sampling, logprobs = 0 } = options;
    this.#begin();
    try {
      this.#sampler.begin({ ...(sampling && { sampling }), prompt: ids, top: logprobs });
      return yield* this.#run(ids, options);
    } finally {
      this.#busy = false;
    }
  }

  /** For every position of `ids`, the `top` likeliest next tokens with their log-probabilities, likeliest first. */
  async *score(
    ids: readonly number[],
    { top = 10, signal }: { top?: number; signal?: AbortSignal } = {},
  ): AsyncGenerator<TopTokens, void, undefined> {
    this.#checkIds(ids);
    if (!Number.isInteger(top) || top < 1 || top > MAX_TOP)
      throw new ArgumentError('top', String(top), `a whole number from 1 to ${MAX_TOP}`);
    this.#begin();
    const { vocab } = this.#model.config;
    const rows = Math.max(1, Math.min(SCORE_ROWS, Math.floor(SCORE_BYTES / (vocab * 4))));
    try {
      this.#tokens = [];
      this.#reserve(ids.length);
      for (let at = 0; at < ids.length; at += rows) {
        signal?.throwIfAborted();
        yield* await this.#scoreRows(ids, at, Math.min(rows, ids.length - at), top);
      }
    } finally {
      this.#busy = false;
    }
  }

  destroy(): void {
    this.#forgetPlans();
    this.#cache.destroy();
    this.#sampler.destroy();
    this.#state.destroy();
    this.#logprobs.destroy();
  }

  // ---- one request ---------------------------------------------------------------------------------------------

  async *#run(
    ids: readonly number[],
    options: GenerateOptions,
  ): AsyncGenerator<GeneratedToken, GenerationEnd, undefined> {
    const { maxTokens = Infinity, endIds, signal, logprobs } = options;
    const room = this.#model.context - ids.length;
    const most = Math.min(maxTokens, room);
    const reused = Math.min(commonLength(this.#tokens, ids), ids.length - 1);
    const started = performance.now();
    let first = started;
    const drawn: number[] = [];
    const end = (reason: GenerationEnd['reason']): GenerationEnd => ({
      reason,
      prefill: { tokens: ids.length - reused, reused, ms: first - started },
      decode: { tokens: Math.max(0, drawn.length - 1), ms: performance.now() - first },
    });

    if (most <= 0) return end(room <= 0 ? 'context' : 'length');
    if (!(await this.#prefill(ids, reused, options))) return end('aborted');
    const flight = new Flight(() => this.#download(logprobs !== undefined));
    flight.add();
    try {
      while (drawn.length < most) {
        while (flight.size < IN_FLIGHT && drawn.length + flight.size < most) {
          this.#step(ids.length + drawn.length + flight.size, logprobs !== undefined);
          flight.add();
        }
        const { state, probabilities } = await flight.next();
        requireDrawn(state);
        if (drawn.length === 0) first = performance.now();
        if (signal?.aborted) return end('aborted');
        const [id] = drawnTokens(state, drawn.length) as [number];
        drawn.push(id);
        if (endIds?.has(id)) return end('end');
        yield { id, ...(probabilities && drawnLogprobs(probabilities, drawn.length - 1, logprobs ?? 0)) };
      }
      return end(most === room ? 'context' : 'length');
    } finally {
      // The last token drawn may not have been computed itself; those before it have.
      this.#tokens = [...ids, ...drawn.slice(0, -1)];
      flight.abandon();
    }
  }

  /** Brings the prompt into the cache and draws the first token; false where that was aborted. */
  async #prefill(ids: readonly number[], reused: number, { signal, onPrefill, logprobs }: GenerateOptions) {
    const gpu = this.#gpu;
    this.#tokens = ids.slice(0, reused);
    this.#reserve(ids.length);
    const chunk = gpu.info.isFallback ? CHUNK_ON_SOFTWARE : CHUNK;
    for (let at = reused; at < ids.length; at += chunk) {
      if (signal?.aborted) return false;
      const tokens = Math.min(chunk, ids.length - at);
      const last = at + tokens === ids.length;
      gpu.scoped(() => {
        const x = this.#forward(ids, at, tokens);
        if (!last) return;
        writeState(gpu, this.#state, { position: ids.length - 1 });
        this.#sample(logitsOf(gpu, this.#model, x, tokens - 1), logprobs !== undefined);
      });
      // The first token is waited for by whoever reads it.
      if (!last) await gpu.idle();
      this.#tokens = ids.slice(0, at + tokens);
      onPrefill?.(at + tokens, ids.length);
    }
    return true;
  }

  /** Records the layers for `tokens` ids from place `at` on; a scratch of the caller's scope. */
  #forward(ids: readonly number[], at: number, tokens: number): Tensor {
    const gpu = this.#gpu;
    const part = gpu.scratch([tokens], 'i32');
    gpu.write(part, Int32Array.from(ids.slice(at, at + tokens)));
    writeState(gpu, this.#state, { position: at });
    return forward(gpu, this.#model, { ids: part, first: 0, tokens, state: this.#state, cache: this.#cache });
  }

  #sample(logits: Tensor, tell: boolean): void {
    const step = { logits: logits.view([logits.size]), state: this.#state };
    this.#sampler.record(tell ? { ...step, logprobs: this.#logprobs } : step);
  }

  /** Runs the step that computes the token at `position - 1` and draws the next. */
  #step(position: number, tell: boolean): void {
    this.#reserve(position);
    this.#plan(tell).run();
  }

  async #download(tell: boolean): Promise<Drawn> {
    const gpu = this.#gpu;
    const [state, probabilities] = await Promise.all([
      gpu.downloadInts(this.#state),
      tell ? gpu.downloadInts(this.#logprobs) : undefined,
    ]);
    return { state, probabilities };
  }

  async #scoreRows(ids: readonly number[], at: number, tokens: number, top: number): Promise<TopTokens[]> {
    const gpu = this.#gpu;
    const best = gpu.scoped(() => {
      const x = this.#forward(ids, at, tokens);
      return topTokens(gpu, logitsOf(gpu, this.#model, x, 0, tokens), top);
    });
    this.#tokens = ids.slice(0, at + tokens);
    const words = await gpu.downloadInts(best);
    best.destroy();
    const rows = readTop(words, top);
    if (rows.some((row) => row.length === 0)) throw notNumbers();
    return rows;
  }

  // ---- plans and memory ----------------------------------------------------------------------------------------

  #plan(tell: boolean): Plan {
    const known = this.#plans.get(tell);
    if (known) return known;
    const gpu = this.#gpu;
    const plan = gpu.record(() =>
      gpu.scoped(() => {
        const [state, cache] = [this.#state, this.#cache];
        const x = forward(gpu, this.#model, { ids: state, first: STATE.token, tokens: 1, state, cache });
        this.#sample(logitsOf(gpu, this.#model, x, 0), tell);
      }),
    );
    this.#plans.set(tell, plan);
    return plan;
  }

  #reserve(positions: number): void {
    if (this.#cache.reserve(positions)) this.#forgetPlans();
  }

  #forgetPlans(): void {
    for (const plan of this.#plans.values()) plan.destroy();
    this.#plans.clear();
  }

  // ---- checks --------------------------------------------------------------------------------------------------

  #begin(): void {
    if (this.#busy) throw new ArgumentError('session', 'a call while another one runs', 'one at a time');
    this.#busy = true;
  }

  #checkIds(ids: readonly number[]): void {
    const { vocab } = this.#model.config;
    if (ids.length === 0) throw new ArgumentError('ids', 'none', 'at least one token');
    const wrong = ids.find((id) => !(Number.isInteger(id) && id >= 0 && id < vocab));
    if (wrong !== undefined) throw new ArgumentError('ids', String(wrong), `whole numbers from 0 to ${vocab - 1}`);
    const { context } = this.#model;
    if (ids.length > context)
      throw new ArgumentError('ids', `${ids.length} tokens`, `at most the context's ${context}`);
  }
}

interface Drawn {
  readonly state: Int32Array | Uint32Array;
  readonly probabilities: Int32Array | Uint32Array | undefined;
}

/** Downloads that are under way, oldest first. */
class Flight {
  readonly #pending: Promise<Drawn>[] = [];

  constructor(private readonly download: () => Promise<Drawn>) {}

  get size(): number {
    return this.#pending.length;
  }

  add(): void {
    this.#pending.push(this.download());
  }

  next(): Promise<Drawn> {
    return this.#pending.shift()!;
  }

  /** Nobody waits for the rest: a device that is lost now is told of by the next call. */
  abandon(): void {
    for (const download of this.#pending) download.catch(() => undefined);
  }
}

function requireDrawn(words: Int32Array | Uint32Array): void {
  if (readState(words).failure) throw notNumbers();
}

function notNumbers(): GpuError {
  return new GpuError(
    'self-test',
    'The model computed something that is not a number. Its file may be damaged, or this GPU computes wrongly: check the file, update the graphics driver, or use the CPU.',
  );
}

function commonLength(a: readonly number[], b: readonly number[]): number {
  const most = Math.min(a.length, b.length);
  for (let at = 0; at < most; at++) if (a[at] !== b[at]) return at;
  return most;
}
