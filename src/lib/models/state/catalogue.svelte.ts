/** The list of models to get: how each fits this device, which is recommended, and getting one. */
import { CATALOG, type CatalogEntry } from '$lib/catalog/entries';
import { fit, type DeviceFacts, type Verdict } from '$lib/catalog/fit';
import { guess, recommend } from '$lib/catalog/recommend';
import { ggufRepos, resolveEntry } from '$lib/catalog/resolve';
import type { ModelState, StoreFailure } from '$lib/store';
import { formatAddress } from '$lib/store/address';
import { failureOf } from '$lib/store/errors';
import { thisDevice } from '../device';
import type { Shelf } from './shelf.svelte';

export interface CatalogueRow {
  readonly entry: CatalogEntry;
  /** Of a file of this size, by its parameters: nobody was asked. */
  readonly verdict: Verdict;
  /** About. */
  readonly bytes: number;
  readonly recommended: boolean;
}

const ORDER: Readonly<Record<Verdict['runs'], number>> = { well: 0, slowly: 1, no: 2 };

export class Catalogue {
  /** Undefined until it was looked at. */
  device = $state.raw<DeviceFacts>();
  /** What is recommended, then what runs well, the best first. */
  readonly rows = $derived(this.device ? rowsFor(this.device) : []);
  readonly recommended = $derived(this.rows.find(({ recommended }) => recommended));
  /** Entries that the hub is asked about, by id. */
  asking = $state.raw<ReadonlySet<string>>(new Set());
  /** Why one could not be got, by id. */
  failures = $state.raw<Readonly<Record<string, StoreFailure>>>({});
  readonly #shelf: Shelf;

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  /** Looks at the device, once. */
  async look(): Promise<void> {
    this.device ??= await thisDevice();
  }

  /** Asks the hub for an entry's files and begins to fetch them. What goes wrong is in `failures`. */
  async get({ entry }: CatalogueRow): Promise<void> {
    const { id } = entry;
    this.failures = Object.fromEntries(Object.entries(this.failures).filter(([other]) => other !== id));
    this.asking = new Set([...this.asking, id]);
    try {
      const choice = await resolveEntry(entry, (address) => this.#shelf.look(formatAddress(address)));
      await this.#shelf.download(choice);
    } catch (error) {
      this.failures = { ...this.failures, [id]: failureOf(error) };
    } finally {
      this.asking = new Set([...this.asking].filter((other) => other !== id));
    }
  }

  /** The model of the store that an entry has become. */
  modelOf({ entry }: CatalogueRow): ModelState | undefined {
    const repos = [entry.repo, ...ggufRepos(entry)];
    return this.#shelf.models.find(({ origin }) => origin.repo !== undefined && repos.includes(origin.repo));
  }
}

export function rowsFor(device: DeviceFacts): CatalogueRow[] {
  const best = recommend(device)?.entry.id;
  const rows = CATALOG.map((entry): CatalogueRow => {
    const facts = guess(entry);
    return { entry, verdict: fit(facts, device), bytes: facts.fileBytes, recommended: entry.id === best };
  });
  return rows.sort(
    (a, b) =>
      Number(b.recommended) - Number(a.recommended) ||
      ORDER[a.verdict.runs] - ORDER[b.verdict.runs] ||
      b.entry.rank - a.entry.rank,
  );
}
