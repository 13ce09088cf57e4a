/** What was written and not sent, for each conversation; it survives a reload. */
import type { Conversations } from '$lib/conversations/store';

/** Milliseconds after the last letter. */
const PAUSE = 250;
/** The name of what was written for a conversation that is not there yet. */
const NEW = 'new';

export class Draft {
  text = $state('');
  readonly #store: Conversations;
  readonly #trouble: (error: unknown) => void;
  #id = NEW;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(store: Conversations, trouble: (error: unknown) => void) {
    this.#store = store;
    this.#trouble = trouble;
  }

  /** Turns to another conversation; undefined: a new one. */
  async turnTo(id: string | undefined): Promise<void> {
    this.flush();
    this.#id = id ?? NEW;
    this.text = '';
    const text = await this.#store.draft(this.#id).catch(() => '');
    // Somebody may have begun to write meanwhile, or turned elsewhere.
    if (this.#id === (id ?? NEW) && this.text === '') this.text = text;
  }

  write(text: string): void {
    this.text = text;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), PAUSE);
  }

  /** Keeps what is not kept yet. */
  flush(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#store.putDraft(this.#id, this.text).catch(this.#trouble);
  }

  /** Puts a text before what is there. */
  add(text: string): void {
    this.write(this.text.trim() === '' ? text : `${text}\n\n${this.text}`);
  }

  /** It was sent. */
  clear(): void {
    this.write('');
    this.flush();
  }
}
