/** What callers of a session say and are told. */
import type { Sampling } from './sampling';
import type { TopTokens } from './top';

/**
 * Which tokens may come next: a bit for each token of the model's vocabulary, 32 a word, the lowest bit for the lowest id
 * (`ceil(vocab / 32)` words, xgrammar's layout); undefined: all.
 *
 * @param drawn the tokens of the answer so far, without the prompt; valid during the call
 */
export type MaskHook = (drawn: readonly number[]) => Uint32Array | undefined | PromiseLike<Uint32Array | undefined>;

export interface GenerateOptions {
  readonly sampling?: Sampling;
  /** Default: as many as the context holds. */
  readonly maxTokens?: number;
  /** Tokens that end the generation; they are not given out. */
  readonly endIds?: ReadonlySet<number>;
  /** Ends the generation at once. What the GPU has begun it finishes: a part of a prompt, or a few tokens. */
  readonly signal?: AbortSignal;
  /** How many of the likeliest tokens to tell of with each token, by log-probability; 0: its own alone. */
  readonly logprobs?: number;
  /**
   * Asked before every token; the next step waits for its answer, so steps no longer overlap. What it throws ends the
   * generation; so does a mask that, with the logit bias, allows nothing: NothingAllowedError.
   */
  readonly mask?: MaskHook;
  /** Tokens of the prompt that are in the cache, and all of them. */
  readonly onPrefill?: (done: number, total: number) => void;
}

export interface GeneratedToken {
  readonly id: number;
  /** Natural logarithm of its probability before bias, mask, penalties and temperature, where `logprobs` was given. */
  readonly logprob?: number;
  readonly top?: TopTokens;
}

export interface GenerationEnd {
  readonly reason: 'end' | 'length' | 'context' | 'aborted';
  /** `reused`: tokens of the prompt that were in the cache already. Milliseconds end with the first token. */
  readonly prefill: { readonly tokens: number; readonly reused: number; readonly ms: number };
  readonly decode: { readonly tokens: number; readonly ms: number };
}
