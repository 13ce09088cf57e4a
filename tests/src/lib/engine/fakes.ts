/** A tokenizer of bytes, and models that say what the test tells them. */
import type { GeneratedToken, GenerateOptions, GenerationEnd, SessionPool } from '$gpu/generate';
import type { Abilities } from '$lib/engine/protocol';
import type { Prompt, RunOptions, Runner, RunPiece } from '$lib/engine/runner';

export const timings = { prefill: { tokens: 3, reused: 0, ms: 1 }, decode: { tokens: 2, ms: 1 } } as const;

/** Says its pieces, one by one, and stops where it is told to. Keeps what it was asked. */
export class SaidRunner implements Runner {
  readonly abilities: Abilities = { mask: true, logprobs: true, penaltiesCount: 'answer' };
  readonly asked: { prompt: Prompt; options: RunOptions }[] = [];
  closed = false;
  /** Pieces that were computed, whether anybody took them or not. */
  computed = 0;

  constructor(
    readonly pieces: readonly string[],
    readonly context = 100,
    readonly ending: GenerationEnd['reason'] = 'end',
  ) {}

  async *run(prompt: Prompt, options: RunOptions): AsyncGenerator<RunPiece, GenerationEnd, undefined> {
    this.asked.push({ prompt, options });
    options.onPrefill?.(prompt.ids.length, prompt.ids.length);
    for (const [i, text] of this.pieces.entries()) {
      if (options.signal.aborted) return { reason: 'aborted', ...timings };
      if (i >= options.maxTokens) return { reason: 'length', ...timings };
      this.computed += 1;
      yield { text, tokens: [{ id: i }], count: 1 };
      await Promise.resolve();
    }
    return { reason: options.signal.aborted ? 'aborted' : this.ending, ...timings };
  }

  close(): void {
    this.closed = true;
  }
}

/** Sessions that generate these ids, up to one that ends the answer. */
export class SaidSessions implements Pick<SessionPool, 'generate' | 'context' | 'destroy'> {
  readonly context = 64;
  destroyed = false;
  options: GenerateOptions = {};

  constructor(readonly ids: readonly number[]) {}

  async *generate(
    _: readonly number[],
    options: GenerateOptions = {},
  ): AsyncGenerator<GeneratedToken, GenerationEnd, undefined> {
    this.options = options;
    for (const id of this.ids) {
      if (options.signal?.aborted) return { reason: 'aborted', ...timings };
      if (options.endIds?.has(id)) return { reason: 'end', ...timings };
      yield { id, logprob: -1 };
    }
    return { reason: 'length', ...timings };
  }

  destroy(): void {
    this.destroyed = true;
  }
}
