/** What was written and attached and not sent, for each conversation; it survives a reload. */
import type { TextFile } from '$lib/conversations/records';
import type { Conversations } from '$lib/conversations/store';

/** Milliseconds after the last letter. */
const PAUSE = 250;
/** The name of what was written for a conversation that is not there yet. */
const NEW = 'new';

export class Draft {
  text = $state('');
  files = $state.raw<readonly TextFile[]>([]);
  /** Of the files, as the open model counts; 0: not known. */
  tokens = $state(0);
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
    this.files = [];
    this.tokens = 0;
    const [text, files] = await Promise.all([
      this.#store.draft(this.#id).catch(() => ''),
      this.#store.draftFiles(this.#id).catch(() => []),
    ]);
    // Somebody may have begun to write meanwhile, or turned elsewhere.
    if (this.#id !== (id ?? NEW)) return;
    if (this.text === '') this.text = text;
    if (this.files.length === 0) this.files = files;
  }

  write(text: string): void {
    this.text = text;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), PAUSE);
  }

  /** Puts files beside what is written, in the place of those that were there. */
  attach(files: readonly TextFile[]): void {
    if (files === this.files) return;
    this.files = files;
    this.tokens = 0;
    this.#store.putDraftFiles(this.#id, files).catch(this.#trouble);
  }

  /** Keeps what is not kept yet. */
  flush(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#store.putDraft(this.#id, this.text).catch(this.#trouble);
  }

  /** Puts a text before what is there, and its files. It is nowhere else: it is kept at once. */
  add(text: string, files: readonly TextFile[] = []): void {
    if (text !== '') this.write(this.text.trim() === '' ? text : `${text}\n\n${this.text}`);
    this.flush();
    if (files.length > 0) this.attach([...files, ...this.files]);
  }

  /** It was sent. */
  clear(): void {
    this.write('');
    this.flush();
    if (this.files.length > 0) this.attach([]);
  }
}
