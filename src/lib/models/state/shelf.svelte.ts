/**
 * The models on this device, as pages see them: the store's state as it changes, and what a person does about it. What
 * keeps models is fetched when it is first needed, so that a page that needs none is there sooner.
 */
import type { Choice, HubSettings, Offer, StoreState } from '$lib/store';
import type { ModelsClient } from '$lib/store/client';
import { recall } from '$lib/store/witness';
import { isMoving, isWhole, standing, type Standing } from '../standing';

export class Shelf {
  /** Undefined until the store was opened. */
  state = $state.raw<StoreState>();
  /** Which hub is asked; undefined until the store was opened. */
  hub = $state.raw<HubSettings>();
  #watched = $state.raw<ReadonlySet<string>>(new Set());
  #promised = $state<boolean>();
  readonly models = $derived(this.state?.models ?? []);
  readonly whole = $derived(this.models.filter(isWhole));
  /** Begun, and not whole: on their way, stopped, or damaged. */
  readonly coming = $derived(this.models.filter((model) => !isWhole(model)));
  /** Those of them that were on their way while this page was open. */
  readonly watched = $derived(this.coming.filter(({ id }) => this.#watched.has(id)));
  /** Those that became whole meanwhile, until somebody has taken notice. */
  readonly arrived = $derived(this.whole.filter(({ id }) => this.#watched.has(id)));
  /** Undefined: the browser does not tell. */
  readonly persisted = $derived(this.#promised ?? this.state?.persisted);

  #opening: Promise<ModelsClient> | undefined;

  /** Whether there were models when the page was last open: then it is worth opening the store at once. */
  get isUsed(): boolean {
    return recall(witness()).length > 0;
  }

  /** Opens the store, once; downloads that were cut off go on. */
  open(): Promise<ModelsClient> {
    this.#opening ??= this.#begin();
    return this.#opening;
  }

  /** Opens the store where there is something in it, or as soon as another tab puts something in. */
  openWhenUsed(): void {
    if (this.isUsed) void this.open();
    else addEventListener('storage', () => this.isUsed && void this.open());
  }

  standing(id: string): Standing {
    return standing(this.state, id);
  }

  /** Waits while a model is coming: true when it is whole, false when it is not here (any more). */
  async settled(id: string, signal: AbortSignal): Promise<boolean> {
    const client = await this.open();
    return new Promise((done) => {
      const end = (whole: boolean): void => {
        done(whole);
        // The first state comes before there is anything to stop.
        queueMicrotask(() => stop());
      };
      const stop = client.subscribe((state) => {
        const now = standing(state, id);
        if (now === 'whole' || now === 'gone') end(now === 'whole');
      });
      signal.addEventListener('abort', () => end(false), { once: true });
    });
  }

  // ---- what a person does; each rejects with a StoreError that says what to do ----------------------------------

  async look(text: string): Promise<Offer> {
    return (await this.open()).look(text);
  }

  async download(choice: Choice): Promise<void> {
    const client = await this.open();
    this.#watch(choice.id);
    await client.download(choice);
  }

  /** Takes in a GGUF file, or the files of a folder with safetensors. */
  async add(files: readonly File[]): Promise<void> {
    this.#watch(await (await this.open()).add(files));
  }

  async pause(id: string): Promise<void> {
    await (await this.open()).pause(id);
  }

  async resume(id: string): Promise<void> {
    this.#watch(id);
    await (await this.open()).resume(id);
  }

  async remove(id: string): Promise<void> {
    await (await this.open()).remove(id);
    this.dismiss(id);
  }

  async removeAll(): Promise<void> {
    await (await this.open()).removeAll();
  }

  async verify(id: string): Promise<'whole' | 'damaged'> {
    return (await this.open()).verify(id);
  }

  async setHub(settings: HubSettings): Promise<void> {
    await (await this.open()).setHub(settings);
  }

  async forgetEvicted(): Promise<void> {
    (await this.open()).forgetEvicted();
  }

  /** Asks the browser not to clear models away by itself. */
  async persist(): Promise<boolean> {
    this.#promised = await navigator.storage.persist();
    return this.#promised;
  }

  /** Somebody has taken notice that a model is here, or does not want it. */
  dismiss(id: string): void {
    this.#watched = new Set([...this.#watched].filter((other) => other !== id));
  }

  // ---- inside --------------------------------------------------------------------------------------------------

  async #begin(): Promise<ModelsClient> {
    try {
      const { ModelsClient } = await import('$lib/store/client');
      const kept = witness();
      const client = new ModelsClient(kept ? { witness: kept } : {});
      client.subscribe((state) => this.#take(client, state));
      return client;
    } catch (error) {
      // A network that is back may bring the missing part the next time.
      this.#opening = undefined;
      throw error;
    }
  }

  #take(client: ModelsClient, state: StoreState): void {
    this.state = state;
    this.hub = client.hub;
    for (const model of state.models) if (!isWhole(model) && isMoving(model)) this.#watch(model.id);
  }

  #watch(id: string): void {
    if (!this.#watched.has(id)) this.#watched = new Set([...this.#watched, id]);
  }
}

/** Browsers that keep nothing may refuse to speak of it at all. */
function witness(): Storage | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}

let kept: Shelf | undefined;

/** The one of this tab: pages come and go, and downloads go on. */
export function theShelf(): Shelf {
  kept ??= new Shelf();
  return kept;
}
