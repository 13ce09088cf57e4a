/** Notices that nothing comes any more: a connection can die without a word. */

/** Of the time that a silence may last. */
const STEPS = 4;

/** Aborts its signal when nothing came for too long. */
export class Silence {
  readonly #stop = new AbortController();
  readonly #longest: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(longest: number) {
    this.#longest = longest;
    this.#begin();
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  async within<T>(step: Promise<T>): Promise<T> {
    this.#begin();
    try {
      return await step;
    } finally {
      // Writing things down is no silence of the server's.
      this.end();
    }
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  /** In steps: of a program that was not let run meanwhile one passes, and then it hears what has come. */
  #begin(left = STEPS): void {
    this.end();
    this.#timer = setTimeout(() => (left > 1 ? this.#begin(left - 1) : this.#stop.abort()), this.#longest / STEPS);
  }
}
