/**
 * Servers that a person added, knowing that what they write to one leaves this device. A key is kept where they said: on
 * the device, or in the tab alone, and then it is gone with it.
 */
import { get, set } from 'idb-keyval';
import { settingsDatabase } from './settings';

export interface KnownServer {
  /** Address of its API: `http://localhost:11434/v1`. */
  readonly server: string;
  /** As it named them when it was last asked. */
  readonly models: readonly string[];
  readonly key?: string;
  /** Where the key is kept. `tab`: until the tab is closed. */
  readonly keep: 'tab' | 'device';
}

/** As much of `sessionStorage` as this needs. */
export type TabStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

const KEY = 'servers';
/** Before a server's address, in the tab's storage. */
const TAB_KEY = 'fireside-server-key:';

export class Servers {
  readonly #tab: TabStorage;

  constructor(tab: TabStorage) {
    this.#tab = tab;
  }

  /** In the order they were added. */
  async list(): Promise<KnownServer[]> {
    const kept = (await get<readonly KnownServer[]>(KEY, settingsDatabase.store('values'))) ?? [];
    return kept.map((known) => {
      const key = known.key ?? this.#tab.getItem(TAB_KEY + known.server) ?? undefined;
      return key === undefined ? known : { ...known, key };
    });
  }

  async find(server: string): Promise<KnownServer | undefined> {
    return (await this.list()).find((known) => known.server === server);
  }

  /** Adds it, or replaces what was known of it. */
  async put(known: KnownServer): Promise<void> {
    const { key, ...facts } = known;
    const record = known.keep === 'device' && key !== undefined ? { ...facts, key } : facts;
    await this.#change((all) => {
      const at = all.findIndex(({ server }) => server === known.server);
      return at < 0 ? [...all, record] : all.with(at, record);
    });
    if (known.keep === 'tab' && key !== undefined) this.#tab.setItem(TAB_KEY + known.server, key);
    else this.#tab.removeItem(TAB_KEY + known.server);
  }

  /** Forgets it, and its key. */
  async remove(server: string): Promise<void> {
    await this.#change((all) => all.filter((known) => known.server !== server));
    this.#tab.removeItem(TAB_KEY + server);
  }

  async #change(change: (all: readonly KnownServer[]) => readonly KnownServer[]): Promise<void> {
    const all = (await get<readonly KnownServer[]>(KEY, settingsDatabase.store('values'))) ?? [];
    await set(KEY, change(all), settingsDatabase.store('values', 'strict'));
  }
}
