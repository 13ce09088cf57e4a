/** The models of the chat: which can be chosen, where one stands, and waiting for one that is on its way. */
import { EngineError } from '$lib/engine/client';
import type { Standing } from '$lib/models/standing';
import { theShelf, type Shelf } from '$lib/models/state/shelf.svelte';
import { t } from '$lib/ui/language.svelte';
import type { Effective } from '../effective';
import { entryOf, shownName, storedId, type ModelEntry } from '../models';
import { remoteEntries } from '../remote';

export class Models {
  readonly shelf: Shelf = theShelf();
  /** The model that is there in any case. */
  readonly pocket: ModelEntry;
  /** Of servers that the person has added. */
  #remote = $state.raw<readonly ModelEntry[]>([]);
  /** The one that comes with the page, what is on this device, what servers have. A guest has what its host gives it. */
  readonly all = $derived.by((): readonly ModelEntry[] =>
    this.#guest ? [this.pocket] : [this.pocket, ...this.shelf.whole.map(entryOf), ...this.#remote],
  );
  readonly #guest: boolean;

  constructor(pocket: ModelEntry, guest: boolean) {
    this.pocket = pocket;
    this.#guest = guest;
  }

  /** Servers may have been added or forgotten on another page. */
  async listServers(): Promise<void> {
    // Where nothing is kept, there are none.
    this.#remote = await remoteEntries().catch(() => []);
  }

  /** What has an address is there. */
  standing(name: string): Standing {
    const id = this.#guest ? undefined : storedId(name);
    return id === undefined ? 'whole' : this.shelf.standing(id);
  }

  /** Waits while a model is coming. False where it is not here, or the waiting was ended. */
  async settled(name: string, signal: AbortSignal): Promise<boolean> {
    const id = this.#guest ? undefined : storedId(name);
    // Where the store cannot be opened nobody knows: whoever opens the model is told.
    return id === undefined || this.shelf.settled(id, signal).catch(() => true);
  }

  /** The same for an answer: rejects where there is nothing to wait for. */
  async here({ model }: Effective, signal: AbortSignal): Promise<void> {
    if ((await this.settled(model, signal)) || signal.aborted) return;
    throw new EngineError({ code: 'source', message: t().models.chatBar.gone(shownName(model)) });
  }
}
