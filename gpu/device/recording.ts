/**
 * What `gpu.record` collects while its body runs: dispatches that are checked but not encoded, the memory they touch,
 * and memory that the body has given back and may take again.
 */
import type { Allocation, Arena } from './arena';
import type { Checked } from './dispatch';
import { ArgumentError } from './errors';

export class Recording {
  readonly calls: Checked[] = [];
  /** Memory that recorded dispatches name: pinned, so that it outlives its tensors. */
  readonly touched = new Set<Allocation>();
  /** Memory that was taken from the arena since the recording began. */
  readonly #taken = new Set<Allocation>();
  /** Memory that the host has written: a replay does not write it again, so no later dispatch may have it. */
  readonly #constant = new Set<Allocation>();
  /** Taken, touched and given back: free for the temporaries that follow. */
  readonly #free: Allocation[] = [];

  constructor(private readonly arena: Arena) {}

  add(call: Checked): void {
    for (const { memory } of call.bound) {
      if (this.touched.has(memory)) continue;
      this.touched.add(memory);
      this.arena.pin(memory);
    }
    this.calls.push(call);
  }

  taken(allocation: Allocation): void {
    this.#taken.add(allocation);
  }

  /** The smallest memory given back that holds a temporary of `bytes`. */
  reuse(bytes: number): Allocation | undefined {
    let best = -1;
    for (let i = 0; i < this.#free.length; i++) {
      const { capacity } = this.#free[i]!;
      if (capacity >= bytes && (best < 0 || capacity < this.#free[best]!.capacity)) best = i;
    }
    if (best < 0) return undefined;
    const [allocation] = this.#free.splice(best, 1);
    this.arena.adopt(allocation!, bytes);
    return allocation;
  }

  released(allocation: Allocation): void {
    if (!this.#taken.has(allocation) || this.#constant.has(allocation) || !this.touched.has(allocation)) return;
    this.#free.push(allocation);
  }

  /** The host is about to write: it does so once, now, and replays find what it wrote. */
  hostWrites(allocation: Allocation): void {
    if (this.touched.has(allocation)) {
      throw new ArgumentError(
        'write inside record()',
        'a tensor that a dispatch recorded before uses',
        'an upload into a tensor of its own (a replay repeats dispatches, and no uploads)',
      );
    }
    this.#constant.add(allocation);
  }

  abandon(): void {
    for (const allocation of this.touched) this.arena.unpin(allocation);
  }
}
