/** What computes: the GPU (gpu-runner.ts) or the processor (cpu-runner.ts). A prompt in, text out as it comes. */
import type { GeneratedToken, GenerationEnd, MaskHook, Sampling } from '$gpu/generate';
import type { Abilities } from './protocol';

/** A prompt in both forms, since the processor's engine tokenizes by itself. */
export interface Prompt {
  readonly ids: readonly number[];
  /** With control tokens spelt out, those that a person typed broken up (Tokenizer.promptText). */
  readonly text: string;
}

export interface RunOptions {
  readonly sampling?: Sampling;
  readonly maxTokens: number;
  /** Ends the run within a token; it is then done, with the reason `aborted`. */
  readonly signal: AbortSignal;
  /** How many of the likeliest tokens each token comes with, by log-probability. */
  readonly logprobs?: number;
  /** Which tokens may come next, asked before every one. */
  readonly mask?: MaskHook;
  /** Control tokens are part of the text: some models mark with them which tool they call. */
  readonly showControl?: boolean;
  readonly onPrefill?: (done: number, total: number) => void;
}

export interface RunPiece {
  /** '' in the middle of a character. */
  readonly text: string;
  /** The tokens that it came from; none where the engine does not tell. */
  readonly tokens: readonly GeneratedToken[];
  /** How many they are, told or not. */
  readonly count: number;
}

export interface Runner {
  /** Most tokens of prompt and answer together. */
  readonly context: number;
  readonly abilities: Abilities;
  /** To be run to its end, by `signal` if early: a caller does not simply leave it. */
  run(prompt: Prompt, options: RunOptions): AsyncGenerator<RunPiece, GenerationEnd, undefined>;
  close(): void;
}
