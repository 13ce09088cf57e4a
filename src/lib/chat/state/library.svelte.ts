/** All conversations, as the list shows them: kept in step with the store and with other tabs. */
import { VERSION, type Conversation, type Message, type Whole } from '$lib/conversations/records';
import { pathTo } from '$lib/conversations/tree';
import { t } from '$lib/ui/language.svelte';
import { findAmong, findIn, fold, type Found } from '$lib/conversations/search';
import type { Change, Conversations } from '$lib/conversations/store';

export interface Entry {
  readonly conversation: Conversation;
  /** This version cannot read it. */
  readonly newer: boolean;
}

/** Where the words that are looked for were found; undefined: in the title. */
export interface Hit extends Entry {
  readonly found: Found | undefined;
}

/** Milliseconds after the last letter before all texts are searched. */
const PAUSE = 120;

export class Library {
  #entries = $state.raw<ReadonlyMap<string, Entry>>(new Map());
  /** What is pinned first, then the latest. */
  readonly entries = $derived([...this.#entries.values()].sort(byUse));
  /** What the list is searched for. */
  query = $state('');
  /** undefined: nothing is searched for, or it is not known yet. */
  hits = $state.raw<readonly Hit[]>();
  readonly #store: Conversations;
  readonly #open: () => Whole;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param open the conversation that is open, as it is on the page */
  constructor(store: Conversations, open: () => Whole) {
    this.#store = store;
    this.#open = open;
  }

  async load(): Promise<void> {
    const listed = await this.#store.list();
    this.#entries = new Map(listed.map((entry) => [entry.conversation.id, entry]));
  }

  get(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  /** After this tab changed one. */
  put(conversation: Conversation): void {
    this.#entries = new Map(this.#entries).set(conversation.id, { conversation, newer: false });
  }

  drop(id: string): void {
    const entries = new Map(this.#entries);
    entries.delete(id);
    this.#entries = entries;
  }

  /** After another tab changed one. */
  async follow(change: Change): Promise<void> {
    if (change.type === 'removed') this.drop(change.id);
    if (change.type !== 'conversation') return;
    const conversation = await this.#store.conversation(change.id);
    if (!conversation) return;
    const entry = { conversation, newer: conversation.version > VERSION };
    this.#entries = new Map(this.#entries).set(change.id, entry);
  }

  search(words: string): void {
    this.query = words;
    clearTimeout(this.#timer);
    if (words.trim() === '') {
      this.hits = undefined;
      return;
    }
    this.#timer = setTimeout(() => void this.#search(words), PAUSE);
  }

  async #search(words: string): Promise<void> {
    const folded = fold(words.trim());
    const texts = new Map<string, Message[]>();
    for (const [id, message] of await this.#store.messages()) {
      const list = texts.get(id);
      if (list) list.push(message);
      else texts.set(id, [message]);
    }
    if (words !== this.query) return;
    this.hits = this.entries.flatMap((entry): Hit[] => {
      const { id, title } = entry.conversation;
      if (findIn(title, folded)) return [{ ...entry, found: undefined }];
      const hit = findAmong(texts.get(id) ?? [], folded);
      return hit ? [{ ...entry, found: hit.found }] : [];
    });
  }

  /** Takes conversations in from a file's text. What is here already comes as a copy. */
  async import(text: string): Promise<Whole[]> {
    const { copyOf, fromJson } = await import('$lib/conversations/exchange');
    const wholes = fromJson(text).map((whole) => (this.get(whole.conversation.id) ? copyOf(whole) : whole));
    for (const whole of wholes) {
      await this.#store.put(whole);
      this.put(whole.conversation);
    }
    return wholes;
  }

  /** One, or all, as a file's text. */
  async exported(id?: string): Promise<string> {
    const { toJson } = await import('$lib/conversations/exchange');
    const whole = id === undefined ? undefined : await this.#whole(id);
    return toJson(id === undefined ? await this.#wholes() : whole ? [whole] : []);
  }

  async markdown(id: string): Promise<string> {
    const whole = await this.#whole(id);
    if (!whole) return '';
    const { toMarkdown } = await import('$lib/conversations/markdown');
    const messages = new Map(whole.messages.map((message) => [message.id, message]));
    return toMarkdown(whole.conversation, pathTo(messages, whole.conversation.leaf), t().thread);
  }

  /** Where the browser keeps nothing there is what the page still has. */
  #whole(id: string): Promise<Whole | undefined> {
    return this.#store.open(id).catch((error: unknown) => {
      const open = this.#open();
      if (open.conversation.id === id) return open;
      throw error;
    });
  }

  /** All of them with their messages, but those of a newer version. */
  async #wholes(): Promise<Whole[]> {
    const readable = this.entries.filter(({ newer }) => !newer);
    const wholes = await Promise.all(readable.map(({ conversation }) => this.#whole(conversation.id)));
    return wholes.filter((whole) => whole !== undefined);
  }
}

function byUse({ conversation: a }: Entry, { conversation: b }: Entry): number {
  return Number(b.pinned) - Number(a.pinned) || b.changed - a.changed;
}
