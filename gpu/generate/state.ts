/**
 * The state of a sequence, i32 `[STATE_LENGTH]`: what one step leaves on the GPU for the next. The twin of state.wesl.
 *
 * The host writes it at the start of a request; from there on the sampler alone does, so that any number of steps may
 * be in flight. The last RING_LENGTH tokens lie in it too: one download tells all that several steps have drawn.
 */
import type { Gpu, Tensor } from '../device';

/** Where each word lies. */
export const STATE = {
  /**
   * Place in the sequence of the token that the running step computes: it goes to this slot of the KV cache. The
   * sampler adds 1 when it has drawn, which makes it the number of tokens in the cache. First, since attention reads
   * the length of the cache from the first word of a tensor.
   */
  position: 0,
  /** The id that the next step embeds; in bounds always, 0 after a failure. */
  token: 1,
  /** Tokens drawn in this request. */
  drawn: 2,
  /** 0, or why no token could be drawn; it stays until the host writes the state again. */
  failure: 3,
  /** Token n of the request lies at `ring + n % RING_LENGTH`; -1 where none could be drawn. */
  ring: 16,
} as const;

export const RING_LENGTH = 32;
export const STATE_LENGTH = STATE.ring + RING_LENGTH;

/** Why no token could be drawn from the logits. */
export type SamplingFailure = 'not-a-number' | 'nothing-allowed';

const FAILURES: readonly (SamplingFailure | undefined)[] = [undefined, 'not-a-number', 'nothing-allowed'];

export interface StateValues {
  readonly token: number;
  readonly position: number;
  readonly drawn: number;
  readonly failure: SamplingFailure | undefined;
}

export function createState(gpu: Gpu): Tensor {
  return gpu.upload(new Int32Array(STATE_LENGTH), [STATE_LENGTH]);
}

/** Starts a request whose next step computes the token at `position`, which is `token` where that step embeds one. */
export function writeState(
  gpu: Gpu,
  state: Tensor,
  { token = 0, position }: { token?: number; position: number },
): void {
  const words = new Int32Array(STATE_LENGTH);
  words[STATE.token] = token;
  words[STATE.position] = position;
  gpu.write(state, words);
}

/** What a download of the state says. */
export function readState(words: Int32Array | Uint32Array): StateValues {
  return {
    token: words[STATE.token]!,
    position: words[STATE.position]!,
    drawn: words[STATE.drawn]!,
    failure: FAILURES[words[STATE.failure]!],
  };
}

/** Tokens `from` (counted within the request) up to the last drawn, out of a download; at most RING_LENGTH are there. */
export function drawnTokens(words: Int32Array | Uint32Array, from = 0): number[] {
  const drawn = words[STATE.drawn]!;
  const first = Math.max(from, drawn - RING_LENGTH);
  return Array.from({ length: Math.max(0, drawn - first) }, (_, n) => words[STATE.ring + ((first + n) % RING_LENGTH)]!);
}
