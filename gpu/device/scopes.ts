/**
 * How long temporaries live: until the innermost scope ends, or, outside of any, until the running task does.
 *
 * A scope may end before its commands have run, even before they are submitted: the queue keeps order, and whoever
 * takes the memory next records commands that run later.
 */
import type { Tensor } from './tensor';

export class Scopes {
  readonly #open: Tensor[][] = [];
  #task: Tensor[] = [];

  add(tensor: Tensor): void {
    const innermost = this.#open.at(-1);
    if (innermost) innermost.push(tensor);
    else this.#addToTask(tensor);
  }

  /** Runs `body` and destroys the temporaries it asked for. */
  run<T>(body: () => T): T {
    const tensors: Tensor[] = [];
    try {
      return this.collect(tensors, body);
    } finally {
      destroyAll(tensors);
    }
  }

  /** Runs `body` and puts the temporaries it asked for, and no inner scope has destroyed, into `tensors`. */
  collect<T>(tensors: Tensor[], body: () => T): T {
    this.#open.push(tensors);
    try {
      return body();
    } finally {
      this.#open.pop();
    }
  }

  #addToTask(tensor: Tensor): void {
    if (this.#task.length === 0) {
      queueMicrotask(() => {
        destroyAll(this.#task);
        this.#task = [];
      });
    }
    this.#task.push(tensor);
  }
}

export function destroyAll(tensors: readonly Tensor[]): void {
  for (const tensor of tensors) tensor.destroy();
}
