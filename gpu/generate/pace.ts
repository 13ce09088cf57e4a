/**
 * How many tokens of a prompt are computed at once. Many at once are cheaper each; but what the GPU has begun it
 * finishes, so a stop and whoever asks next wait for it: as many as take it a tenth of a second, as measured.
 */
import type { Gpu } from '../device';

/** Milliseconds that a part of a prompt may take. */
const MOST_MS = 100;
const LEAST = 32;
const MOST = 512;
/** Before anything was measured, where a GPU computes and where a processor stands in for one. */
const FIRST = 128;
const FIRST_ON_SOFTWARE = 64;

export class Pace {
  #tokens: number;

  constructor({ info }: Pick<Gpu, 'info'>) {
    this.#tokens = info.isFallback ? FIRST_ON_SOFTWARE : FIRST;
  }

  /** Tokens of the next part. */
  get tokens(): number {
    return this.#tokens;
  }

  /** A part of so many tokens took so long. Powers of two alone, so that few sizes of temporaries come up. */
  took(tokens: number, ms: number): void {
    if (tokens !== this.#tokens) return;
    if (ms > MOST_MS) this.#tokens = Math.max(LEAST, tokens / 2);
    else if (ms < MOST_MS / 2) this.#tokens = Math.min(MOST, tokens * 2);
  }
}
