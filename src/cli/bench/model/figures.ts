/** The figures of the model bench as data: what JSON holds and the table shows. */
import type { AdapterSummary } from '$gpu/device';
import type { ClockChoice } from '$lib/engine/bench/stopwatch';
import type { LoadingFigures } from './loading';
import type { StepFigures } from '$lib/engine/bench/operations';
import type { PeerFigures } from './peer';
import type { ProductFigures } from './products';
import type { DecodeFigures, PrefillFigures } from './speed';

/** Decode at one place of a conversation, and the kernels of its step. */
export interface TokenFigures {
  readonly decode: DecodeFigures;
  readonly step: StepFigures;
  /** Wall time of a token by the sum of its kernels, timed in turns: the middle of the rounds. */
  readonly overKernels: number;
  /** Weights by the wall time of a token. */
  readonly gigabytesPerSecond: number;
}

/** One part of a layer, ours and the peer's. */
export interface PartFigures {
  readonly name: string;
  readonly tokens: number;
  /** How often a step runs it. */
  readonly calls: number;
  /** Milliseconds of a call, the least. */
  readonly ms: number;
  readonly product?: ProductFigures;
  readonly peer?: PeerFigures;
  /** Why there is no peer's figure. */
  readonly missing?: string;
  /** The peer's time by ours: above 1 ours is faster. */
  readonly ratio?: number;
}

export interface ModelFigures {
  readonly adapter: AdapterSummary;
  readonly model: string;
  readonly clock: ClockChoice;
  readonly loading: LoadingFigures;
  readonly weightBytes?: number;
  readonly kvType?: string;
  readonly prefill: readonly PrefillFigures[];
  readonly prompts: readonly StepFigures[];
  readonly tokens: readonly TokenFigures[];
  readonly parts: readonly PartFigures[];
  readonly onnxRuntime: string;
  readonly seconds: number;
}
