/** Answers of the engine, one after the other as their turns come, as they are read: by `for await`. */
import type { AnswerEnd, AnswerPiece, AnswerSettings, Ask, GenerateProgress, LoadedModel } from '../protocol';
import type { Queue } from './queue';

/** What the handler needs of an engine: the page's client has it, and so has the worker's own side of it (host.ts). */
export interface ApiEngine {
  /** The model that is open. */
  readonly model: LoadedModel | undefined;
  /** Stopped by `signal`, it resolves with the reason `aborted`. */
  generate(
    request: Ask & AnswerSettings,
    onProgress: (progress: GenerateProgress) => void,
    signal: AbortSignal,
  ): Promise<AnswerEnd>;
}

/** Of the answer: `started` comes first, when it is certain that there will be one. */
export type AnswerStep =
  | { readonly type: 'started' }
  | ({ readonly type: 'text' } & AnswerPiece)
  | { readonly type: 'end'; readonly end: AnswerEnd };

/** What answers, and for whom. */
export interface Asker {
  readonly engine: ApiEngine;
  readonly queue: Queue;
  /** Whoever asked is gone. */
  readonly signal: AbortSignal;
}

/**
 * Waits for its turn. Leaving the loop early stops the engine, and gives the turn back once it has stopped.
 *
 * @param enough ends the answer with what there is
 */
export async function* answer(
  { engine, queue, signal }: Asker,
  request: Ask & AnswerSettings,
  enough?: AbortSignal,
): AsyncGenerator<AnswerStep, void, undefined> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal, ...(enough ? [enough] : [])]);
  const endTurn = await queue.turn(signal);
  const steps = new Steps<AnswerStep>();
  const call = engine
    .generate(request, (progress) => steps.push(stepOf(progress)), either)
    .then(
      (end) => steps.end({ type: 'end', end }),
      (error: unknown) => steps.fail(error),
    )
    .finally(endTurn);
  let started = false;
  try {
    for await (const step of steps) {
      if (step.type === 'end') signal.throwIfAborted();
      if (!started && step.type !== 'started') yield { type: 'started' };
      if (!started || step.type !== 'started') yield step;
      started = true;
    }
  } finally {
    stop.abort();
    await call;
  }
}

function stepOf(progress: GenerateProgress): AnswerStep {
  return progress.type === 'prefill' ? { type: 'started' } : progress;
}

/** From calls to a loop: what was pushed and not read yet waits. */
class Steps<T> implements AsyncIterable<T> {
  #ready: T[] = [];
  #closed = false;
  #error: { readonly cause: unknown } | undefined;
  #wake: () => void = () => {};

  push(step: T): void {
    this.#ready.push(step);
    this.#wake();
  }

  end(last: T): void {
    this.#closed = true;
    this.push(last);
  }

  fail(cause: unknown): void {
    this.#error = { cause };
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const ready = this.#ready;
      this.#ready = [];
      yield* ready;
      if (this.#ready.length > 0) continue;
      if (this.#error) throw this.#error.cause;
      if (this.#closed) return;
      await new Promise<void>((wake) => (this.#wake = wake));
    }
  }
}
