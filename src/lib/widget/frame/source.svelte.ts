/**
 * How a widget comes by its model: what it is and how large, how it fits this device, and its way here. Nothing is
 * fetched before the visitor has agreed, but a hub's list of files when there is somebody who wants to know the size.
 */
import { CATALOG, type CatalogEntry } from '$lib/catalog/entries';
import { fit, type Verdict } from '$lib/catalog/fit';
import { bestOf, resolveEntry } from '$lib/catalog/resolve';
import { entryOf as entryFor, storedName, type ModelEntry } from '$lib/chat/models';
import { thisDevice } from '$lib/models/device';
import { isWhole } from '$lib/models/standing';
import type { Choice, Manifest, ModelState, StoreState } from '$lib/store';
import { formatAddress, HUGGING_FACE, parseAddress, type ModelAddress } from '$lib/store/address';
import { ModelsClient } from '$lib/store/client';
import { remoteName } from '$lib/store/remote-name';
import { Servers } from '$lib/store/servers';
import { checkHub } from '$lib/store/settings';
import type { SiteModels } from '$lib/store/shared';
import { hostOf, listModels, serverAddress } from '$lib/engine/remote';
import type { WidgetSettings } from '../protocol';
import { mayAskForSite, openSite } from './access';
import { hasAgreed, rememberAgreed } from './keeping';

export interface Offered {
  readonly name: string;
  readonly bytes: number;
  /** Who answers, where it is not this device. */
  readonly server?: string;
  /** Whose server it comes from; undefined: the widget's own. */
  readonly from?: string;
  readonly license?: string;
  readonly verdict?: Verdict;
  /** It is on this device: the app itself has it, or got it for another page. */
  readonly here?: boolean;
  /** The browser may ask whether this frame may see what the app has. */
  readonly mayAsk?: boolean;
}

export type SourceState =
  | { readonly stage: 'idle' }
  | { readonly stage: 'looking' }
  | { readonly stage: 'offered'; readonly offer: Offered }
  | { readonly stage: 'coming'; readonly model: ModelState }
  | { readonly stage: 'failed'; readonly message: string }
  | { readonly stage: 'ready'; readonly entry: ModelEntry };

/** The model that comes with the app, by the name that hosts know it by. */
const POCKET = 'pocket';

export class Source {
  state = $state.raw<SourceState>({ stage: 'idle' });
  readonly pocket: ModelEntry;
  readonly #settings: WidgetSettings;
  #models: ModelsClient | undefined;
  #opened: Promise<StoreState> | undefined;
  /** What the app keeps as a site of its own, where this frame may see it. */
  #site: SiteModels | undefined;
  /** `#models` works there. */
  #onSite = false;
  /** A whole model there. */
  #there: Manifest | undefined;
  #choice: Choice | undefined;
  /** The model of the store that is waited for. */
  #id: string | undefined;
  #begun = false;
  /** As `serverAddress` writes it. */
  #server: string | undefined;

  constructor(settings: WidgetSettings, pocket: ModelEntry) {
    this.#settings = settings;
    this.pocket = pocket;
  }

  get isPocket(): boolean {
    return this.#settings.model === POCKET && this.#settings.src === undefined;
  }

  /** Where somebody wants to talk. What is here already needs nobody's leave. */
  async begin(): Promise<void> {
    if (this.#begun) return;
    this.#begun = true;
    if (this.isPocket) {
      if (hasAgreed(this.#settings, POCKET)) return this.#ready(this.pocket);
      this.state = { stage: 'offered', offer: this.pocket };
      return;
    }
    await this.again();
  }

  /** Looks for the model: here, then where it comes from. */
  async again(): Promise<void> {
    this.state = { stage: 'looking' };
    try {
      if (this.#settings.src !== undefined) return await this.#offerServer(this.#settings.src);
      const address = this.#address;
      await this.#open();
      const known = this.#models!.state.models.find((model) => isFrom(model, address));
      if (known) return this.#follow(known);
      if (await this.#lookOnSite()) return;
      await this.#offer();
    } catch (error) {
      this.state = { stage: 'failed', message: messageOf(error) };
    }
  }

  /** The visitor agrees. */
  async take(): Promise<void> {
    if (this.isPocket) return this.takePocket();
    if (this.#server !== undefined) return this.#takeServer(this.#server);
    try {
      if (this.#there) return await this.#takeFromSite(this.#there);
      const choice = this.#choice;
      if (!choice || !this.#models) return;
      this.state = { stage: 'looking' };
      // First of all: the browser listens to who has just pressed something.
      this.#site ??= await openSite('asked');
      const there = await this.#wholeOnSite();
      if (there) return await this.#takeFromSite(there);
      await this.#moveToSite();
      if (this.#onSite) rememberAgreed(this.#settings, choice.id);
      this.#id = await this.#models.download(choice);
      this.#tell(this.#models.state);
    } catch (error) {
      this.state = { stage: 'failed', message: messageOf(error) };
    }
  }

  /** Takes the small one that comes along, whatever the page asked for. */
  takePocket(): void {
    if (this.isPocket) rememberAgreed(this.#settings, POCKET);
    this.#ready(this.pocket);
  }

  pause(): void {
    void this.#do((models, id) => models.pause(id));
  }

  resume(): void {
    void this.#do((models, id) => models.resume(id));
  }

  /** What came goes; from what the app has as a site of its own nothing is taken away here. */
  async cancel(): Promise<void> {
    const id = this.#id;
    this.#id = undefined;
    if (this.#onSite && id !== undefined) {
      await this.#models?.pause(id).catch(() => undefined);
      this.state = { stage: 'looking' };
      return this.#offer().catch((error: unknown) => {
        this.state = { stage: 'failed', message: messageOf(error) };
      });
    }
    if (id !== undefined) await this.#models?.remove(id).catch(() => undefined);
    await this.again();
  }

  close(): void {
    this.#models?.close();
    this.#site?.close();
  }

  get #hub(): string {
    return checkHub(this.#settings.hub ?? HUGGING_FACE);
  }

  get #address(): ModelAddress {
    return parseAddress(this.#settings.model, { hub: this.#hub });
  }

  /** By what there is where it comes from. */
  async #offer(): Promise<void> {
    this.#choice = await this.#find(this.#address);
    const mayAsk = !this.#site && (await mayAskForSite());
    this.state = { stage: 'offered', offer: { ...(await offerOf(this.#choice)), mayAsk } };
  }

  /** A server is not asked for anything before the visitor knows of it, and agrees. */
  async #offerServer(src: string): Promise<void> {
    const server = (this.#server = serverAddress(src, location.origin));
    const known = this.#settings.storage === 'none' ? undefined : await new Servers(sessionStorage).find(server);
    if (known) return this.#takeServer(server);
    const name = this.#settings.model === POCKET ? hostOf(server) : this.#settings.model;
    this.state = { stage: 'offered', offer: { name, bytes: 0, server: hostOf(server) } };
  }

  async #takeServer(server: string): Promise<void> {
    this.state = { stage: 'looking' };
    try {
      const models = (await listModels({ server })).map(({ id }) => id);
      const model = this.#settings.model === POCKET ? models[0] : this.#settings.model;
      if (model === undefined) throw new Error(`${hostOf(server)} has no model now.`);
      await new Servers(sessionStorage).put({ server, models, keep: 'tab' });
      this.#ready({ url: remoteName({ server, model }), name: model, bytes: 0 });
    } catch (error) {
      this.state = { stage: 'failed', message: messageOf(error) };
    }
  }

  /** The store, once it has been read. */
  #open(): Promise<StoreState> {
    this.#opened ??= this.#read(new ModelsClient({ hub: this.#hub }));
    return this.#opened;
  }

  #read(models: ModelsClient): Promise<StoreState> {
    this.#models = models;
    return new Promise((done) => {
      models.subscribe((state) => {
        if (models === this.#models) this.#tell(state);
        if (state.ready) done(state);
      });
    });
  }

  // ---- what the app has as a site of its own -------------------------------------------------------------------

  /** Whether it is there, whole or on its way. Not taken without a word: the page would be told what the visitor has. */
  async #lookOnSite(): Promise<boolean> {
    this.#site ??= await openSite('quietly');
    const there = await this.#wholeOnSite();
    if (there) {
      if (hasAgreed(this.#settings, there.id)) await this.#takeFromSite(there);
      else this.state = { stage: 'offered', offer: offerOfThere((this.#there = there)) };
      return true;
    }
    const address = this.#address;
    const plans = await this.#site?.plans().catch(() => []);
    const plan = plans?.find((begun) => isFrom(begun, address) && hasAgreed(this.#settings, begun.id));
    if (!plan) return false;
    await this.#moveToSite();
    const begun = this.#models?.state.models.find(({ id }) => id === plan.id);
    if (!begun) return false;
    this.#follow(begun);
    if (!plan.paused && !plan.failure) this.resume();
    return true;
  }

  async #wholeOnSite(): Promise<Manifest | undefined> {
    const address = this.#address;
    // A store that cannot be read has nothing.
    const manifests = await this.#site?.manifests().catch(() => []);
    return manifests?.find((manifest) => isFrom(manifest, address));
  }

  /** What is downloaded from now on is there for other pages too, where that can be. */
  async #moveToSite(): Promise<void> {
    const line = this.#onSite ? undefined : this.#site?.line();
    const before = this.#models;
    if (!line || !before) return;
    // What else may be on its way there is the app's.
    const models = new ModelsClient({ hub: this.#hub, goOn: false, line });
    const { trouble } = await this.#read(models);
    this.#onSite = trouble === undefined;
    if (!this.#onSite) this.#models = before;
    (this.#onSite ? before : models).close();
  }

  /** It is read where it is. */
  async #takeFromSite(manifest: Manifest): Promise<void> {
    const files = await this.#site!.files(manifest);
    rememberAgreed(this.#settings, manifest.id);
    this.#ready({ url: storedName(manifest.id), name: manifest.name, bytes: bytesOf(manifest), files });
  }

  async #takeIdFromSite(id: string): Promise<void> {
    try {
      const manifest = (await this.#site!.manifests()).find((found) => found.id === id);
      if (manifest) await this.#takeFromSite(manifest);
    } catch (error) {
      this.state = { stage: 'failed', message: messageOf(error) };
    }
  }

  // ----------------------------------------------------------------------------------------------------------------

  async #find(address: ModelAddress): Promise<Choice> {
    const models = this.#models!;
    const entry = entryOf(address);
    if (entry) return resolveEntry(entry, (at) => models.look(formatAddress(at)));
    const offer = await models.look(this.#settings.model);
    return bestOf(offer.choices)!;
  }

  /** A model that is here, or on its way. */
  #follow(model: ModelState): void {
    this.#id = model.id;
    this.#tell(this.#models!.state);
  }

  #tell({ models }: StoreState): void {
    const model = models.find(({ id }) => id === this.#id);
    if (!model || this.state.stage === 'ready') return;
    if (isWhole(model) && this.#onSite) void this.#takeIdFromSite(model.id);
    else if (isWhole(model)) this.#ready(entryFor(model));
    else this.state = { stage: 'coming', model };
  }

  #ready(entry: ModelEntry): void {
    this.state = { stage: 'ready', entry };
    // The engine reads it by itself now.
    this.close();
  }

  async #do(act: (models: ModelsClient, id: string) => Promise<void>): Promise<void> {
    if (!this.#models || this.#id === undefined) return;
    try {
      await act(this.#models, this.#id);
    } catch (error) {
      this.state = { stage: 'failed', message: messageOf(error) };
    }
  }
}

async function offerOf({ name, bytes, format, license, origin, files }: Choice): Promise<Offered> {
  const verdict = fit({ format, fileBytes: bytes, weightBytes: bytes }, await thisDevice());
  const from = origin.hub ?? files[0]?.url;
  return { name, bytes, verdict, ...(from && { from: new URL(from).host }), ...(license && { license }) };
}

function offerOfThere(manifest: Manifest): Offered {
  const { name, license } = manifest;
  return { name, bytes: bytesOf(manifest), here: true, ...(license && { license }) };
}

function bytesOf({ files }: Manifest): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

/** The repository, where nothing in it was named. */
function repoOf(address: ModelAddress): string | undefined {
  if (address.kind !== 'hub' || (address.path ?? address.variant ?? address.revision) !== undefined) return undefined;
  return address.repo;
}

function entryOf(address: ModelAddress): CatalogEntry | undefined {
  const wanted = repoOf(address);
  return CATALOG.find(({ repo }) => repo === wanted);
}

/** Whether a stored model is what this address means. */
function isFrom({ origin }: Pick<ModelState, 'origin'>, address: ModelAddress): boolean {
  if (origin.address === formatAddress(address)) return true;
  const repo = repoOf(address);
  if (repo === undefined) return false;
  return origin.repo !== undefined && [repo, `${repo}-GGUF`, entryOf(address)?.ggufRepo].includes(origin.repo);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
