/** What is measured of a device and of a model, as plain data: the page shows it, and its JSON holds it. */
import type { GpuReport } from '$gpu';
import type { Schedule } from './attention/cases';
import type { ReadRate } from './bandwidth';
import type { StepFigures } from './operations';
import type { Product } from './product';
import type { Figure } from './statistics';

export type { Figure, Product, ReadRate, Schedule, StepFigures };

export interface GpuFigures {
  readonly report: GpuReport;
  /** The same as text, for a bug report. */
  readonly text: string;
  /** Milliseconds from the call to an open device: driver, shaders and self-test together. */
  readonly openedMs: number;
  readonly reading?: ReadRate;
  /** The fastest product of two square matrices, by the type of their elements. */
  readonly products: readonly Product[];
  readonly attention: readonly AttentionPoint[];
}

/**
 * One call of causal attention, q `[1, Sq, 8, 64]` on k and v `[1, keys, 2, 64]`, float32: Sq = keys in prefill, 1 in
 * decode. All outputs were compared with the float64 reference.
 */
export interface AttentionPoint {
  readonly schedule: Schedule;
  readonly keys: number;
  readonly flash: KernelTime;
  /** Through a whole matrix of scores. */
  readonly standard: KernelTime;
}

export type KernelTime =
  | { readonly ms: Figure; /** Most memory in use beyond q, k, v and out. */ readonly extraBytes: number }
  /** `slow`: it would have taken too long; `failed`: it asks for what the GPU has not got, or came out wrong. */
  | { readonly missing: 'slow' | 'failed'; readonly why?: string };

export type MeasureStep = 'opening' | 'reading' | 'product' | 'prefill' | 'decode';

export interface MeasureProgress {
  readonly step: MeasureStep;
  /** From 0 to 1, of all steps. */
  readonly done: number;
  /** What is there so far; not there before the GPU is open. */
  readonly figures?: GpuFigures;
}

/** How fast the open model reads and writes; tokens a second. */
export interface AnswerFigures {
  /** Of the prompt that was read. */
  readonly promptTokens: number;
  readonly prefill: Figure;
  /** Not there where the model had nothing to say. */
  readonly decode?: Figure;
}

export interface ModelFigures {
  readonly answers: AnswerFigures;
  /** On the GPU alone. */
  readonly profile?: ModelProfile;
}

export interface ModelProgress {
  readonly step: 'answers' | 'operations';
  /** From 0 to 1, of both. */
  readonly done: number;
  readonly answers?: AnswerFigures;
}

/** Where the time of the open model goes, on the GPU. */
export interface ModelProfile {
  readonly prompt: StepFigures;
  readonly token: StepFigures;
  /** That a decoded token reads. */
  readonly weightBytes: number;
}
