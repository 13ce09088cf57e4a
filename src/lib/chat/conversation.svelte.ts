/** One conversation with one model: what was said, what is going on, and what a person can do about it. */
import { Engine, EngineError } from '$lib/engine/client';
import type { Failure, LoadedModel, LoadOptions, LoadProgress, LoadRequest, Sampling } from '$lib/engine/protocol';
import { messagesOf, type Turn } from './turns';

/** `none`: no model is open, since it failed or was stopped. */
export type State = 'opening' | 'ready' | 'answering' | 'none';

export type ModelChoice = LoadRequest & {
  readonly sampling?: Sampling;
  readonly maxTokens?: number;
};

export class Conversation {
  state = $state<State>('opening');
  progress = $state<LoadProgress>({ phase: 'device' });
  model = $state<LoadedModel>();
  /** Why there is no model. */
  failure = $state<Failure>();
  turns = $state<Turn[]>([]);
  /** How much of the prompt has been read, from 0 to 1, before the answer begins. */
  prefill = $state(0);

  #choice: ModelChoice | undefined;
  #engine: Engine | undefined;
  #stop = new AbortController();

  /** Opens a model in place of the one that is open; the conversation stays. */
  async open(choice: ModelChoice): Promise<void> {
    this.#choice = choice;
    this.state = 'opening';
    this.progress = { phase: 'device' };
    this.failure = undefined;
    this.model = undefined;
    // A worker that broke, or whose GPU was lost, is replaced whole.
    this.close();
    const engine = (this.#engine = new Engine());
    try {
      const model = await engine.load(choice, (progress) => (this.progress = progress));
      if (engine !== this.#engine) return;
      this.model = model;
      this.state = 'ready';
    } catch (error) {
      if (engine !== this.#engine) return;
      this.failure = failureOf(error);
      this.state = 'none';
    }
  }

  async reopen(changes: LoadOptions = {}): Promise<void> {
    if (this.#choice) await this.open({ ...this.#choice, ...changes });
  }

  /** Asks, and lets the answer come. */
  async ask(text: string): Promise<void> {
    if (this.state !== 'ready') return;
    this.turns.push({ role: 'user', text });
    await this.#answer();
  }

  /** The last question again, in place of an answer that broke off. */
  async retry(): Promise<void> {
    if (this.state !== 'ready' || !this.turns.at(-1)?.failure) return;
    this.turns.pop();
    await this.#answer();
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Forgets what was said. */
  clear(): void {
    this.stop();
    this.turns = [];
  }

  close(): void {
    this.stop();
    this.#engine?.close();
    this.#engine = undefined;
  }

  async #answer(): Promise<void> {
    const engine = this.#engine;
    if (!engine) return;
    const messages = messagesOf(this.turns);
    this.turns.push({ role: 'assistant', text: '' });
    // Reached through the array: what $state hands out is watched, the object above is not.
    const answer = this.turns.at(-1)!;
    this.state = 'answering';
    this.prefill = 0;
    this.#stop = new AbortController();
    const { sampling = {}, maxTokens } = this.#choice ?? {};
    try {
      answer.end = await engine.generate(
        { messages, sampling, ...(maxTokens && { maxTokens }) },
        (progress) => {
          if (progress.type === 'text') answer.text += progress.text;
          else this.prefill = progress.done / progress.total;
        },
        this.#stop.signal,
      );
    } catch (error) {
      // Who opens another model in the middle of an answer knows why it broke off.
      if (engine === this.#engine) answer.failure = failureOf(error);
    }
    if (engine === this.#engine) this.state = 'ready';
  }
}

function failureOf(error: unknown): Failure {
  if (error instanceof EngineError) return { code: error.code, message: error.message };
  return { code: 'unknown', message: error instanceof Error ? error.message : String(error) };
}
