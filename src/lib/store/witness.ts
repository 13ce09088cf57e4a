/**
 * Notices that the browser cleared models away. It clears a page's databases whole, without a word; what stays behind, in
 * most browsers, is localStorage: there stands what there was.
 */
import type { StoreState } from './state';

/** As much of localStorage as this needs. */
export interface Witness {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

export type Seen = readonly { readonly name: string; readonly bytes: number }[];

const KEY = 'fireside.models';

/** What was there when the page was last open; empty where nobody remembers. */
export function recall(witness: Witness | undefined): Seen {
  try {
    const seen: unknown = JSON.parse(witness?.getItem(KEY) ?? '[]');
    return Array.isArray(seen) ? seen.filter(isSeen) : [];
  } catch {
    // Somebody else's words, or a browser that lets nobody look.
    return [];
  }
}

export function remember(witness: Witness | undefined, { models }: StoreState): void {
  const seen = JSON.stringify(models.map(({ name, bytes }) => ({ name, bytes })) satisfies Seen);
  try {
    if (witness && witness.getItem(KEY) !== seen) witness.setItem(KEY, seen);
  } catch {
    // Then an eviction goes unnoticed; there is nobody to tell.
  }
}

/** All or nothing is how browsers clear: something left means that a person deleted the rest. */
export function evictedOf(seen: Seen, { models, ready, trouble }: StoreState): Seen {
  // Where nothing can be read, nobody knows.
  return ready && !trouble && models.length === 0 ? seen : [];
}

function isSeen(value: unknown): value is Seen[number] {
  if (typeof value !== 'object' || value === null) return false;
  return 'name' in value && typeof value.name === 'string' && 'bytes' in value && typeof value.bytes === 'number';
}
