/** What the store tells of itself: plain data, new objects at each change, for pages to show. */
import type { Space } from './depot';
import type { StoreFailure } from './errors';
import type { Origin } from './records';

export type ModelStatus =
  /** Ready to be opened. */
  | 'whole'
  /** Another tab, or another download, has its turn first. */
  | 'queued'
  | 'downloading'
  /** The network is gone, or the server asked to wait: it goes on by itself. */
  | 'waiting'
  /** Bytes are read back and compared with their hashes. */
  | 'checking'
  /** By a person. */
  | 'paused'
  /** It stopped, and says why; what came is kept. */
  | 'failed'
  /** Was whole, and bytes of it are gone or changed: it can be repaired. */
  | 'damaged';

export interface FileState {
  readonly path: string;
  readonly bytes: number;
  readonly done: number;
}

export interface ModelState {
  readonly id: string;
  readonly name: string;
  readonly origin: Origin;
  readonly license?: string;
  readonly status: ModelStatus;
  readonly files: readonly FileState[];
  /** Bytes in all, and those that are there; while `checking`, those that were read. */
  readonly bytes: number;
  readonly done: number;
  readonly bytesPerSecond?: number;
  readonly secondsLeft?: number;
  /** For `waiting`: why, and until when (milliseconds since 1970). */
  readonly hold?: { readonly why: 'network' | 'busy' | 'broken'; readonly until: number };
  /** For `failed` and `damaged`. */
  readonly failure?: StoreFailure;
  /** Milliseconds since 1970, of whole models. */
  readonly addedAt?: number;
  readonly checkedAt?: number;
  /** Whether this tab does it; another one does otherwise. */
  readonly here: boolean;
}

export interface StoreState {
  /** False until the records were read. */
  readonly ready: boolean;
  readonly models: readonly ModelState[];
  /** What the browser gives this page of the disk; undefined where it does not tell. */
  readonly space: Space | undefined;
  /** Bytes of models, whole and begun. */
  readonly stored: number;
  /** Whether the browser has promised not to clear them away by itself; undefined: nobody knows. */
  readonly persisted: boolean | undefined;
  /** Models that were here, and that the browser has cleared away. */
  readonly evicted: readonly { readonly name: string; readonly bytes: number }[];
  /** `outdated`: this page has to be reloaded. `blocked`: other tabs have to be, or closed. */
  readonly trouble?: StoreFailure;
}

/** Bytes that are still free for this page; undefined: not known. */
export function freeOf(space: Space | undefined): number | undefined {
  return space && Math.max(0, space.quota - space.used);
}
