/** What a page and the store's worker say to each other. Types alone. */
import type { StoreFailure } from './errors';
import type { HubSettings } from './settings';
import type { StoreState } from './state';
import type { ModelStore, PocketModel } from './store';

/** What a page may ask for: methods of `ModelStore`, without what cannot cross to a worker (signals). */
export interface Calls {
  look: { args: [text: string]; result: Awaited<ReturnType<ModelStore['look']>> };
  download: { args: Parameters<ModelStore['download']>; result: string };
  add: { args: Parameters<ModelStore['add']>; result: string };
  pause: { args: [id: string]; result: void };
  resume: { args: [id: string]; result: void };
  remove: { args: [id: string]; result: void };
  removeAll: { args: []; result: void };
  verify: { args: [id: string]; result: 'whole' | 'damaged' };
  setHub: { args: [settings: HubSettings]; result: void };
}

export type Call = keyof Calls;

export interface Setup {
  readonly pocket?: PocketModel;
  /** In the place of the hub that the person has set; not remembered. */
  readonly hub?: string;
  /** Whether downloads that were cut off go on by themselves. */
  readonly goOn: boolean;
}

export type ToWorker =
  | { readonly type: 'setup'; readonly setup: Setup }
  | { readonly type: 'call'; readonly id: number; readonly call: Call; readonly args: readonly unknown[] }
  /** Nobody here needs it any more. */
  | { readonly type: 'close' };

export type FromWorker =
  | { readonly type: 'state'; readonly state: StoreState; readonly hub: HubSettings }
  /** The database was taken away while it was open: what the last state told is gone. */
  | { readonly type: 'cleared' }
  | { readonly type: 'done'; readonly id: number; readonly result: unknown }
  | { readonly type: 'failed'; readonly id: number; readonly failure: StoreFailure };
