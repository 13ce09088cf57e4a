/**
 * Whose turn it is. The engine answers one at a time; who came first is first, and a request for several answers queues
 * again for each of them, so that it does not keep the others waiting for all. Whoever gives up leaves at once.
 */
import { tooMany } from './errors';

interface Waiting {
  readonly go: () => void;
}

export class Queue {
  readonly #most: number;
  #busy = false;
  #waiting: Waiting[] = [];

  /** @param most requests that may wait, beside the one that is answered */
  constructor(most: number) {
    this.#most = most;
  }

  get length(): number {
    return this.#waiting.length;
  }

  get busy(): boolean {
    return this.#busy;
  }

  /** Throws where there is no place left; to be asked when a request comes, not for each of its answers. */
  requirePlace(): void {
    if (!this.#busy || this.#waiting.length < this.#most) return;
    throw tooMany(`${this.#most} requests are waiting already. Try again later.`);
  }

  /** Resolves, when it is its turn, with the function that ends it. Rejects with the signal's reason. */
  async turn(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#busy) await this.#wait(signal);
    this.#busy = true;
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      this.#next();
    };
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((go, failed) => {
      const waiting: Waiting = {
        go: () => {
          signal.removeEventListener('abort', leave);
          go();
        },
      };
      const leave = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        failed(signal.reason as Error);
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(waiting);
    });
  }

  /** The turn is handed over, so that nobody slips in between. */
  #next(): void {
    const next = this.#waiting.shift();
    if (next) next.go();
    else this.#busy = false;
  }
}
