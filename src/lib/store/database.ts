/**
 * An IndexedDB database with a version, as idb-keyval's functions take it: each object store as a `UseStore`.
 *
 * A page that is older than the database steps aside: it closes its connection when a newer one asks for it, and says
 * `outdated` from then on. A newer one waits until the older ones have done so.
 */
import type { UseStore } from 'idb-keyval';
import { outdated, storageError, unavailable, writeError } from './errors';

/** Brings the database from the version before to its own, whose number is its place in the list, from 1. */
export type Migration = (database: IDBDatabase, upgrade: IDBTransaction) => void;

export interface DatabaseEvents {
  /** Another tab holds an older version open and has not let go yet. */
  readonly blocked?: () => void;
  /** A newer version took over: this page has to be reloaded. */
  readonly outdated?: () => void;
  /** All of it was taken away while it was open, by the browser or by a person. */
  readonly cleared?: () => void;
}

export interface DatabaseOptions extends DatabaseEvents {
  /** Whose databases; default: those that the browser gives this page. */
  readonly factory?: IDBFactory | undefined;
}

export class Database {
  readonly #name: string;
  readonly #migrations: readonly Migration[];
  readonly #events: DatabaseOptions;
  #opening: Promise<IDBDatabase> | undefined;
  #outdated = false;

  constructor(name: string, migrations: readonly Migration[], events: DatabaseOptions = {}) {
    this.#name = name;
    this.#migrations = migrations;
    this.#events = events;
  }

  /** @param durability `strict`: what was written is on the disk when its promise resolves */
  store(name: string, durability: IDBTransactionDurability = 'relaxed'): UseStore {
    return (mode, use) => this.transact([name], mode, durability, (transaction) => use(transaction.objectStore(name)));
  }

  /** One transaction over several stores: all of it happens, or nothing. */
  async transact<T>(
    stores: readonly string[],
    mode: IDBTransactionMode,
    durability: IDBTransactionDurability,
    use: (transaction: IDBTransaction) => T | PromiseLike<T>,
  ): Promise<T> {
    try {
      const transaction = await this.#begin(stores, mode, durability);
      const done = mode === 'readonly' ? undefined : completion(transaction);
      // Where `use` rejects already, this rejection is nobody's.
      done?.catch(() => undefined);
      const result = await use(transaction);
      await done;
      return result;
    } catch (error) {
      if (this.#outdated) throw outdated(error);
      // Of a transaction that was broken off requests do not always know why.
      const cause = error ?? brokenOff();
      throw mode === 'readonly' ? storageError(cause) : writeError(cause);
    }
  }

  async #begin(
    stores: readonly string[],
    mode: IDBTransactionMode,
    durability: IDBTransactionDurability,
  ): Promise<IDBTransaction> {
    const database = await this.open();
    try {
      return database.transaction(stores, mode, { durability });
    } catch (error) {
      // Some browsers close a connection without a word (Safari, in the background): a new one, once.
      if (!(error instanceof DOMException) || error.name !== 'InvalidStateError' || this.#outdated) throw error;
      this.#opening = undefined;
      return (await this.open()).transaction(stores, mode, { durability });
    }
  }

  open(): Promise<IDBDatabase> {
    if (this.#outdated) return Promise.reject(outdated());
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw storageError(error);
    });
    return this.#opening;
  }

  close(): void {
    const opening = this.#opening;
    this.#opening = undefined;
    void opening?.then((database) => database.close()).catch(() => undefined);
  }

  #open(): Promise<IDBDatabase> {
    const factory = this.#events.factory ?? (typeof indexedDB === 'undefined' ? undefined : indexedDB);
    if (!factory) return Promise.reject(unavailable());
    return new Promise((done, failed) => {
      const request = factory.open(this.#name, this.#migrations.length);
      request.onblocked = () => this.#events.blocked?.();
      request.onupgradeneeded = ({ oldVersion }) => {
        const upgrade = request.transaction!;
        for (const migrate of this.#migrations.slice(oldVersion)) migrate(request.result, upgrade);
      };
      request.onerror = () => failed(request.error ?? unavailable());
      request.onsuccess = () => {
        this.#watch(request.result);
        done(request.result);
      };
    });
  }

  #watch(database: IDBDatabase): void {
    database.onversionchange = ({ newVersion }) => {
      database.close();
      // Somebody deletes it: the next call opens a new one.
      if (newVersion === null) return this.#cleared();
      this.#opening = undefined;
      this.#outdated = true;
      this.#events.outdated?.();
    };
    // The browser took the database away, as when a person clears the page's data.
    database.onclose = () => this.#cleared();
  }

  #cleared(): void {
    this.#opening = undefined;
    this.#events.cleared?.();
  }
}

function completion(transaction: IDBTransaction): Promise<void> {
  return new Promise((done, failed) => {
    // Not as properties: idb-keyval sets those.
    transaction.addEventListener('complete', () => done());
    transaction.addEventListener('abort', () => {
      failed(transaction.error ?? brokenOff());
    });
  });
}

function brokenOff(): DOMException {
  return new DOMException('The transaction broke off.', 'UnknownError');
}
