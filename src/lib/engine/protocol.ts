/**
 * What the page and the engine's worker say to each other. Types alone: neither side pulls in the other's code.
 *
 * The page sends a `Request`; the worker answers it with any number of `progress` replies and one `done` or `failed`,
 * all of the same `id`.
 */
import type { GpuErrorCode, GpuReport } from '$gpu';

export type { GpuReport };

/** What the worker does for the page: by method, what it tells while it works and what it returns. */
export interface Methods {
  /** Opens the GPU, checks its arithmetic, runs one attention call, and tells what this device is. */
  inspect: { progress: InspectionStage; result: Inspection };
}

export type Method = keyof Methods;

export type InspectionStage = 'opening' | 'measuring';

export interface Inspection {
  readonly report: GpuReport;
  /** The same as text, for a bug report. */
  readonly text: string;
  /** Milliseconds from the call to an open device: driver, shaders and self-test together. */
  readonly openedMs: number;
  readonly attention: AttentionCall;
}

/** One call of causal attention, q `[1, seq, headsQ, headDim]` on k and v `[1, seq, headsKv, headDim]`, float32. */
export interface AttentionCall {
  readonly seq: number;
  readonly headsQ: number;
  readonly headsKv: number;
  readonly headDim: number;
  readonly flashMs: number;
  /** The same through a whole matrix of scores. */
  readonly standardMs: number;
  /** The largest distance from the float64 reference. */
  readonly difference: number;
}

export interface Request<M extends Method = Method> {
  readonly id: number;
  readonly method: M;
}

export type Reply<M extends Method = Method> =
  | { readonly id: number; readonly type: 'progress'; readonly progress: Methods[M]['progress'] }
  | { readonly id: number; readonly type: 'done'; readonly result: Methods[M]['result'] }
  | { readonly id: number; readonly type: 'failed'; readonly failure: Failure };

/** An error as it crosses from the worker to the page. */
export interface Failure {
  /** `worker`: the worker itself could not start or broke; `unknown`: an error that is none of ours. */
  readonly code: GpuErrorCode | 'worker' | 'unknown';
  readonly message: string;
}
