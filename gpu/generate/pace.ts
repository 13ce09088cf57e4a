/**
 * How much is sent to the GPU at once. What it has begun it finishes, so a stop and whoever asks next wait for it: a part
 * of a prompt has as many tokens, and an answer as many steps ahead, as take it a tenth of a second, as measured.
 */
import type { Gpu } from '../device';

/** Milliseconds that what is under way may take. */
const MOST_MS = 100;
/**
 * Tokens of a part: few sizes, so that few sizes of temporaries come up. A GPU streams weights past 8 tokens at most, and
 * from there on computes tiles of 32 (gpu/ops/product.ts); a processor in its stead has tiles of 8 or 16.
 */
const SIZES = [8, 32, 64, 128, 256, 512];
const SIZES_ON_SOFTWARE = [8, 16, 32, 64, 128, 256, 512];
/** Before anything was measured. */
const FIRST = 64;
const FIRST_ON_SOFTWARE = 16;

/** Steps of an answer under way: enough to hide the way back. */
const MOST_STEPS = 4;
const FIRST_STEPS = 2;

export class Pace {
  readonly #sizes: readonly number[];
  #size: number;
  #stepMs: number | undefined;

  constructor({ info }: Pick<Gpu, 'info'>) {
    this.#sizes = info.isFallback ? SIZES_ON_SOFTWARE : SIZES;
    this.#size = this.#sizes.indexOf(info.isFallback ? FIRST_ON_SOFTWARE : FIRST);
  }

  /** Tokens of the next part. */
  get tokens(): number {
    return this.#sizes[this.#size]!;
  }

  /** Steps that may be under way. */
  get steps(): number {
    if (this.#stepMs === undefined) return FIRST_STEPS;
    return Math.min(MOST_STEPS, Math.max(1, Math.floor(MOST_MS / this.#stepMs)));
  }

  /** A part of so many tokens took so long. */
  took(tokens: number, ms: number): void {
    if (tokens !== this.tokens) return;
    const [smaller, larger] = [this.#sizes[this.#size - 1], this.#sizes[this.#size + 1]];
    // A quarter as many tokens at once is slower for each: it takes parts that last too long by far.
    if (smaller !== undefined && ms > (MOST_MS * tokens) / smaller / 2) this.#size--;
    else if (larger !== undefined && (ms * larger) / tokens < MOST_MS) this.#size++;
  }

  /** So long after the step before a step was done. Who reads slowly makes it longer: the shorter ones count more. */
  stepTook(ms: number): void {
    this.#stepMs = Math.min(ms, (this.#stepMs ?? ms) * 0.75 + ms * 0.25);
  }
}
