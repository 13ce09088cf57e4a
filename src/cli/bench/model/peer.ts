/** What ONNX Runtime's WebGPU provider takes for the same products and for attention of the same shape. */
import type { Model } from '$gpu/model';
import type { Case } from '$lib/engine/bench/attention/cases';
import type { OnnxPeer } from '../onnx/peer';
import type { PeerQuestion } from '../onnx/protocol';
import type { Figure } from '$lib/engine/bench/statistics';
import type { Clock } from '$lib/engine/bench/stopwatch';

export interface PeerFigures {
  readonly ms: Figure;
  /** `gpu`: its kernels alone, by its profile; `wall`: the operator, by the wall. */
  readonly clock: Clock;
  /** Nodes of the graph; with one, the copies of a run are part of it. */
  readonly nodes: number;
  readonly programs?: Readonly<Record<string, number>>;
  /** Null where its output are no numbers. */
  readonly error: number | null;
}

/** What the peer's process takes to start, to compile and to run. */
const TIMEOUT_MS = 120_000;

/** Times, or why there are none. `clock`: the one that our side was timed by. */
export async function askPeer(peer: OnnxPeer, question: PeerQuestion, clock: Clock): Promise<PeerFigures | string> {
  const answer = await peer.ask(question, TIMEOUT_MS);
  if ('failure' in answer) return answer.failure;
  const { operator, kernels, nodes, programs, error } = answer.times;
  const byGpu = clock === 'gpu' ? kernels : undefined;
  return {
    ...(byGpu ? { ms: byGpu, clock: 'gpu' } : { ms: operator, clock: 'wall' }),
    ...{ nodes, error },
    ...(programs && { programs }),
  };
}

/** A layer's attention: `tokens` queries behind `position` keys; the peer has one type for queries and cache. */
export function attentionCase({ config, kvType }: Model, tokens: number, position: number): Case {
  const { headDim, headsQ, headsKv } = config;
  return {
    schedule: tokens === 1 ? 'decode' : 'prefill',
    dtype: kvType === 'f16' ? 'f16' : 'f32',
    keys: position + tokens,
    ...{ headDim, headsQ, headsKv },
  };
}
