/**
 * Sampling on the GPU: from logits `[V]` to the next token, which stays where the next step embeds it.
 *
 * Two dispatches a token (sample_scan.wesl over many workgroups, sample_pick.wesl in one), a third for log
 * probabilities; the same whatever the settings, which lie in a small tensor: one recorded plan serves every request.
 */
import { ArgumentError, describe } from '../device';
import type { Gpu, PipelineSpec, Tensor } from '../device';
import { SETTINGS_LENGTH, checkSampling, hasPenalties, settingsWords } from './sampling';
import type { Sampling } from './sampling';
import { checkTop, pickConstants, shapeOf, threadsOn } from './shape';
import type { Shape, Threads } from './shape';
import { generateSources } from './shaders';
import { STATE_LENGTH } from './state';
import { CHOSEN_PICKS, checkLogprobs } from './top';

/** Marks a token of the prompt among the counts of drawn ones; twin of IN_PROMPT in sample_settings.wesl. */
const IN_PROMPT = 2 ** 31;

const SCAN: PipelineSpec = {
  label: 'generate/sample_scan',
  module: 'generate/sample_scan',
  sources: [generateSources],
  conditions: { TOPS: false },
  bindings: ['uniform', 'read', 'read', 'read', 'read', 'write', 'write'],
};

const SCAN_WITH_TOPS: PipelineSpec = {
  ...SCAN,
  label: 'generate/sample_scan with tops',
  conditions: { TOPS: true },
  bindings: [...SCAN.bindings, 'write'],
};

const pick = (threads: Threads): PipelineSpec => ({
  label: `generate/sample_pick ${threads}`,
  module: 'generate/sample_pick',
  sources: [generateSources],
  constants: pickConstants(threads),
  bindings: ['uniform', 'read', 'none', 'write', 'write', 'read', 'read'],
});

const PICKS = { 64: pick(64), 256: pick(256) } as const;

export interface SampleStep {
  /** f32, V elements. */
  readonly logits: Tensor;
  /** i32 `[STATE_LENGTH]` (state.ts). */
  readonly state: Tensor;
  /** From `createLogprobs` (top.ts), where log probabilities are wanted. */
  readonly logprobs?: Tensor;
}

export interface SamplingRequest {
  readonly sampling?: Sampling;
  /** Tokens before the first one drawn: the repetition penalty counts them as seen. */
  readonly prompt?: Iterable<number>;
  /** Likeliest tokens to tell of with each one drawn, up to MAX_TOP; only steps with `logprobs` do. */
  readonly top?: number;
}

interface SamplerSpecs {
  readonly logprobs?: boolean;
  readonly threads?: Threads;
}

export class Sampler {
  readonly #gpu: Gpu;
  readonly #threads: Threads;
  readonly #shape: Shape;
  readonly #settings: Tensor;
  /** u32 [V]: how often each token was drawn, and whether the prompt has it. */
  readonly #seen: Tensor;

  /** `threads` of the kernel that picks: by default what suits the GPU. The tokens are the same. */
  constructor(gpu: Gpu, vocab: number, { threads = threadsOn(gpu) }: { threads?: Threads } = {}) {
    this.#gpu = gpu;
    this.#threads = threads;
    this.#shape = shapeOf(vocab);
    this.#settings = gpu.upload(new Uint32Array(SETTINGS_LENGTH), [SETTINGS_LENGTH]);
    this.#seen = gpu.upload(new Uint32Array(vocab), [vocab]);
    this.begin({});
  }

  /** For `gpu.preparePipelines`: what `record` runs, with or without log probabilities. */
  static specs(gpu: Gpu, { logprobs = false, threads = threadsOn(gpu) }: SamplerSpecs = {}): PipelineSpec[] {
    return logprobs ? [SCAN_WITH_TOPS, PICKS[threads], CHOSEN_PICKS[threads]] : [SCAN, PICKS[threads]];
  }

  /** Before the first step of a request; throws ArgumentErrors. Steps recorded before are done by the settings before. */
  begin({ sampling, prompt = [], top = 0 }: SamplingRequest): void {
    const { vocab } = this.#shape;
    const checked = checkSampling(sampling);
    checkTop(top);
    this.#gpu.write(this.#settings, settingsWords(checked, vocab, top));
    if (!hasPenalties(checked)) return;
    const seen = new Uint32Array(vocab);
    for (const id of prompt) {
      if (!(id >= 0 && id < vocab)) throw new ArgumentError('prompt', `token ${id}`, `ids below ${vocab}`);
      seen[id] = IN_PROMPT;
    }
    this.#gpu.write(this.#seen, seen);
  }

  /** Records a step: the state's token becomes the one chosen from these logits, and its position the next. */
  record({ logits, state, logprobs }: SampleStep): void {
    this.#check(logits, state);
    if (logprobs) checkLogprobs(logprobs);
    const gpu = this.#gpu;
    const { vocab, groups: groupCount } = this.#shape;
    gpu.scoped(() => {
      const keys = gpu.scratch([vocab], 'u32');
      const groups = gpu.scratch([3, groupCount], 'u32');
      const tops = logprobs && gpu.scratch([3, groupCount], 'u32');
      this.#scan(logits, state, keys, groups, tops);
      this.#pick(state, keys, groups);
      if (logprobs && tops) this.#tell(logits, state, tops, logprobs);
    });
  }

  destroy(): void {
    this.#settings.destroy();
    this.#seen.destroy();
  }

  // ---- the dispatches ------------------------------------------------------------------------------------------

  #scan(logits: Tensor, state: Tensor, keys: Tensor, groups: Tensor, tops: Tensor | undefined): void {
    const bindings = [null, this.#settings, logits, this.#seen, state, keys, groups];
    this.#gpu.dispatch({
      pipeline: this.#gpu.pipeline(tops ? SCAN_WITH_TOPS : SCAN),
      bindings: tops ? [...bindings, tops] : bindings,
      params: this.#shape.params,
      workgroups: [this.#shape.blocks],
    });
  }

  #pick(state: Tensor, keys: Tensor, groups: Tensor): void {
    this.#gpu.dispatch({
      pipeline: this.#gpu.pipeline(PICKS[this.#threads]),
      bindings: [null, this.#settings, null, this.#seen, state, keys, groups],
      params: this.#shape.params,
      workgroups: [1],
    });
  }

  #tell(logits: Tensor, state: Tensor, tops: Tensor, logprobs: Tensor): void {
    this.#gpu.dispatch({
      pipeline: this.#gpu.pipeline(CHOSEN_PICKS[this.#threads]),
      bindings: [null, this.#settings, logits, null, logprobs, state, null, tops],
      params: this.#shape.params,
      workgroups: [1],
    });
  }

  #check(logits: Tensor, state: Tensor): void {
    if (logits.dtype !== 'f32' || logits.size !== this.#shape.vocab) {
      throw new ArgumentError('logits', describe(logits), `f32, ${this.#shape.vocab} elements`);
    }
    if (state.dtype !== 'i32' || state.size !== STATE_LENGTH) {
      throw new ArgumentError('state', describe(state), `i32 [${STATE_LENGTH}]`);
    }
  }
}
