/** The store of models in a folder of this machine: the same code as in a page, over files. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { bestOf } from '$lib/catalog';
import { HUGGING_FACE, type Manifest, type ModelAddress, ModelStore, type Patience, StoreError } from '$lib/store';
import { FolderDepot } from '$lib/store/folder-depot';
import { folderLocks } from '$lib/store/folder-locks';

export interface StoreChoice {
  readonly hub: string;
  readonly token: string | undefined;
  /** The folder that models are kept in. */
  readonly cache: string;
}

export interface DownloadProgress {
  readonly status: string;
  readonly done: number;
  readonly total: number;
  readonly secondsLeft?: number;
}

/** For `parseArgs`. */
export const STORE_OPTIONS = { hub: { type: 'string' }, token: { type: 'string' }, cache: { type: 'string' } } as const;

export const STORE_USAGE = `  --hub ADDRESS           the hub that models are downloaded from; default ${HUGGING_FACE}
  --token TOKEN           for models whose publisher wants his terms accepted; default: the variable HF_TOKEN
  --cache FOLDER          where models are kept; default: the variable FIRESIDE_CACHE, or ~/.cache/fireside`;

/** A terminal waits for a minute or so, not for ever. */
const PATIENCE: Patience = { first: 1000, most: 15_000, tries: 8, silence: 30_000 };

export function storeFrom(
  values: Readonly<Record<string, unknown>>,
  env: NodeJS.ProcessEnv = process.env,
): StoreChoice {
  const given = (name: string): string | undefined => {
    const value = values[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const home = join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'fireside');
  return {
    hub: given('hub') ?? HUGGING_FACE,
    token: given('token') ?? env.HF_TOKEN,
    cache: given('cache') ?? env.FIRESIDE_CACHE ?? home,
  };
}

export function openStore({ hub, token, cache }: StoreChoice): { store: ModelStore; depot: FolderDepot } {
  const depot = new FolderDepot(cache);
  const settings = { hub, keep: 'page', ...(token !== undefined && { token }) } as const;
  const store = new ModelStore({ depot, locks: folderLocks(cache), patience: PATIENCE });
  store.setHub(settings);
  return { store, depot };
}

/**
 * The model at an address, downloaded where it is not there yet. Without a connection, a model that is there is taken as
 * it is. Stopped, it keeps what came.
 */
export async function fetchModel(
  address: ModelAddress,
  choice: StoreChoice,
  signal: AbortSignal,
  onProgress: (progress: DownloadProgress) => void,
): Promise<{ manifest: Manifest; depot: FolderDepot }> {
  const { store, depot } = openStore(choice);
  await store.start({ goOn: false });
  const stop = (): void => void store.close();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const found = await offered(store, address, signal);
    if (typeof found !== 'string') return { manifest: found, depot };
    store.subscribe(({ models }) => {
      const model = models.find(({ id }) => id === found);
      if (!model) return;
      const { status, done, bytes, secondsLeft } = model;
      onProgress({ status, done, total: bytes, ...(secondsLeft !== undefined && { secondsLeft }) });
    });
    return { manifest: await store.finished(found), depot };
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    await store.close();
  }
}

/** The id of a download that has begun; or the model itself, where the hub cannot be asked and it is there. */
async function offered(store: ModelStore, address: ModelAddress, signal: AbortSignal): Promise<string | Manifest> {
  try {
    const { choices } = await store.offer(address, signal);
    return await store.download(bestOf(choices)!);
  } catch (error) {
    const kept = error instanceof StoreError && error.problem === 'network' ? await keptOf(store, address) : undefined;
    if (!kept) throw error;
    return kept;
  }
}

async function keptOf(store: ModelStore, address: ModelAddress): Promise<Manifest | undefined> {
  if (address.kind !== 'hub') return undefined;
  const { repo, path } = address;
  const found = store.state.models.find(
    ({ status, origin, files }) =>
      status === 'whole' && origin.repo === repo && (path === undefined || files.some((file) => file.path === path)),
  );
  return found && store.manifest(found.id);
}
