/**
 * The public face of the room, but for `client.ts`, which brings a worker along, and for what is Node's alone
 * (`folder-depot.ts`, `folder-locks.ts`).
 */
export { formatAddress, HUGGING_FACE, type ModelAddress, parseAddress } from './address';
export type { Depot, Space } from './depot';
export { droppedFiles } from './drop';
export { StoreError, type StoreFailure, type StoreProblem } from './errors';
export { HubClient, type HubListing, type HubOptions } from './hub';
export { type BlobBacked, IdbDepot, isBlobBacked } from './idb-depot';
export type { Format } from './kinds';
export { tabLocks } from './locks';
export type { Choice, Offer } from './offer';
export { type Manifest, ROOM_BESIDE, type StoredFile } from './records';
export type { Patience } from './retry';
export type { HubSettings } from './settings';
export { type FileState, freeOf, type ModelState, type ModelStatus, type StoreState } from './state';
export { ModelStore, type PocketModel, type StoreOptions } from './store';
