/** Runs the model bench: loading, then speed, then each part alone and at the peer's. */
import type { Gpu } from '$gpu';
import { Session } from '$gpu/generate';
import type { ModelOnGpu } from '$lib/engine/gpu-open';
import { OnnxPeer } from '../onnx/peer';
import { withSomeProduct } from '$lib/engine/bench/product';
import { chooseClock, type ClockChoice } from '$lib/engine/bench/stopwatch';
import type { ModelFigures, PartFigures, TokenFigures } from './figures';
import { timeLoading, type LoadingFigures } from './loading';
import { profilePrompt, profileStep, sumOf, weightBytes, type StepFigures } from '$lib/engine/bench/operations';
import { askPeer, attentionCase, type PeerFigures } from './peer';
import { peerProduct, productsOf, timeProduct, type ModelProduct } from './products';
import type { Settings } from './settings';
import { timeDecode, timePrefill, type PrefillFigures } from './speed';

/** Dispatches of a layer's attention. */
const ATTENTION = 'attention/';
/** Not a layer's: once a step, for all layers. */
const SEQUENCES = 'attention/sequences';

export class ModelBench {
  readonly #gpu: Gpu;
  readonly #settings: Settings;
  readonly #peer: OnnxPeer | string;
  readonly #start = performance.now();
  readonly #prefill: PrefillFigures[] = [];
  readonly #prompts: StepFigures[] = [];
  readonly #tokens: TokenFigures[] = [];
  readonly #parts: PartFigures[] = [];
  #clock: ClockChoice = { clock: 'wall', reason: 'not chosen yet' };
  #loading: LoadingFigures | undefined;

  constructor(gpu: Gpu, settings: Settings) {
    this.#gpu = gpu;
    this.#settings = settings;
    const wanted = settings.peers && !settings.loadingAlone;
    this.#peer = wanted ? OnnxPeer.find() : 'not asked for';
  }

  /** `tell`: what is being done, for people who wait. */
  async run(tell: (what: string) => void): Promise<ModelFigures> {
    tell('loading');
    const { opened, figures } = await timeLoading(this.#gpu, this.#settings.model);
    this.#loading = figures;
    try {
      if (!this.#settings.loadingAlone) await this.#measure(opened, tell);
      return this.#figures(opened);
    } finally {
      if (typeof this.#peer !== 'string') this.#peer.close();
    }
  }

  async #measure({ network }: ModelOnGpu, tell: (what: string) => void): Promise<void> {
    const gpu = this.#gpu;
    const session = new Session(network);
    await session.ready();
    const { prompts, decoded, rounds } = this.#settings;
    const { vocab } = network.config;
    this.#clock = await withSomeProduct(gpu, (encode) => chooseClock(gpu, encode));
    for (const tokens of prompts) {
      tell(`prefill of ${tokens} tokens`);
      this.#prefill.push(await timePrefill(session, vocab, tokens, rounds));
      this.#prompts.push(await profilePrompt(gpu, network, tokens));
    }
    for (const context of new Set([prompts[0]!, prompts.at(-1)!])) {
      tell(`decode behind ${context} tokens`);
      const timed: TokenFigures[] = [];
      for (let round = 0; round < rounds; round++) {
        const decode = await timeDecode(session, vocab, context, decoded);
        const step = await profileStep(gpu, session.decodePlan(), 1, context + decoded);
        const gigabytesPerSecond = weightBytes(network) / decode.msPerToken / 1e6;
        timed.push({ decode, step, overKernels: decode.msPerToken / step.medianMs, gigabytesPerSecond });
      }
      this.#tokens.push(bestOf(timed));
    }
    await this.#measureParts(network, tell);
  }

  // ---- parts ---------------------------------------------------------------------------------------------------

  async #measureParts(network: ModelOnGpu['network'], tell: (what: string) => void): Promise<void> {
    for (const tokens of [1, ...this.#settings.prompts]) {
      for (const one of productsOf(network)) {
        if (tokens > 1 && !one.prompts) continue;
        tell(`${one.name}, ${tokens} tokens`);
        this.#parts.push(await this.#product(one, tokens));
      }
    }
    for (const { step } of this.#tokens) this.#parts.push(await this.#attention(network, step));
    for (const step of this.#prompts) this.#parts.push(await this.#attention(network, step));
  }

  async #product(one: ModelProduct, tokens: number): Promise<PartFigures> {
    const { clock } = this.#clock;
    const { patience } = this.#settings;
    const product = await timeProduct(this.#gpu, one, tokens, { clock, patience });
    const { name, calls } = one;
    const asked = peerProduct(one, tokens);
    const peer =
      typeof this.#peer === 'string'
        ? this.#peer
        : asked
          ? await askPeer(this.#peer, { product: asked, patience }, clock)
          : `it has no product with ${product.layout} weights`;
    return { name, tokens, calls, ms: product.ms.least, product, ...compared(product.ms.least, peer) };
  }

  /** Ours out of the step's profile: a layer's share of its attention dispatches. */
  async #attention(network: ModelOnGpu['network'], step: StepFigures): Promise<PartFigures> {
    const { tokens, position } = step;
    const calls = network.config.layers.length;
    const ms = (sumOf(step, ATTENTION) - sumOf(step, SEQUENCES)) / calls;
    const { patience } = this.#settings;
    const one = attentionCase(network, tokens, position);
    const peer =
      typeof this.#peer === 'string' ? this.#peer : await askPeer(this.#peer, { one, patience }, this.#clock.clock);
    return { name: `attention, ${position + tokens} keys`, tokens, calls, ms, ...compared(ms, peer) };
  }

  #figures({ name, network }: ModelOnGpu): ModelFigures {
    return {
      adapter: this.#gpu.info,
      model: name,
      clock: this.#clock,
      loading: this.#loading!,
      weightBytes: weightBytes(network),
      kvType: network.kvType,
      prefill: this.#prefill,
      prompts: this.#prompts,
      tokens: this.#tokens,
      parts: this.#parts,
      onnxRuntime: typeof this.#peer === 'string' ? this.#peer : this.#peer.version,
      seconds: (performance.now() - this.#start) / 1000,
    };
  }
}

/** The least times of all rounds. */
function bestOf(rounds: readonly TokenFigures[]): TokenFigures {
  const decode = rounds.map((round) => round.decode).sort((a, b) => a.msPerToken - b.msPerToken)[0]!;
  const step = rounds.map((round) => round.step).sort((a, b) => a.leastMs - b.leastMs)[0]!;
  const gigabytesPerSecond = Math.max(...rounds.map((round) => round.gigabytesPerSecond));
  const overKernels = rounds.map((round) => round.overKernels).sort((a, b) => a - b)[rounds.length >> 1]!;
  return { decode, step, overKernels, gigabytesPerSecond };
}

function compared(ms: number, peer: PeerFigures | string): Pick<PartFigures, 'peer' | 'missing' | 'ratio'> {
  if (typeof peer === 'string') return { missing: peer };
  return { peer, ratio: peer.ms.least / ms };
}
