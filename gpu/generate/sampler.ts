/**
 * Sampling on the GPU: from logits `[V]` to the next token, which stays where the next step embeds it.
 *
 * Two dispatches a token (sample_scan.wesl over many workgroups, sample_pick.wesl in one), a third for log
 * probabilities; the same whatever the settings, which lie in a small tensor: one recorded plan serves every request.
 * What only a few requests ask for, rules for single tokens and typical-p, are other builds of the same two kernels, so
 * that nobody else pays for them.
 */
import { ArgumentError, describe } from '../device';
import type { Gpu, PipelineSpec, Tensor } from '../device';
import { SETTINGS_LENGTH, checkSampling, hasBias, hasPenalties, isTypical, maskWords, settingsWords } from './sampling';
import type { CheckedSampling, Sampling } from './sampling';
import { checkTop, pickConstants, shapeOf, threadsOn } from './shape';
import type { Shape, Threads } from './shape';
import { generateSources } from './shaders';
import { STATE_LENGTH } from './state';
import { CHOSEN_PICKS, checkLogprobs } from './top';

/** Marks a token of the prompt among the counts of drawn ones; twin of IN_PROMPT in sample_settings.wesl. */
const IN_PROMPT = 2 ** 31;

const scan = (tops: boolean, ruled: boolean): PipelineSpec => ({
  label: `generate/sample_scan${tops ? ' with tops' : ''}${ruled ? ' by rules' : ''}`,
  module: 'generate/sample_scan',
  sources: [generateSources],
  conditions: { TOPS: tops, RULED: ruled },
  bindings: [
    ...(['uniform', 'read', 'read', 'read', 'read', 'write', 'write'] as const),
    tops ? 'write' : 'none',
    ruled ? 'read' : 'none',
  ],
});

const SCANS = {
  plain: { free: scan(false, false), ruled: scan(false, true) },
  tops: { free: scan(true, false), ruled: scan(true, true) },
} as const;

const pick = (threads: Threads, typical: boolean): PipelineSpec => ({
  label: `generate/sample_pick ${threads}${typical ? ' typical' : ''}`,
  module: 'generate/sample_pick',
  sources: [generateSources],
  conditions: { TYPICAL: typical },
  constants: pickConstants(threads),
  bindings: ['uniform', 'read', 'none', 'write', 'write', 'read', 'read'],
});

const PICKS = {
  64: { plain: pick(64, false), typical: pick(64, true) },
  256: { plain: pick(256, false), typical: pick(256, true) },
} as const;

/** Which builds of the kernels a request needs. */
export interface SamplerKind {
  /** Bias or mask. */
  readonly ruled?: boolean;
  readonly typical?: boolean;
  readonly logprobs?: boolean;
}

export interface SampleStep {
  /** f32, V elements. */
  readonly logits: Tensor;
  /** i32 `[STATE_LENGTH]` (state.ts). */
  readonly state: Tensor;
  /** From `createLogprobs` (top.ts), where log probabilities are wanted. */
  readonly logprobs?: Tensor;
  /** As `samplerKind` tells it of the requests that the step is to serve. */
  readonly ruled?: boolean;
  readonly typical?: boolean;
}

export interface SamplingRequest {
  readonly sampling?: Sampling;
  /** Tokens before the first one drawn: the repetition penalty counts them as seen. */
  readonly prompt?: Iterable<number>;
  /** Likeliest tokens to tell of with each one drawn, up to MAX_TOP; only steps with `logprobs` do. */
  readonly top?: number;
}

/** What a request with this sampling, and perhaps a mask, needs of the kernels. */
export function samplerKind(sampling: CheckedSampling, masked = false): Required<Omit<SamplerKind, 'logprobs'>> {
  return { ruled: masked || hasBias(sampling), typical: isTypical(sampling) };
}

export class Sampler {
  readonly #gpu: Gpu;
  readonly #threads: Threads;
  readonly #shape: Shape;
  readonly #settings: Tensor;
  /** u32 [V]: how often each token was drawn, and whether the prompt has it. */
  readonly #seen: Tensor;
  /** u32 [V + ceil(V / 32)], sample_rules.wesl; made for the first request that has some. */
  #rules: Tensor | undefined;

  /** `threads` of the kernel that picks: by default what suits the GPU. The tokens are the same. */
  constructor(gpu: Gpu, vocab: number, { threads = threadsOn(gpu) }: { threads?: Threads } = {}) {
    this.#gpu = gpu;
    this.#threads = threads;
    this.#shape = shapeOf(vocab);
    this.#settings = gpu.upload(new Uint32Array(SETTINGS_LENGTH), [SETTINGS_LENGTH]);
    this.#seen = gpu.upload(new Uint32Array(vocab), [vocab]);
    this.begin({});
  }

  /** For `gpu.preparePipelines`: what `record` runs. */
  static specs(
    gpu: Gpu,
    { threads = threadsOn(gpu), ...kind }: SamplerKind & { threads?: Threads } = {},
  ): PipelineSpec[] {
    return [scanOf(kind), pickOf(threads, kind), ...(kind.logprobs ? [CHOSEN_PICKS[threads]] : [])];
  }

  /** Before the first step of a request; throws ArgumentErrors. Steps recorded before are done by the settings before. */
  begin({ sampling, prompt = [], top = 0 }: SamplingRequest): void {
    const { vocab } = this.#shape;
    const checked = checkSampling(sampling);
    checkTop(top);
    if (hasBias(checked)) this.#writeBias(checked);
    else if (this.#rules) this.#gpu.write(this.#rules, freeRules(vocab));
    this.#gpu.write(this.#settings, settingsWords(checked, vocab, top));
    if (!hasPenalties(checked)) return;
    const seen = new Uint32Array(vocab);
    for (const id of prompt) {
      if (!(id >= 0 && id < vocab)) throw new ArgumentError('prompt', `token ${id}`, `ids below ${vocab}`);
      seen[id] = IN_PROMPT;
    }
    this.#gpu.write(this.#seen, seen);
  }

  /**
   * Which tokens the next `ruled` step may draw: a bit each, 32 a word, the lowest first; undefined: all. It stays until
   * the next mask, or `begin`.
   */
  mask(words: Uint32Array | undefined): void {
    const { vocab } = this.#shape;
    const wanted = maskWords(vocab);
    if (words && words.length !== wanted)
      throw new ArgumentError('mask', `${words.length} words`, `${wanted}, a bit for each of ${vocab} tokens`);
    this.#gpu.write(this.#rulesTensor(), words ?? new Uint32Array(wanted).fill(ALL_ALLOWED), vocab);
  }

  /** Records a step: the state's token becomes the one chosen from these logits, and its position the next. */
  record({ logits, state, logprobs, ruled = false, typical = false }: SampleStep): void {
    this.#check(logits, state);
    if (logprobs) checkLogprobs(logprobs);
    const gpu = this.#gpu;
    const { vocab, groups: groupCount } = this.#shape;
    gpu.scoped(() => {
      const keys = gpu.scratch([vocab], 'u32');
      const groups = gpu.scratch([3, groupCount], 'u32');
      const tops = logprobs && gpu.scratch([3, groupCount], 'u32');
      const rules = ruled ? this.#rulesTensor() : undefined;
      this.#dispatch(scanOf({ ruled, logprobs: tops !== undefined }), this.#shape.blocks, [
        ...[logits, this.#seen, state, keys, groups],
        ...[tops ?? null, rules ?? null],
      ]);
      this.#dispatch(pickOf(this.#threads, { typical }), 1, [null, this.#seen, state, keys, groups]);
      if (logprobs && tops) this.#dispatch(CHOSEN_PICKS[this.#threads], 1, [logits, null, logprobs, state, null, tops]);
    });
  }

  destroy(): void {
    this.#settings.destroy();
    this.#seen.destroy();
    this.#rules?.destroy();
  }

  // ---- inside --------------------------------------------------------------------------------------------------

  #dispatch(spec: PipelineSpec, blocks: number, tensors: readonly (Tensor | null)[]): void {
    this.#gpu.dispatch({
      pipeline: this.#gpu.pipeline(spec),
      bindings: [null, this.#settings, ...tensors],
      params: this.#shape.params,
      workgroups: [blocks],
    });
  }

  #rulesTensor(): Tensor {
    const rules = freeRules(this.#shape.vocab);
    return (this.#rules ??= this.#gpu.upload(rules, [rules.length]));
  }

  #writeBias({ logitBias }: CheckedSampling): void {
    const { vocab } = this.#shape;
    const rules = freeRules(vocab);
    const floats = new Float32Array(rules.buffer);
    for (const [id, bias] of Object.entries(logitBias)) {
      if (Number(id) >= vocab) throw new ArgumentError('sampling.logitBias', `token ${id}`, `ids below ${vocab}`);
      floats[Number(id)] = bias;
    }
    this.#gpu.write(this.#rulesTensor(), rules);
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

const ALL_ALLOWED = 0xffffffff;

/** No bias, and every token allowed. */
function freeRules(vocab: number): Uint32Array<ArrayBuffer> {
  return new Uint32Array(vocab + maskWords(vocab)).fill(ALL_ALLOWED, vocab);
}

function scanOf({ logprobs = false, ruled = false }: SamplerKind): PipelineSpec {
  return SCANS[logprobs ? 'tops' : 'plain'][ruled ? 'ruled' : 'free'];
}

function pickOf(threads: Threads, { typical = false }: SamplerKind): PipelineSpec {
  return PICKS[threads][typical ? 'typical' : 'plain'];
}
