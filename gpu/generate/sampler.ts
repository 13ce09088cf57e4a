/**
 * Sampling on the GPU: from logits `[V]` to the next token, which stays where the next step embeds it.
 *
 * Two dispatches a token (sample_scan.wesl over many workgroups, sample_pick.wesl in one), the same two whatever the
 * settings: those lie in a small tensor, so that one recorded plan serves every request.
 */
import { ArgumentError, LimitError, ParamWriter, describe } from '../device';
import type { Gpu, Params, PipelineSpec, Tensor } from '../device';
import { SETTINGS_LENGTH, checkSampling, hasPenalties, settingsWords } from './sampling';
import type { Sampling } from './sampling';
import { generateSources } from './shaders';
import { STATE_LENGTH } from './state';

/** Masses of more tokens could overflow their words (sample_cut.wesl). */
const MAX_VOCAB = 2 ** 19;
/** Marks a token of the prompt among the counts of drawn ones; twin of IN_PROMPT in sample_settings.wesl. */
const IN_PROMPT = 2 ** 31;

/** Twins of sample_settings.wesl. */
const LANES = 64;
const ELEMENTS = 32;

const SCAN: PipelineSpec = {
  label: 'generate/sample_scan',
  module: 'generate/sample_scan',
  sources: [generateSources],
  bindings: ['uniform', 'read', 'read', 'read', 'read', 'write', 'write'],
};

const PICK: PipelineSpec = {
  label: 'generate/sample_pick',
  module: 'generate/sample_pick',
  sources: [generateSources],
  bindings: ['uniform', 'read', 'none', 'write', 'write', 'read', 'read'],
};

export interface SampleStep {
  /** f32, V elements. */
  readonly logits: Tensor;
  /** i32 `[STATE_LENGTH]` (state.ts). */
  readonly state: Tensor;
}

export class Sampler {
  readonly #gpu: Gpu;
  readonly #vocab: number;
  readonly #groups: number;
  readonly #params: Params;
  readonly #settings: Tensor;
  /** u32 [V]: how often each token was drawn, and whether the prompt has it. */
  readonly #seen: Tensor;

  constructor(gpu: Gpu, vocab: number) {
    if (!Number.isSafeInteger(vocab) || vocab < 1)
      throw new ArgumentError('vocab', String(vocab), 'a whole number from 1');
    if (vocab > MAX_VOCAB) throw new LimitError('tokens of the sampler', vocab, MAX_VOCAB, 'a vocabulary');
    this.#gpu = gpu;
    this.#vocab = vocab;
    this.#groups = Math.ceil(vocab / (LANES * ELEMENTS)) * LANES;
    this.#params = new ParamWriter().u32(vocab).u32(this.#groups).u32(ELEMENTS).done();
    this.#settings = gpu.upload(new Uint32Array(SETTINGS_LENGTH), [SETTINGS_LENGTH]);
    this.#seen = gpu.upload(new Uint32Array(vocab), [vocab]);
  }

  /** For `gpu.preparePipelines`. */
  static specs(): PipelineSpec[] {
    return [SCAN, PICK];
  }

  /** Before the first step of a request: how to sample, and the prompt, which penalties look at. */
  begin(sampling: Sampling, prompt: Iterable<number>): void {
    const checked = checkSampling(sampling);
    this.#gpu.write(this.#settings, settingsWords(checked, this.#vocab));
    if (!hasPenalties(checked)) return;
    const seen = new Uint32Array(this.#vocab);
    for (const id of prompt) seen[id] = IN_PROMPT;
    this.#gpu.write(this.#seen, seen);
  }

  /** Records a step: the state's token becomes the one chosen from these logits, its position the next. */
  record({ logits, state }: SampleStep): void {
    this.#check(logits, state);
    const gpu = this.#gpu;
    const params = this.#params;
    gpu.scoped(() => {
      const keys = gpu.scratch([this.#vocab], 'u32');
      const groups = gpu.scratch([3, this.#groups], 'u32');
      gpu.dispatch({
        pipeline: gpu.pipeline(SCAN),
        bindings: [null, this.#settings, logits, this.#seen, state, keys, groups],
        params,
        workgroups: [this.#groups / LANES],
      });
      gpu.dispatch({
        pipeline: gpu.pipeline(PICK),
        bindings: [null, this.#settings, null, this.#seen, state, keys, groups],
        params,
        workgroups: [1],
      });
    });
  }

  destroy(): void {
    this.#settings.destroy();
    this.#seen.destroy();
  }

  #check(logits: Tensor, state: Tensor): void {
    if (logits.dtype !== 'f32' || logits.size !== this.#vocab) {
      throw new ArgumentError('logits', describe(logits), `f32, ${this.#vocab} elements`);
    }
    if (state.dtype !== 'i32' || state.size !== STATE_LENGTH) {
      throw new ArgumentError('state', describe(state), `i32 [${STATE_LENGTH}]`);
    }
  }
}
