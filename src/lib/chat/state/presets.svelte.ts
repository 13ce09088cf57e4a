/** Settings that have a name, to begin conversations with. */
import type { Preset } from '$lib/conversations/records';
import type { Conversations } from '$lib/conversations/store';

export class Presets {
  all = $state.raw<readonly Preset[]>([]);
  readonly #store: Conversations;
  readonly #trouble: (error: unknown) => void;

  constructor(store: Conversations, trouble: (error: unknown) => void) {
    this.#store = store;
    this.#trouble = trouble;
  }

  /** Anew after another tab has changed them. */
  async load(): Promise<void> {
    this.all = await this.#store.presets();
  }

  async save(preset: Preset): Promise<void> {
    this.all = [...this.all.filter(({ id }) => id !== preset.id), preset];
    await this.#store.putPreset(preset).catch(this.#trouble);
  }

  async remove(id: string): Promise<void> {
    this.all = this.all.filter((preset) => preset.id !== id);
    await this.#store.removePreset(id).catch(this.#trouble);
  }
}
