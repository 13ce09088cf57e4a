/** What is said between the bench and the process that runs ONNX Runtime. */
import type { Case } from '$lib/engine/bench/attention/cases';
import type { Figure } from '$lib/engine/bench/statistics';

/** The command line's word for that process. */
export const ONNX_WORKER = 'onnx-worker';

/** y `[M, N]` = x `[M, K]` W^T in f32, with weights in blocks of 32 that share a scale. */
export interface PeerProduct {
  readonly rows: number;
  readonly columns: number;
  readonly tokens: number;
  readonly bits: 4 | 8;
}

export type PeerQuestion = ({ readonly one: Case } | { readonly product: PeerProduct }) & {
  /** Milliseconds that each of its figures may take. */
  readonly patience: number;
};

export interface PeerTimes {
  /** One operator, by the wall clock. */
  readonly operator: Figure;
  /** Nodes of the graph it was measured with; with one, the copies of a run are part of it. */
  readonly nodes: number;
  /** Its kernels alone, without what moves a cache, by timestamps, where the runtime has them. */
  readonly kernels?: Figure;
  readonly programs?: Readonly<Record<string, number>>;
  /** Largest error in the rows that were compared; null where its output are no numbers. */
  readonly error: number | null;
}

export type PeerAnswer = { readonly times: PeerTimes } | { readonly failure: string };
