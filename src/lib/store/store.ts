/**
 * The store of models: what there is at an address, downloads, what is there, and what is done with it. One of these in
 * every tab; they share the depot, and take turns at each model by its lock. Knows no page, and runs in a worker, and
 * under Node with a folder.
 */
import { HUGGING_FACE, type ModelAddress, parseAddress } from './address';
import type { Depot } from './depot';
import { failureOf, StoreError } from './errors';
import { type Fetcher, HttpFetcher, LocalFetcher } from './fetcher';
import { HubClient } from './hub';
import { Job, type JobParts, withoutFailure } from './job';
import { localChoice, type LocalFile } from './local';
import { type Locks, ownLocks } from './locks';
import { type Choice, type Offer, offerOfRepo } from './offer';
import { offerOfUrl } from './offer-url';
import { Records } from './records-view';
import { CHUNK_BYTES, hasFiles, type Manifest, newKey, type Plan, type PlannedFile } from './records';
import { ENDLESS, type Patience } from './retry';
import { checkHub, DEFAULT_HUB, type HubSettings } from './settings';
import { Slots } from './slots';
import type { ModelState, StoreState } from './state';
import { noTabs, type TabMessage, type Tabs } from './tabs';
import { verifyModel } from './verify';

export interface StoreOptions {
  readonly depot: Depot;
  readonly locks?: Locks;
  readonly tabs?: Tabs;
  readonly hub?: HubSettings;
  /** Connections at once, of all downloads together. Browsers open six to a server. */
  readonly connections?: number;
  readonly patience?: Patience;
  /** Where «online» is heard. */
  readonly network?: EventTarget;
  readonly fetch?: typeof fetch;
  /** Where the pocket model lies. */
  readonly pocket?: PocketModel;
  readonly persisted?: () => Promise<boolean | undefined>;
  readonly trouble?: () => StoreState['trouble'];
}

export interface PocketModel {
  readonly url: string;
  readonly sha256?: string;
  readonly name?: string;
  readonly license?: string;
}

const CONNECTIONS = 4;
/** Figures are told so often; what matters more at once. */
const TELL_EVERY_MS = 200;

export class ModelStore {
  readonly #depot: Depot;
  readonly #options: StoreOptions;
  readonly #locks: Locks;
  readonly #tabs: Tabs;
  readonly #records: Records;
  readonly #jobs = new Map<string, Job>();
  readonly #local = new Map<string, ReadonlyMap<string, Blob>>();
  readonly #listeners = new Set<(state: StoreState) => void>();
  /** What ends the reading back of whole models, by id. */
  readonly #checks = new Map<string, AbortController>();
  readonly #parts: JobParts;
  #hub: HubSettings;
  #telling: ReturnType<typeof setTimeout> | undefined;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#depot = options.depot;
    this.#locks = options.locks ?? ownLocks();
    this.#tabs = options.tabs ?? noTabs();
    this.#hub = options.hub ?? DEFAULT_HUB;
    this.#records = new Records(options.depot, options.persisted ?? (async () => undefined));
    this.#parts = {
      depot: options.depot,
      locks: this.#locks,
      slots: new Slots(options.connections ?? CONNECTIONS),
      patience: options.patience ?? ENDLESS,
      network: options.network,
      fetcherFor: (plan) => this.#fetcherFor(plan),
      factsOf: (plan, file) => this.#factsOf(plan, file),
      changed: (what) => this.#changed(what),
    };
    this.#tabs.onMessage((message) => void this.#hear(message));
  }

  /**
   * Reads the records, sweeps away bytes that no record names, looks whether all bytes of whole models are there, and
   * goes on with what was neither paused nor failed.
   */
  async start({ goOn = true } = {}): Promise<void> {
    await this.#locks.hold('sweep', new AbortController().signal, () => this.#records.sweep());
    await this.#records.noticeLosses();
    await this.#reload();
    if (!goOn) return;
    for (const plan of this.#records.plans) if (!plan.paused && !plan.failure) this.#begin(plan);
  }

  // ---- what it tells -------------------------------------------------------------------------------------------

  get state(): StoreState {
    const jobs = new Map([...this.#jobs].map(([id, job]) => [id, job.state]));
    const trouble = this.#options.trouble?.();
    return { ...this.#records.state(jobs), ...(trouble && { trouble }) };
  }

  /** Calls the listener now and at each change; returns what ends that. */
  subscribe(listener: (state: StoreState) => void): () => void {
    this.#listeners.add(listener);
    listener(this.state);
    return () => this.#listeners.delete(listener);
  }

  model(id: string): ModelState | undefined {
    return this.state.models.find((model) => model.id === id);
  }

  get hub(): HubSettings {
    return this.#hub;
  }

  /** From the next request on; downloads that failed for the lack of a token can be resumed. */
  setHub(settings: HubSettings): void {
    this.#hub = { ...settings, hub: checkHub(settings.hub) };
  }

  // ---- getting models ------------------------------------------------------------------------------------------

  /** What there is at an address, as a person pasted it. Nothing is downloaded but lists. */
  async look(text: string, signal = new AbortController().signal): Promise<Offer> {
    return this.offer(parseAddress(text, { hub: this.#hub.hub }), signal);
  }

  async offer(address: ModelAddress, signal = new AbortController().signal): Promise<Offer> {
    if (address.kind === 'hub') return offerOfRepo(this.#client(this.#hub.hub), address, signal);
    if (address.kind === 'url') return offerOfUrl(this.#http(), address, address.url, signal);
    const { pocket } = this.#options;
    if (!pocket) throw new StoreError('address', 'There is no pocket model here. Name another.');
    return offerOfUrl(this.#http(), address, pocket.url, signal, pocket);
  }

  /** Begins a download, or goes on with it, and returns its id; `finished` tells its end. */
  async download(choice: Choice): Promise<string> {
    const plan = await this.#locks.hold('records', new AbortController().signal, () => this.#planFor(choice));
    if (plan) this.#begin(plan);
    await this.#reload();
    return choice.id;
  }

  /** Takes in files that a person chose: a GGUF file, or a folder with safetensors and what they need. */
  async add(files: readonly LocalFile[]): Promise<string> {
    const { choice, blobs } = localChoice(files);
    this.#local.set(choice.id, blobs);
    return this.download(choice);
  }

  /** Resolves when the model is whole; rejects where it is paused, fails or is removed. */
  async finished(id: string): Promise<Manifest> {
    await this.#jobs.get(id)?.over;
    await this.#reload();
    const manifest = this.#records.manifests.find((found) => found.id === id);
    if (manifest) return manifest;
    const state = this.model(id);
    if (state?.failure) throw new StoreError(problemOf(state), state.failure.message);
    throw new StoreError('missing', `${id} was stopped before it was whole.`);
  }

  /** Stops it, here or in whatever tab does it; it stays stopped. What came is kept. */
  async pause(id: string): Promise<void> {
    await this.#stop(id, 'pause');
    await this.#withLock(id, async () => {
      const plan = await this.#plan(id);
      if (plan) await this.#depot.putPlan({ ...plan, paused: true });
    });
    await this.#recordsChanged();
  }

  /** Goes on, after a pause or a failure; for a damaged model that is its repair. */
  async resume(id: string): Promise<void> {
    const plan = await this.#plan(id);
    if (!plan) throw new StoreError('missing', `${id} is not waiting for anything.`);
    const fresh = { ...withoutFailure(plan), paused: false };
    await this.#depot.putPlan(fresh);
    this.#begin(fresh);
    await this.#recordsChanged();
  }

  /** Deletes a model, whole or begun, with all its bytes. */
  async remove(id: string): Promise<void> {
    await this.#stop(id, 'yield');
    await this.#withLock(id, async () => {
      const [plan, manifest] = [await this.#plan(id), await this.#manifest(id)];
      if (!plan && !manifest) throw new StoreError('missing', `There is no ${id} here.`);
      for (const key of new Set([plan?.key, manifest?.key])) if (key !== undefined) await this.#depot.remove(id, key);
    });
    this.#jobs.delete(id);
    this.#local.delete(id);
    await this.#recordsChanged();
  }

  async removeAll(): Promise<void> {
    await this.#reload();
    for (const { id } of this.state.models) {
      await this.remove(id).catch((error: unknown) => {
        // Another tab was faster.
        if (!(error instanceof StoreError && error.problem === 'missing')) throw error;
      });
    }
    await this.#locks.hold('sweep', new AbortController().signal, () => this.#records.sweep());
    await this.#recordsChanged();
  }

  /**
   * Reads a whole model back and compares it. Bad chunks are taken out: the model is `damaged` until it is resumed.
   * Rejects with the problem `missing` where it is deleted meanwhile, or is being replaced by a newer one.
   */
  async verify(id: string): Promise<'whole' | 'damaged'> {
    const stop = new AbortController();
    const result = await this.#withLock(id, async () => {
      const [manifest, plan] = [await this.#manifest(id), await this.#plan(id)];
      if (!manifest || plan) throw new StoreError('missing', `There is no whole ${id} here.`);
      const onBytes = (done: number): void => {
        this.#records.checking.set(id, done);
        this.#changed('figures');
      };
      this.#checks.set(id, stop);
      try {
        return await verifyModel(this.#depot, manifest, stop.signal, onBytes);
      } finally {
        this.#checks.delete(id);
        this.#records.checking.delete(id);
      }
    });
    await this.#recordsChanged();
    return result;
  }

  /** Reads the records again, where they changed behind its back. */
  async refresh(): Promise<void> {
    await this.#reload();
  }

  /** A whole model's record; its files are read through `depot.source`. */
  async manifest(id: string): Promise<Manifest> {
    const manifest = await this.#manifest(id);
    if (manifest) return manifest;
    const begun = await this.#plan(id);
    throw new StoreError('missing', begun ? `${id} is not whole yet.` : `There is no ${id} here.`);
  }

  /** Stops everything, as closing the tab does: it goes on at the next start. */
  async close(): Promise<void> {
    clearTimeout(this.#telling);
    this.#listeners.clear();
    this.#tabs.close();
    await Promise.all([...this.#jobs.values()].map((job) => job.pause()));
    this.#depot.close();
  }

  // ----------------------------------------------------------------------------------------------------------------

  #begin(plan: Plan): void {
    const running = this.#jobs.get(plan.id);
    if (running && running.state.status !== 'paused' && running.state.status !== 'failed') return;
    const job = new Job(plan, this.#parts);
    this.#jobs.set(plan.id, job);
    void job.over.then(async () => {
      // A job that failed is kept: on a full disk nobody else knows why.
      if (this.#jobs.get(plan.id) === job && job.state.status !== 'failed') this.#jobs.delete(plan.id);
      await this.#recordsChanged();
    });
  }

  /** Undefined: it is there already. */
  async #planFor(choice: Choice): Promise<Plan | undefined> {
    const begun = await this.#plan(choice.id);
    // Somebody is at it already: what they have written down is newer than what was read here.
    if (begun && !begun.paused && !begun.failure) return begun;
    if (begun) {
      const fresh = { ...withoutFailure(begun), paused: false };
      await this.#depot.putPlan(fresh);
      return fresh;
    }
    const whole = await this.#manifest(choice.id);
    if (whole && hasFiles(whole, choice.files)) return undefined;
    const { id, name, origin, license, files } = choice;
    const plan: Plan = {
      ...{ id, name, origin, files, key: newKey(), chunkBytes: CHUNK_BYTES, begunAt: Date.now(), paused: false },
      ...(license !== undefined && { license }),
    };
    await this.#depot.putPlan(plan);
    return plan;
  }

  /** A job of this tab is awaited; one of another is asked. */
  async #stop(id: string, action: 'pause' | 'yield'): Promise<void> {
    this.#tabs.send({ type: 'ask', id, action });
    this.#stopCheck(id);
    await this.#jobs.get(id)?.pause();
  }

  #stopCheck(id: string): void {
    this.#checks.get(id)?.abort(new StoreError('missing', `${id} was to be stopped while it was checked.`));
  }

  #withLock<T>(id: string, use: () => Promise<T>): Promise<T> {
    return this.#locks.hold(`model:${id}`, new AbortController().signal, use);
  }

  async #plan(id: string): Promise<Plan | undefined> {
    return (await this.#depot.plans()).find((plan) => plan.id === id);
  }

  async #manifest(id: string): Promise<Manifest | undefined> {
    return (await this.#depot.manifests()).find((manifest) => manifest.id === id);
  }

  // ---- sources -------------------------------------------------------------------------------------------------

  #client(hub: string): HubClient {
    const token = hub === this.#hub.hub ? this.#hub.token : undefined;
    return new HubClient({ hub, token, fetch: this.#options.fetch });
  }

  #http(): HttpFetcher {
    return new HttpFetcher({ fetch: this.#options.fetch });
  }

  #fetcherFor({ id, origin }: Plan): Fetcher {
    const local = this.#local.get(id);
    if (local) return new LocalFetcher(local);
    if (origin.kind !== 'hub') return this.#http();
    const hub = origin.hub ?? HUGGING_FACE;
    // With the token of the moment: it may be given while a download runs.
    const headersFor = (url: string): Record<string, string> => this.#client(hub).headersFor(url);
    return new HttpFetcher({ fetch: this.#options.fetch, headersFor, repo: origin.repo, hub });
  }

  /** Of a hub's file what its list says now; of others nothing is known but the bytes. */
  async #factsOf({ origin }: Plan, file: PlannedFile): Promise<PlannedFile | undefined> {
    if (origin.kind !== 'hub' || origin.repo === undefined) return undefined;
    const { files } = await this.#client(origin.hub ?? HUGGING_FACE).list(origin.repo, origin.commit);
    const found = files.find(({ path }) => path === file.path);
    return found && { ...found, ...(file.url !== undefined && { url: file.url }) };
  }

  // ---- telling -------------------------------------------------------------------------------------------------

  async #hear(message: TabMessage): Promise<void> {
    if (message.type === 'records') return this.#reload();
    if (message.type === 'state') {
      this.#records.hear(message.model);
      return this.#tell();
    }
    const job = this.#jobs.get(message.id);
    this.#stopCheck(message.id);
    if (!job) return;
    // Whoever waits for the lock stops too: the one who asked is about to take it.
    await job.pause();
    await this.#reload();
  }

  /** Reads what is written down, and tells. */
  async #reload(): Promise<void> {
    try {
      await this.#records.load();
    } catch (error) {
      this.#records.failure = failureOf(error);
    }
    this.#tell();
  }

  async #recordsChanged(): Promise<void> {
    this.#tabs.send({ type: 'records' });
    await this.#reload();
  }

  #changed(what: 'status' | 'figures'): void {
    if (what === 'status') this.#tell();
    else this.#telling ??= setTimeout(() => this.#tell(), TELL_EVERY_MS);
  }

  #tell(): void {
    clearTimeout(this.#telling);
    this.#telling = undefined;
    for (const job of this.#jobs.values()) if (job.here) this.#tabs.send({ type: 'state', model: job.state });
    if (this.#listeners.size === 0) return;
    const { state } = this;
    for (const listener of this.#listeners) listener(state);
  }
}

function problemOf({ failure }: ModelState): StoreError['problem'] {
  return failure === undefined || failure.problem === 'unknown' ? 'server' : failure.problem;
}
