/**
 * Conversations that are kept for as long as the page, or for as long as the tab: what embeds the chat may want no more.
 * In the tab's own storage they lie as an export does, and are checked like one when they come back.
 */
import { fromJson, toJson } from './exchange';
import type { Conversation, Message, Preset, TextFile, Whole } from './records';
import type { Conversations } from './store';

/** Where a text outlives the page. */
export interface Shelf {
  read(): string | null;
  write(text: string): void;
}

interface Kept {
  readonly conversation: Conversation;
  readonly messages: ReadonlyMap<string, Message>;
}

export class MemoryConversations implements Conversations {
  readonly #kept = new Map<string, Kept>();
  readonly #drafts = new Map<string, string>();
  readonly #draftFiles = new Map<string, readonly TextFile[]>();
  readonly #presets = new Map<string, Preset>();
  readonly #shelf: Shelf | undefined;

  /** @param shelf left out: nothing outlives the page */
  constructor(shelf?: Shelf) {
    this.#shelf = shelf;
    for (const whole of recalled(shelf)) this.#put(whole);
  }

  /** Nobody else has them. */
  watch(): () => void {
    return () => undefined;
  }

  close(): void {
    this.#kept.clear();
  }

  async list(): ReturnType<Conversations['list']> {
    return [...this.#kept.values()].map(({ conversation }) => ({ conversation, newer: false }));
  }

  async open(id: string): Promise<Whole | undefined> {
    const kept = this.#kept.get(id);
    return kept && { conversation: kept.conversation, messages: [...kept.messages.values()] };
  }

  async message(conversation: string, id: string): Promise<Message | undefined> {
    return this.#kept.get(conversation)?.messages.get(id);
  }

  async conversation(id: string): Promise<Conversation | undefined> {
    return this.#kept.get(id)?.conversation;
  }

  async messages(): Promise<[string, Message][]> {
    return [...this.#kept].flatMap(([id, { messages }]) =>
      [...messages.values()].map((message): [string, Message] => [id, message]),
    );
  }

  async put(whole: Whole, removed: readonly string[] = []): Promise<void> {
    this.#put(whole, removed);
    this.#shelve();
  }

  async putMessage(conversation: string, message: Message): Promise<void> {
    const kept = this.#kept.get(conversation);
    if (!kept) return;
    this.#put({ conversation: kept.conversation, messages: [message] });
    this.#shelve();
  }

  async remove(id: string): Promise<void> {
    this.#kept.delete(id);
    this.#drafts.delete(id);
    this.#draftFiles.delete(id);
    this.#shelve();
  }

  async draft(id: string): Promise<string> {
    return this.#drafts.get(id) ?? '';
  }

  async putDraft(id: string, text: string): Promise<void> {
    this.#drafts.set(id, text);
  }

  async draftFiles(id: string): Promise<readonly TextFile[]> {
    return this.#draftFiles.get(id) ?? [];
  }

  async putDraftFiles(id: string, files: readonly TextFile[]): Promise<void> {
    this.#draftFiles.set(id, files);
  }

  async presets(): Promise<Preset[]> {
    return [...this.#presets.values()];
  }

  async putPreset(preset: Preset): Promise<void> {
    this.#presets.set(preset.id, preset);
  }

  async removePreset(id: string): Promise<void> {
    this.#presets.delete(id);
  }

  #put({ conversation, messages }: Whole, removed: readonly string[] = []): void {
    const all = new Map(this.#kept.get(conversation.id)?.messages);
    for (const message of messages) all.set(message.id, message);
    for (const id of removed) all.delete(id);
    this.#kept.set(conversation.id, { conversation, messages: all });
  }

  #shelve(): void {
    this.#shelf?.write(
      toJson([...this.#kept.values()].map((kept) => ({ ...kept, messages: [...kept.messages.values()] }))),
    );
  }
}

function recalled(shelf: Shelf | undefined): Whole[] {
  const text = shelf?.read();
  if (!text) return [];
  try {
    return fromJson(text);
  } catch {
    // What another version or another hand has written is no conversation of ours: a new one begins.
    return [];
  }
}
