/**
 * What can go wrong on its own, as typed events: loss, want of memory, and refusals that no call of ours waited for.
 */
import type { GpuError, GpuLostError, OutOfMemoryError } from './errors';

export interface GpuEvents {
  /** The device is gone, with everything on it. Also after `destroy()`, with the reason 'destroyed'. */
  readonly lost: GpuLostError;
  readonly outOfMemory: OutOfMemoryError;
  /** Any other error that came without being asked for: WebGPU's uncaptured errors, failed guards. */
  readonly error: GpuError;
}

type Listener<Name extends keyof GpuEvents> = (event: GpuEvents[Name]) => void;

export class GpuEventTarget {
  readonly #listeners: { [Name in keyof GpuEvents]: Set<Listener<Name>> } = {
    lost: new Set(),
    outOfMemory: new Set(),
    error: new Set(),
  };

  /** Returns the function that takes the listener off again. */
  on<Name extends keyof GpuEvents>(name: Name, listener: Listener<Name>): () => void {
    const listeners = this.#listeners[name];
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  emit<Name extends keyof GpuEvents>(name: Name, event: GpuEvents[Name]): void {
    for (const listener of this.#listeners[name]) listener(event);
  }

  clear(): void {
    for (const listeners of Object.values(this.#listeners)) listeners.clear();
  }
}
