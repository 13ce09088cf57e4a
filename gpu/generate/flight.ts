/** What is on its way back from the GPU, and how not to wait for it. */

/** Downloads that are under way, oldest first. */
export class Flight<T> {
  readonly #pending: Promise<T>[] = [];

  constructor(private readonly download: () => Promise<T>) {}

  get size(): number {
    return this.#pending.length;
  }

  add(): void {
    this.#pending.push(this.download());
  }

  next(): Promise<T> {
    return this.#pending.shift()!;
  }

  /** Nobody waits for the rest: a device that is lost now is told of by the next call. */
  abandon(): void {
    for (const download of this.#pending) download.catch(() => undefined);
  }
}

export const ABORTED = Symbol('aborted');

/**
 * The value, or ABORTED as soon as the signal says so: what the GPU has begun it finishes, but nobody waits for it. What
 * fails after that is told of by the next call.
 */
export async function unlessAborted<T>(
  work: T | PromiseLike<T>,
  signal: AbortSignal | undefined,
): Promise<T | typeof ABORTED> {
  if (!signal) return work;
  let stop = (): void => undefined;
  const aborted = new Promise<typeof ABORTED>((resolve) => (stop = () => resolve(ABORTED)));
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop);
  try {
    return await Promise.race([aborted, work]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
