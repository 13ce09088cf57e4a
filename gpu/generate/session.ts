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
import { NothingAllowedError, notNumbers } from './errors';
import { ABORTED, Flight, unlessAborted } from './flight';
import type { GeneratedToken, GenerateOptions, GenerationEnd } from './options';
import { Pace } from './pace';
import { Sampler, samplerKind } from './sampler';
import type { SamplerKind } from './sampler';
import { checkSampling } from './sampling';
import { MAX_TOP } from './shape';
import { createState, drawnTokens, readState, STATE, writeState } from './state';
import { createLogprobs, drawnLogprobs, readTop, topTokens } from './top';
import type { TopTokens } from './top';

export interface SessionOptions {
  /** Longest sequence; default and at most the model's context. */
  readonly context?: number;
  /** Shared by the sessions of a model, which learn from each other. */
  readonly pace?: Pace;
  /** Called before the session takes so many more bytes of the GPU's memory; may throw. */
  readonly makeRoom?: (bytes: number) => void;
}

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
  readonly #pace: Pace;
  readonly #makeRoom: (bytes: number) => void;
  /** By what the sampler is to do; forgotten when the cache moves. */
  readonly #plans = new Map<string, Plan>();
  /** What the cache holds. */
  #tokens: readonly number[] = [];
  #busy = false;
  #destroyed = false;

  constructor(model: Model, { context = model.context, pace, makeRoom = () => {} }: SessionOptions = {}) {
    this.#model = model;
    this.#gpu = model.gpu;
    this.#cache = model.createCache(context);
    this.#pace = pace ?? new Pace(model.gpu);
    this.#makeRoom = makeRoom;
    this.#state = createState(model.gpu);
    this.#logprobs = createLogprobs(model.gpu);
    this.#sampler = new Sampler(model.gpu, model.config.vocab);
  }

  /** What the KV cache holds; while a call runs, at least this. */
  get tokens(): readonly number[] {
    return this.#tokens;
  }

  get busy(): boolean {
    return this.#busy;
  }

  /** Bytes of the KV cache. */
  get cacheBytes(): number {
    return this.#cache.bytes;
  }

  /** Dispatches of one decoded token. */
  get dispatchesPerToken(): number {
    return this.#plan({}).dispatchCount;
  }

  /** Compiles what remains and records the decode plan, so that the first token does not wait for it. */
  async ready(): Promise<void> {
    await this.#gpu.preparePipelines(Sampler.specs(this.#gpu));
    this.#plan({});
  }

  /**
   * The decode step as it is replayed: for the profiler. It runs at whatever position the last request left, and on from
   * there, as far as the cache reaches.
   */
  decodePlan(): Plan {
    this.#cache.wrote(this.#cache.capacity);
    return this.#plan({});
  }

  /**
   * How many of these tokens, from the first on, are in the cache and need not be computed again. The last is computed in
   * any case; and where sliding windows have let go of what the first new one would see, all are.
   */
  reusable(ids: readonly number[]): number {
    const shared = Math.min(commonLength(this.#tokens, ids), ids.length - 1);
    return this.#cache.holds(shared) ? shared : 0;
  }

  /**
   * Begins where another session of the model, busy or not, is after its first `count` tokens, which it can reuse: copied
   * on the GPU.
   */
  branch(from: Session, count: number): void {
    this.#requireIdle();
    this.#tokens = [];
    this.#reserve(count);
    // Making room may have cost the other one.
    if (from.#destroyed) return;
    this.#cache.copyFrom(from.#cache, count);
    this.#tokens = from.#tokens.slice(0, count);
  }

  /**
   * Goes on with `ids`, the whole sequence so far. Leaving the loop early ends the generation. Throws ArgumentError
   * before anything runs, a NothingAllowedError where bias and mask forbid all tokens, and a GpuError where logits were no
   * numbers.
   */
  async *generate(
    ids: readonly number[],
    options: GenerateOptions = {},
  ): AsyncGenerator<GeneratedToken, GenerationEnd, undefined> {
    this.#checkIds(ids);
    const { logprobs, mask } = options;
    this.#begin();
    try {
      const sampling = checkSampling(options.sampling);
      const kind = { ...samplerKind(sampling, mask !== undefined), logprobs: logprobs !== undefined };
      this.#sampler.begin({ sampling, prompt: ids, top: logprobs ?? 0 });
      await this.#gpu.preparePipelines(Sampler.specs(this.#gpu, kind));
      return yield* this.#run(ids, kind, options);
    } catch (error) {
      // What went wrong on the GPU may have left anything in the cache.
      if (error instanceof GpuError && !(error instanceof NothingAllowedError)) this.#tokens = [];
      throw error;
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
    const rows = Math.max(1, Math.min(SCORE_ROWS, this.#cache.mostAtOnce, Math.floor(SCORE_BYTES / (vocab * 4))));
    try {
      this.#tokens = [];
      this.#reserve(ids.length);
      this.#cache.restart();
      for (let at = 0; at < ids.length; at += rows) {
        signal?.throwIfAborted();
        yield* await this.#scoreRows(ids, at, Math.min(rows, ids.length - at), top);
      }
    } finally {
      this.#busy = false;
    }
  }

  destroy(): void {
    this.#destroyed = true;
    this.#forgetPlans();
    this.#cache.destroy();
    this.#sampler.destroy();
    this.#state.destroy();
    this.#logprobs.destroy();
  }

  // ---- one request ---------------------------------------------------------------------------------------------

  async *#run(
    ids: readonly number[],
    kind: SamplerKind,
    options: GenerateOptions,
  ): AsyncGenerator<GeneratedToken, GenerationEnd, undefined> {
    const { maxTokens = Infinity, endIds, signal, logprobs = 0, mask } = options;
    const room = this.#cache.most - ids.length;
    const most = Math.min(maxTokens, room);
    const reused = this.reusable(ids);
    const started = performance.now();
    let first = started;
    const drawn: number[] = [];
    const end = (reason: GenerationEnd['reason']): GenerationEnd => ({
      reason,
      prefill: { tokens: ids.length - reused, reused, ms: first - started },
      decode: { tokens: Math.max(0, drawn.length - 1), ms: performance.now() - first },
    });

    if (most <= 0) return end(room <= 0 ? 'context' : 'length');
    if (!(await this.#prefill(ids, reused, kind, options))) return end('aborted');
    const flight = new Flight(() => this.#download(kind));
    flight.add();
    let before: number | undefined;
    try {
      while (drawn.length < most) {
        if (flight.size === 0 && !(await this.#allow(drawn, options))) return end('aborted');
        const atOnce = mask ? 1 : this.#pace.steps;
        while (flight.size < atOnce && drawn.length + flight.size < most) {
          this.#step(ids.length + drawn.length + flight.size, kind);
          flight.add();
        }
        const step = await unlessAborted(flight.next(), signal);
        if (step === ABORTED) return end('aborted');
        requireDrawn(step.state, drawn.length);
        const now = performance.now();
        if (before === undefined) first = now;
        else if (!mask) this.#pace.stepTook(now - before);
        before = now;
        const [id] = drawnTokens(step.state, drawn.length) as [number];
        drawn.push(id);
        if (endIds?.has(id)) return end('end');
        yield { id, ...(step.probabilities && drawnLogprobs(step.probabilities, drawn.length - 1, logprobs)) };
      }
      return end(most === room ? 'context' : 'length');
    } finally {
      // The last token drawn may not have been computed itself; those before it have.
      this.#tokens = [...ids, ...drawn.slice(0, -1)];
      flight.abandon();
    }
  }

  /** Asks the mask, if there is one, what may come after `drawn`; false where that was aborted. */
  async #allow(drawn: readonly number[], { mask, signal }: GenerateOptions): Promise<boolean> {
    if (!mask) return true;
    const words = await unlessAborted(mask(drawn), signal);
    if (words === ABORTED) return false;
    this.#sampler.mask(words);
    return true;
  }

  /** Brings the prompt into the cache and draws the first token; false where that was aborted. */
  async #prefill(ids: readonly number[], reused: number, kind: SamplerKind, options: GenerateOptions) {
    const { signal, onPrefill } = options;
    const gpu = this.#gpu;
    this.#tokens = ids.slice(0, reused);
    this.#reserve(ids.length);
    if (reused === 0) this.#cache.restart();
    for (let at = reused; at < ids.length;) {
      if (signal?.aborted) return false;
      const tokens = Math.min(this.#pace.tokens, this.#cache.mostAtOnce, ids.length - at);
      const last = at + tokens === ids.length;
      if (last && !(await this.#allow([], options))) return false;
      const started = performance.now();
      gpu.scoped(() => {
        const x = this.#forward(ids, at, tokens);
        if (!last) return;
        writeState(gpu, this.#state, { position: ids.length - 1 });
        this.#sample(logitsOf(gpu, this.#model, x, tokens - 1), kind);
      });
      this.#tokens = ids.slice(0, at + tokens);
      // The first token is waited for by whoever reads it.
      if (!last && (await unlessAborted(gpu.idle(), signal)) === ABORTED) return false;
      if (!last) this.#pace.took(tokens, performance.now() - started);
      at += tokens;
      onPrefill?.(at, ids.length);
    }
    return true;
  }

  /** Records the layers for `tokens` ids from place `at` on; a scratch of the caller's scope. */
  #forward(ids: readonly number[], at: number, tokens: number): Tensor {
    const gpu = this.#gpu;
    const part = gpu.scratch([tokens], 'i32');
    gpu.write(part, Int32Array.from(ids.slice(at, at + tokens)));
    writeState(gpu, this.#state, { position: at });
    this.#cache.wrote(at + tokens);
    return forward(gpu, this.#model, { ids: part, first: 0, tokens, state: this.#state, cache: this.#cache });
  }

  #sample(logits: Tensor, { logprobs, ruled = false, typical = false }: SamplerKind): void {
    const step = { logits: logits.view([logits.size]), state: this.#state, ruled, typical };
    this.#sampler.record(logprobs ? { ...step, logprobs: this.#logprobs } : step);
  }

  /** Runs the step that computes the token at `position - 1` and draws the next. */
  #step(position: number, kind: SamplerKind): void {
    this.#reserve(position);
    this.#plan(kind).run();
    this.#cache.wrote(position);
  }

  async #download({ logprobs }: SamplerKind): Promise<Drawn> {
    const gpu = this.#gpu;
    const [state, probabilities] = await Promise.all([
      gpu.downloadInts(this.#state),
      logprobs ? gpu.downloadInts(this.#logprobs) : undefined,
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

  #plan(kind: SamplerKind): Plan {
    const key = [kind.logprobs, kind.ruled, kind.typical].map(Number).join();
    const known = this.#plans.get(key);
    if (known) return known;
    const gpu = this.#gpu;
    const plan = gpu.record(() =>
      gpu.scoped(() => {
        const [state, cache] = [this.#state, this.#cache];
        const x = forward(gpu, this.#model, { ids: state, first: STATE.token, tokens: 1, state, cache });
        this.#sample(logitsOf(gpu, this.#model, x, 0), kind);
      }),
    );
    this.#plans.set(key, plan);
    return plan;
  }

  #reserve(positions: number): void {
    const more = this.#cache.bytesFor(positions) - this.#cache.bytes;
    if (more > 0) this.#makeRoom(more);
    if (this.#cache.reserve(positions)) this.#forgetPlans();
  }

  #forgetPlans(): void {
    for (const plan of this.#plans.values()) plan.destroy();
    this.#plans.clear();
  }

  // ---- checks --------------------------------------------------------------------------------------------------

  #begin(): void {
    this.#requireIdle();
    this.#busy = true;
  }

  #requireIdle(): void {
    if (this.#busy) throw new ArgumentError('session', 'a call while another one runs', 'one at a time');
  }

  #checkIds(ids: readonly number[]): void {
    const { vocab } = this.#model.config;
    if (ids.length === 0) throw new ArgumentError('ids', 'none', 'at least one token');
    const wrong = ids.find((id) => !(Number.isInteger(id) && id >= 0 && id < vocab));
    if (wrong !== undefined) throw new ArgumentError('ids', String(wrong), `whole numbers from 0 to ${vocab - 1}`);
    const { most } = this.#cache;
    if (ids.length > most) throw new ArgumentError('ids', `${ids.length} tokens`, `at most the context's ${most}`);
  }
}

interface Drawn {
  readonly state: Int32Array | Uint32Array;
  readonly probabilities: Int32Array | Uint32Array | undefined;
}

/** @param place of the token in the answer, from 0 */
function requireDrawn(words: Int32Array | Uint32Array, place: number): void {
  const { failure } = readState(words);
  if (failure === 'not-a-number') throw notNumbers();
  if (failure === 'nothing-allowed') throw new NothingAllowedError(place);
}

/** How many ids two sequences share from the start. */
export function commonLength(a: readonly number[], b: readonly number[]): number {
  const most = Math.min(a.length, b.length);
  for (let at = 0; at < most; at++) if (a[at] !== b[at]) return at;
  return most;
}
