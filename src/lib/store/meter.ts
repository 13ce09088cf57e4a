/** How fast bytes come: over the last few seconds, so that it neither jumps nor lags. */

const WINDOW_MS = 5000;
/** Below this there is nothing to say yet. */
const LEAST_MS = 500;
/** Arrivals so close together count as one: there are thousands a second. */
const STEP_MS = 50;

export class Meter {
  readonly #now: () => number;
  #begun: number | undefined;
  #arrivals: { readonly at: number; bytes: number }[] = [];

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  add(bytes: number): void {
    const at = this.#now();
    this.#begun ??= at;
    const last = this.#arrivals.at(-1);
    if (last && at - last.at < STEP_MS) last.bytes += bytes;
    else this.#arrivals.push({ at, bytes });
    this.#forget(at);
  }

  /** Bytes a second; undefined until it can be told. */
  rate(): number | undefined {
    const now = this.#now();
    this.#forget(now);
    if (this.#begun === undefined || now - this.#begun < LEAST_MS) return undefined;
    const bytes = this.#arrivals.reduce((sum, arrival) => sum + arrival.bytes, 0);
    return (bytes / Math.min(WINDOW_MS, now - this.#begun)) * 1000;
  }

  /** What comes after a pause has nothing to do with what came before. */
  reset(): void {
    this.#begun = undefined;
    this.#arrivals = [];
  }

  #forget(now: number): void {
    const first = this.#arrivals.findIndex(({ at }) => at > now - WINDOW_MS);
    if (first !== 0) this.#arrivals = first < 0 ? [] : this.#arrivals.slice(first);
  }
}
