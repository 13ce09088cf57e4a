/**
 * What a worker does for a page: downloads, hashes and checks, so that the page does not stutter. Each page has a store of
 * its own, also where several share a worker.
 */
import { failureOf } from './errors';
import { IdbDepot } from './idb-depot';
import { tabLocks } from './locks';
import type { Call, Calls, FromWorker, Setup, ToWorker } from './protocol';
import { checkHub, DEFAULT_HUB, type HubSettings, loadHubSettings, saveHubSettings } from './settings';
import type { StoreState } from './state';
import { ModelStore } from './store';
import { broadcastTabs } from './tabs';

/** A page's end of the line: a worker's own, or a port. */
export interface PageLine {
  postMessage(message: FromWorker): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<ToWorker>) => void): void;
}

/** Serves a page; `end` closes its store. */
export function serveStore(line: PageLine): { readonly end: () => void } {
  const send = (message: FromWorker): void => line.postMessage(message);
  let store: Promise<ModelStore> | undefined;
  const end = (): void => void store?.then((opened) => opened.close());
  line.addEventListener('message', ({ data }) => {
    if (data.type === 'setup') store = begin(data.setup, send);
    else if (data.type === 'close') end();
    else void answer(data, store, send);
  });
  return { end };
}

async function begin({ pocket, hub: given, goOn }: Setup, send: (message: FromWorker) => void): Promise<ModelStore> {
  let trouble: StoreState['trouble'];
  const depot = new IdbDepot({
    blocked: () => complain('Another tab with an older version of this app is open. Close it or reload it.'),
    cleared: () => void cleared(),
    outdated: () => complain('A newer version of this app runs in another tab. Reload this page; nothing is lost.'),
  });
  // A browser that keeps nothing keeps no settings either; the store itself says so below.
  const hub = given ? { ...DEFAULT_HUB, hub: checkHub(given) } : await loadHubSettings().catch(() => DEFAULT_HUB);
  const opened = new ModelStore({
    depot,
    hub,
    locks: tabLocks(),
    tabs: broadcastTabs(),
    network: self,
    persisted: isPersisted,
    trouble: () => trouble,
    ...(pocket && { pocket }),
  });
  opened.subscribe((state) => send({ type: 'state', state, hub: opened.hub }));
  try {
    await opened.start({ goOn });
  } catch (error) {
    trouble = failureOf(error);
    send({ type: 'state', state: { ...opened.state, ready: true }, hub });
  }
  return opened;

  /** The page remembers what there was, and says so. */
  async function cleared(): Promise<void> {
    send({ type: 'cleared' });
    await opened.refresh();
  }

  function complain(message: string): void {
    trouble = { problem: 'outdated', message };
    send({ type: 'state', state: opened.state, hub: opened.hub });
  }
}

async function isPersisted(): Promise<boolean | undefined> {
  const storage = (navigator as Partial<Navigator>).storage as Partial<StorageManager> | undefined;
  return storage?.persisted?.().catch(() => undefined);
}

type Handlers = { [C in Call]: (store: ModelStore, ...args: Calls[C]['args']) => Promise<Calls[C]['result']> };

const handlers: Handlers = {
  look: (opened, text) => opened.look(text),
  download: (opened, choice) => opened.download(choice),
  add: (opened, files) => opened.add(files),
  pause: (opened, id) => opened.pause(id),
  resume: (opened, id) => opened.resume(id),
  remove: (opened, id) => opened.remove(id),
  removeAll: (opened) => opened.removeAll(),
  verify: (opened, id) => opened.verify(id),
  setHub: async (opened, settings: HubSettings) => {
    opened.setHub(settings);
    await saveHubSettings(opened.hub);
  },
};

async function answer(
  { id, call, args }: Extract<ToWorker, { type: 'call' }>,
  store: Promise<ModelStore> | undefined,
  send: (message: FromWorker) => void,
): Promise<void> {
  try {
    const opened = await store;
    if (!opened) throw new Error('The worker was asked before it was set up.');
    const handler = handlers[call] as (store: ModelStore, ...args: readonly unknown[]) => Promise<unknown>;
    const result = await handler(opened, ...args);
    if (call === 'setHub') send({ type: 'state', state: opened.state, hub: opened.hub });
    send({ type: 'done', id, result });
  } catch (error) {
    send({ type: 'failed', id, failure: failureOf(error) });
  }
}
