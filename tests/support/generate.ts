/** Running the sampler on the GPU under test: one vocabulary, one recorded plan, any number of requests. */
import type { Gpu, Plan, Tensor } from '$gpu/device';
import { drawToken, keepTokens, penalise, type Kept } from '$gpu/generate/reference';
import { Sampler, type SamplerKind, type SamplingRequest } from '$gpu/generate/sampler';
import { checkSampling, type Sampling } from '$gpu/generate/sampling';
import { RING_LENGTH, createState, drawnTokens, readState, writeState, type StateValues } from '$gpu/generate/state';
import { createLogprobs } from '$gpu/generate/top';
import type { Threads } from '$gpu/generate/shape';
import { environment, random } from './gpu';

/** The wide kernel, which GPUs run, is tested where it costs a software adapter least. */
export const THREADS_HERE: Threads = environment === 'lavapipe' || environment === 'reduced' ? 256 : 64;

export class SamplerUnderTest {
  readonly sampler: Sampler;
  readonly state: Tensor;
  readonly logits: Tensor;
  readonly logprobs: Tensor;
  readonly plan: Plan;

  constructor(
    readonly gpu: Gpu,
    readonly vocab: number,
    { logprobs = false, threads = THREADS_HERE, ...kind }: SamplerKind & { threads?: Threads } = {},
  ) {
    this.sampler = new Sampler(gpu, vocab, { threads });
    this.state = createState(gpu);
    this.logits = gpu.empty([vocab], 'f32');
    this.logprobs = createLogprobs(gpu);
    const { logits, state, sampler } = this;
    this.plan = gpu.record(() =>
      sampler.record({ logits, state, ...kind, ...(logprobs && { logprobs: this.logprobs }) }),
    );
  }

  /** Starts a request; every step will see the same logits. The first token drawn has the place `position + 1`. */
  begin(logits: Float32Array, request: SamplingRequest, position = 0): void {
    this.gpu.write(this.logits, logits);
    this.sampler.begin(request);
    writeState(this.gpu, this.state, { position });
  }

  async read(): Promise<StateValues> {
    return readState(await this.gpu.downloadInts(this.state));
  }

  /** The tokens of `count` more steps. */
  async draw(count: number): Promise<number[]> {
    const tokens: number[] = [];
    const { drawn } = await this.read();
    while (tokens.length < count) {
      this.plan.run(Math.min(RING_LENGTH, count - tokens.length));
      tokens.push(...drawnTokens(await this.gpu.downloadInts(this.state), drawn + tokens.length));
    }
    return tokens;
  }

  destroy(): void {
    this.plan.destroy();
    this.sampler.destroy();
    [this.state, this.logits, this.logprobs].forEach((tensor) => tensor.destroy());
  }
}

export interface Expected {
  readonly id: number;
  /** Whether float32 leaves no doubt. */
  readonly certain: boolean;
}

/** What the reference draws in `count` steps over the same logits; penalties see the prompt and what it has drawn. */
export function expectedDraws(logits: Float32Array, request: SamplingRequest, count: number, position = 0): Expected[] {
  const sampling = checkSampling(request.sampling);
  const prompt = [...(request.prompt ?? [])];
  const drawn: number[] = [];
  const penalised =
    sampling.repetitionPenalty !== 1 || sampling.presencePenalty !== 0 || sampling.frequencyPenalty !== 0;
  let z = penalise(logits, { prompt, drawn }, sampling);
  let kept = keepTokens(z, sampling);
  return Array.from({ length: count }, (_, n) => {
    if (penalised && n > 0) {
      z = penalise(logits, { prompt, drawn }, sampling);
      kept = keepTokens(z, sampling);
    }
    const { id, margin } = drawToken(z, kept.ids, sampling, position + n + 1);
    drawn.push(id);
    const place = position + n + 1;
    const others = kept.slack > 1e-6 ? [] : neighbours(kept).map((ids) => drawToken(z, ids, sampling, place).id);
    return { id, certain: margin > 1e-4 && others.every((other) => other === id) };
  });
}

/** What rounding may keep instead: one token less, one more. */
function neighbours({ ids, next }: Kept): (readonly number[])[] {
  return [...(ids.length > 1 ? [ids.slice(0, -1)] : []), ...(next === undefined ? [] : [[...ids, next]])];
}

/** The first place, of `tries`, at which `wanted` is drawn from `ids`; -1 if there is none. */
export function placeThatDraws(
  logits: Float32Array,
  ids: readonly number[],
  sampling: Sampling,
  wanted: number,
  tries: number,
): number {
  const checked = checkSampling(sampling);
  for (let place = 1; place <= tries; place++) {
    const { id, margin } = drawToken(logits, ids, checked, place);
    if (id === wanted && margin > 1e-3) return place;
  }
  return -1;
}

/** Logits of several shapes, seeded. */
export const LOGITS = {
  /** As language models have them: a bell, and a few tokens far above it. */
  peaked(vocab: number, seed: number): Float32Array {
    const next = random(seed);
    const bell = (): number => (next() + next() + next() + next() - 2) * 4;
    const logits = Float32Array.from({ length: vocab }, bell);
    for (let n = 0; n < 40; n++) logits[Math.floor(next() * vocab)] = 12 - Math.sqrt(n) * 1.5 + next();
    return logits;
  },
  /** All about as likely. */
  flat(vocab: number, seed: number): Float32Array {
    const next = random(seed);
    return Float32Array.from({ length: vocab }, () => next() * 0.5);
  },
  /** Four values for all tokens. */
  tied(vocab: number, seed: number): Float32Array {
    const next = random(seed);
    return Float32Array.from({ length: vocab }, () => Math.floor(next() * 4) - 2);
  },
  equal(vocab: number): Float32Array {
    return new Float32Array(vocab).fill(-3.25);
  },
  /** From denormal to the largest float. */
  huge(vocab: number, seed: number): Float32Array {
    const next = random(seed);
    return Float32Array.from({ length: vocab }, () => (next() - 0.5) * 10 ** (next() * 78 - 40));
  },
  /** Most tokens are forbidden. */
  sparse(vocab: number, seed: number): Float32Array {
    const next = random(seed);
    return Float32Array.from({ length: vocab }, () => (next() < 0.97 ? -Infinity : next() * 6));
  },
} as const satisfies Record<string, (vocab: number, seed: number) => Float32Array>;
