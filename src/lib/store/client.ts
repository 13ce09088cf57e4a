/**
 * The page's end of the store: its state, as it changes, and what can be done. The work is done in a worker.
 *
 *   const models = new ModelsClient({ witness: localStorage });
 *   models.subscribe((state) => ...);                 // a Svelte store: $models
 *   const offer = await models.look('Qwen/Qwen3-0.6B-GGUF');
 *   await models.download(offer.choices[0]);          // resolves when it has begun; the state tells the rest
 */
import { StoreError, type StoreFailure } from './errors';
import { localFiles } from './local';
import type { Choice, Offer } from './offer';
import type { Call, Calls, FromWorker, Setup, ToWorker } from './protocol';
import { DEFAULT_HUB, type HubSettings } from './settings';
import type { StoreState } from './state';
import { evictedOf, recall, remember, type Seen, type Witness } from './witness';

/** The worker's end of the line. */
export interface WorkerLine {
  postMessage(message: ToWorker): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<FromWorker>) => void): void;
  /** It cannot be loaded, or broke. */
  addEventListener(type: 'error', listener: (event: { readonly message?: string }) => void): void;
  /** Ends the worker, or what it does for this page. */
  close(): void;
}

export interface ClientOptions extends Partial<Setup> {
  /** `localStorage`: remembers what was here, to notice when the browser cleared it away. */
  readonly witness?: Witness;
  /** Left out: a worker of the page's own. */
  readonly line?: WorkerLine;
}

const NOTHING_YET: StoreState = {
  ready: false,
  models: [],
  space: undefined,
  stored: 0,
  persisted: undefined,
  evicted: [],
};

interface Pending {
  readonly done: (result: unknown) => void;
  readonly failed: (error: StoreError) => void;
}

export class ModelsClient {
  readonly #line: WorkerLine;
  readonly #witness: Witness | undefined;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Set<(state: StoreState) => void>();
  #seen: Seen;
  #state = NOTHING_YET;
  #hub = DEFAULT_HUB;
  #lastId = 0;

  constructor({ witness, pocket, hub, goOn = true, line = ownWorker() }: ClientOptions = {}) {
    this.#witness = witness;
    this.#seen = recall(witness);
    this.#line = line;
    this.#line.addEventListener('message', ({ data }) => this.#receive(data));
    this.#line.addEventListener('error', ({ message }) => {
      this.#fail({ problem: 'unavailable', message: message || 'The part that keeps models could not be loaded.' });
    });
    this.#send({ type: 'setup', setup: { goOn, ...(pocket && { pocket }), ...(hub && { hub }) } });
  }

  get state(): StoreState {
    return this.#state;
  }

  /** Which hub is asked, and with which token. */
  get hub(): HubSettings {
    return this.#hub;
  }

  /** Calls the listener now and at each change, figures a few times a second; returns what ends that. */
  subscribe(listener: (state: StoreState) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#state);
    return () => this.#listeners.delete(listener);
  }

  /** What there is at an address, as a person pasted it; rejects with a `StoreError` that says what to do. */
  look(text: string): Promise<Offer> {
    return this.#call('look', text);
  }

  /** Begins a download or goes on with it, and resolves with its id. To be called where a person asked for it. */
  async download(choice: Choice): Promise<string> {
    this.#persist();
    return this.#call('download', choice);
  }

  /**
   * Takes in files that a person chose, or dropped (`droppedFiles`); resolves with the model's id.
   *
   * @param folder that they lie in, where they do not tell so themselves: it names a model in several files
   */
  async add(files: readonly File[], folder?: string): Promise<string> {
    this.#persist();
    return this.#call('add', localFiles(files, folder));
  }

  pause(id: string): Promise<void> {
    return this.#call('pause', id);
  }

  /** Goes on after a pause or a failure; repairs what is damaged. */
  resume(id: string): Promise<void> {
    return this.#call('resume', id);
  }

  /** Deletes a model, whole or begun. */
  remove(id: string): Promise<void> {
    return this.#call('remove', id);
  }

  removeAll(): Promise<void> {
    return this.#call('removeAll');
  }

  /** Reads a model back and compares it with its hashes. */
  verify(id: string): Promise<'whole' | 'damaged'> {
    return this.#call('verify', id);
  }

  setHub(settings: HubSettings): Promise<void> {
    return this.#call('setHub', settings);
  }

  /** The person has read that models were cleared away. */
  forgetEvicted(): void {
    this.#seen = [];
    this.#tell({ ...this.#state, evicted: [] });
  }

  /** Ends the work; downloads go on when the store is next opened. */
  close(): void {
    this.#line.close();
    this.#fail({ problem: 'unavailable', message: 'The store was closed.' });
    this.#listeners.clear();
  }

  /**
   * Asks the browser not to clear models away by itself. Some browsers ask the person, so it comes with the first
   * download, when it is plain what for. The download does not wait for the answer; the state tells it.
   */
  #persist(): void {
    if (this.#state.persisted === true) return;
    const storage = (navigator as Partial<Navigator>).storage as Partial<StorageManager> | undefined;
    // Refused, it is as it was.
    storage?.persist?.().catch(() => undefined);
  }

  #call<C extends Call>(call: C, ...args: Calls[C]['args']): Promise<Calls[C]['result']> {
    const id = (this.#lastId += 1);
    return new Promise((done, failed) => {
      this.#pending.set(id, { done: done as (result: unknown) => void, failed });
      this.#send({ type: 'call', id, call, args });
    });
  }

  #send(message: ToWorker): void {
    this.#line.postMessage(message);
  }

  #receive(message: FromWorker): void {
    if (message.type === 'state') {
      this.#hub = message.hub;
      const evicted = evictedOf(this.#seen, message.state);
      if (message.state.models.length > 0) this.#seen = [];
      // As long as it is not known whether they are gone, what was seen stays written down.
      if (message.state.ready && !message.state.trouble && evicted.length === 0) remember(this.#witness, message.state);
      return this.#tell({ ...message.state, evicted });
    }
    if (message.type === 'cleared') {
      this.#seen = this.#state.models.map(({ name, bytes }) => ({ name, bytes }));
      return;
    }
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (message.type === 'done') pending?.done(message.result);
    else pending?.failed(errorOf(message.failure));
  }

  #tell(state: StoreState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }

  #fail(failure: StoreFailure): void {
    for (const { failed } of this.#pending.values()) failed(errorOf(failure));
    this.#pending.clear();
    this.#tell({ ...this.#state, ready: true, trouble: failure });
  }
}

function ownWorker(): WorkerLine {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'fireside-store' });
  return Object.assign(worker, { close: () => worker.terminate() });
}

function errorOf({ problem, message }: StoreFailure): StoreError {
  return new StoreError(problem === 'unknown' ? 'server' : problem, message);
}
