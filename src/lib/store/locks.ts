/** One of us at a time: across tabs through Web Locks, across programs through a file (folder-depot.ts). */

export interface Locks {
  /**
   * Waits for the lock, then holds it while `use` runs. Whoever holds it loses it with his tab. Rejects with the
   * signal's reason while it waits; `use` sees to its own end.
   */
  hold<T>(name: string, signal: AbortSignal, use: () => Promise<T>): Promise<T>;
}

/**
 * Pages that are not trusted (plain http) have no Web Locks. Two of their tabs may then do the same work twice, into the
 * same places; what comes of it is the same.
 */
export function tabLocks(): Locks {
  const manager = (navigator as Partial<Navigator>).locks;
  const own = ownLocks();
  if (!manager) return own;
  return {
    async hold<T>(name: string, signal: AbortSignal, use: () => Promise<T>): Promise<T> {
      let using: Promise<T> | undefined;
      try {
        return await manager.request(`fireside:${name}`, { signal }, () => (using = use()));
      } catch (error) {
        // Somebody took the lock away (`steal`): what was begun is not two things now.
        if (using) return using;
        // Frames of other sites may be denied locks: then it is as if there were none.
        if (error instanceof DOMException && error.name === 'SecurityError') return own.hold(name, signal, use);
        throw error;
      }
    },
  };
}

/** Among those who share this object alone. */
export function ownLocks(): Locks {
  const tails = new Map<string, Promise<unknown>>();
  return {
    async hold(name, signal, use) {
      signal.throwIfAborted();
      const before = tails.get(name) ?? Promise.resolve();
      const turn = before.then(() => {
        signal.throwIfAborted();
        return use();
      });
      tails.set(
        name,
        turn.catch(() => undefined),
      );
      return turn;
    },
  };
}
