/** Takes an answer's words as they come, and gives them on once a frame: to the page, and now and then to the store. */
import type { GenerateProgress } from '$lib/engine/protocol';
import { partsOf } from '../thinking';
import type { Live } from './answerer.svelte';

/** Milliseconds between two times that a growing answer is kept. */
const KEEP_EVERY = 400;
/** Milliseconds between two looks at what came, in a page that gets no frames since nobody sees it. */
const UNSEEN = 250;

export class Intake {
  /** Whether anything came. */
  some = false;
  readonly #live: Live;
  #waiting = '';
  #kept = performance.now();
  #thinkingSince: number | undefined;
  #cancel: (() => void) | undefined;

  constructor(live: Live) {
    this.#live = live;
  }

  readonly take = (progress: GenerateProgress): void => {
    if (progress.type === 'prefill') {
      this.#live.prefill = progress.done / Math.max(1, progress.total);
      return;
    }
    this.some = true;
    this.#waiting += progress.text;
    this.#cancel ??= nextFrame(() => this.#give());
  };

  /** Gives on what is left. */
  finish(): void {
    this.#cancel?.();
    this.#give();
  }

  #give(): void {
    this.#cancel = undefined;
    if (this.#waiting === '') return;
    const { thread, node } = this.#live;
    const text = node.message.text + this.#waiting;
    this.#waiting = '';
    thread.update(node, { text, ...this.#thoughtMs(text) });
    if (performance.now() - this.#kept < KEEP_EVERY) return;
    this.#kept = performance.now();
    void thread.keep(node);
  }

  /** How long it thought, from when that ended. */
  #thoughtMs(text: string): { thoughtMs?: number } {
    if (this.#live.node.message.thoughtMs !== undefined) return {};
    const { open, thought } = partsOf(text);
    if (open) this.#thinkingSince ??= performance.now();
    if (open || thought === undefined || this.#thinkingSince === undefined) return {};
    return { thoughtMs: performance.now() - this.#thinkingSince };
  }
}

/**
 * Before the next paint, or soon where nobody sees the page and nothing is painted.
 *
 * @returns takes it back
 */
function nextFrame(run: () => void): () => void {
  const cancel = (): void => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  };
  const once = (): void => {
    cancel();
    run();
  };
  const frame = requestAnimationFrame(once);
  const timer = setTimeout(once, UNSEEN);
  return cancel;
}
