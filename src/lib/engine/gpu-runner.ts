/** Runs prompts on the GPU: ids in, ids back a few tokens behind, turned into text as they come. */
import type { Tokenizer } from '$lib/text';
import type { GenerationEnd, SessionPool } from '$gpu/generate';
import type { Abilities } from './protocol';
import type { Prompt, RunOptions, Runner, RunPiece } from './runner';

export interface GpuRunnerParts {
  readonly sessions: Pick<SessionPool, 'generate' | 'context' | 'destroy'>;
  readonly tokenizer: Tokenizer;
  /** Gives back what the sessions stand on. */
  readonly close: () => void;
}

export class GpuRunner implements Runner {
  readonly abilities: Abilities = { mask: true, logprobs: true, penaltiesCount: 'answer' };
  readonly #parts: GpuRunnerParts;

  constructor(parts: GpuRunnerParts) {
    this.#parts = parts;
  }

  get context(): number {
    return this.#parts.sessions.context;
  }

  async *run(
    prompt: Prompt,
    { showControl = false, ...options }: RunOptions,
  ): AsyncGenerator<RunPiece, GenerationEnd, undefined> {
    const { sessions, tokenizer } = this.#parts;
    const detokenizer = tokenizer.detokenizer({ continues: true, special: showControl ? 'show' : 'skip' });
    const generation = sessions.generate(prompt.ids, { ...options, endIds: tokenizer.roles.ends });
    let step = await generation.next();
    for (; !step.done; step = await generation.next()) {
      yield { text: detokenizer.push(step.value.id), tokens: [step.value], count: 1 };
    }
    const rest = detokenizer.finish();
    if (rest !== '') yield { text: rest, tokens: [], count: 0 };
    return step.value;
  }

  close(): void {
    this.#parts.sessions.destroy();
    this.#parts.close();
  }
}
