/** What there is at an address that a person pasted, and how it fits this device. */
import { fit, type DeviceFacts, type ModelFacts, type Verdict } from '$lib/catalog/fit';
import { quantised } from '$lib/catalog/recommend';
import { bestOf } from '$lib/catalog/resolve';
import type { Choice, HubSettings, Offer, StoreFailure } from '$lib/store';
import { failureOf } from '$lib/store/errors';
import type { Shelf } from './shelf.svelte';

export class Finder {
  address = $state('');
  /** Somebody is asked. */
  busy = $state(false);
  offer = $state.raw<Offer>();
  failure = $state.raw<StoreFailure>();
  /** What the files say of themselves: all choices of a repository are one model in other sizes. */
  #facts = $state.raw<ModelFacts>();
  readonly #shelf: Shelf;

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  /** Which of the choices to take where one does not know. */
  get best(): Choice | undefined {
    return this.offer && bestOf(this.offer.choices);
  }

  async look(): Promise<void> {
    this.offer = undefined;
    this.#facts = undefined;
    await this.attempt(async () => {
      this.offer = await this.#shelf.look(this.address);
      this.#facts = await this.#describe();
    });
  }

  async get(choice: Choice): Promise<void> {
    await this.attempt(async () => {
      await this.#shelf.download(choice);
      this.offer = undefined;
      this.address = '';
    });
  }

  /** Takes files in. */
  async take(files: readonly File[]): Promise<void> {
    if (files.length > 0) await this.attempt(() => this.#shelf.add(files));
  }

  /** Everything that can go wrong says itself what to do. */
  async attempt(act: () => Promise<void>): Promise<void> {
    this.busy = true;
    this.failure = undefined;
    try {
      await act();
    } catch (error) {
      this.failure = failureOf(error);
    } finally {
      this.busy = false;
    }
  }

  verdict(choice: Choice, device: DeviceFacts): Verdict {
    // Of the one that was looked into all is known; the others are the same model in other sizes.
    if (choice === this.best && this.#facts) return fit(this.#facts, device);
    const { bytes, format } = choice;
    const { shape, unsupported } = this.#facts ?? {};
    const known = { ...(shape && { shape }), ...(unsupported !== undefined && { unsupported }) };
    const weights = format === 'safetensors' ? quantised(bytes) : { weightBytes: bytes };
    return fit({ format, fileBytes: bytes, ...weights, ...known }, device);
  }

  /** Out of a few hundred kilobytes of the file's beginning. What cannot be read yet is judged by its size. */
  async #describe(): Promise<ModelFacts | undefined> {
    const { best } = this;
    if (!best || this.offer?.gated) return undefined;
    const { describeChoice } = await import('$lib/catalog/describe');
    return describeChoice(best, { headersFor: headersOf(this.#shelf.hub) }).catch(() => undefined);
  }
}

/** The token goes to its own hub, and nowhere else. */
function headersOf(hub: HubSettings | undefined): (url: string) => Record<string, string> {
  return (url) =>
    hub?.token !== undefined && url.startsWith(`${hub.hub}/`) ? { Authorization: `Bearer ${hub.token}` } : {};
}
