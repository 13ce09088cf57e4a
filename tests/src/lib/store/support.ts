/** A store over a folder and a hub, for tests in Node. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderDepot } from '$lib/store/folder-depot';
import { folderLocks } from '$lib/store/folder-locks';
import type { Patience } from '$lib/store/retry';
import type { HubSettings } from '$lib/store/settings';
import { ModelStore, type StoreOptions } from '$lib/store/store';
import { type Hub, startHub } from '../../../hub/hub.js';
import { madeUpContent, memoryContent, type Content } from '../../../hub/content.js';

export const MIB = 2 ** 20;
export const FILE = 'small-q8_0.gguf';
export const REPO = 'me/small';
/** Two chunks and a bit. */
export const SIZE = 16 * MIB + 12_345;

/** As a person, but in a hurry. */
export const HASTY: Patience = { first: 5, most: 20, tries: 6, silence: 400 };

export const text = (value: string): Content => memoryContent(new TextEncoder().encode(value));

export interface Bench {
  readonly hub: Hub;
  readonly folder: string;
  readonly depot: FolderDepot;
  /** A store as a new program opens it; closed in the end. */
  open(options?: Partial<StoreOptions> & { token?: string }): ModelStore;
  close(): Promise<void>;
}

export async function openBench(): Promise<Bench> {
  const hub = await startHub({
    repos: {
      [REPO]: { files: { [FILE]: madeUpContent(SIZE), 'README.md': text('# Small\n') } },
      'me/tensors': {
        files: {
          'config.json': text('{}'),
          'tokenizer.json': text('{"a":1}'),
          'model.safetensors': madeUpContent(MIB + 1, 2),
        },
      },
      'me/gated': { files: { [FILE]: madeUpContent(MIB, 3) }, gated: true },
    },
    token: 'hf_good',
  });
  const folder = mkdtempSync(join(tmpdir(), 'fireside-store-'));
  const stores: ModelStore[] = [];
  return {
    hub,
    folder,
    depot: new FolderDepot(folder),
    open({ token, ...options } = {}) {
      const settings: HubSettings = { hub: hub.url, keep: 'page', ...(token !== undefined && { token }) };
      const depot = new FolderDepot(folder);
      const store = new ModelStore({ depot, locks: folderLocks(folder), hub: settings, patience: HASTY, ...options });
      stores.push(store);
      return store;
    },
    async close() {
      await Promise.all(stores.map((store) => store.close()));
      hub.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Downloads the only model at the address, and waits for its end. */
export async function fetchWhole(store: ModelStore, address = REPO): Promise<string> {
  const { choices } = await store.look(address);
  const id = await store.download(choices[0]!);
  await store.finished(id);
  return id;
}
