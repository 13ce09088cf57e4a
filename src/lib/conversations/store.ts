/**
 * Conversations in IndexedDB, in a database of their own, and the word to other tabs that something has changed.
 *
 * A record each for a conversation and for every message, so that an answer that grows is written without the rest, and
 * so that two tabs which write to one conversation add to it and take nothing away. The database itself has one version
 * for good: the records have theirs, so no tab has to close for another's update. A tab of an older version leaves
 * records of a newer one alone (ConversationError `newer`).
 */
import { createStore, promisifyRequest, type UseStore } from 'idb-keyval';
import { ConversationError } from './errors';
import { migrate, newer, SCHEMA, type OldWhole, type Schema } from './migrate';
import type { Conversation, Message, Preset, TextFile, Whole } from './records';

/** What another tab has changed. */
export type Change =
  | { readonly type: 'conversation' | 'removed'; readonly id: string }
  | { readonly type: 'message'; readonly conversation: string; readonly id: string }
  | { readonly type: 'presets' };

/** A conversation in a list; `newer`: this version cannot read it. */
export interface Listed {
  readonly conversation: Conversation;
  readonly newer: boolean;
}

/** What keeps conversations, as those who use it see it: in IndexedDB (below), or in memory (memory.ts). */
export type Conversations = Pick<ConversationStore, keyof ConversationStore>;

export interface StoreOptions {
  /** Of the database and of the channel between tabs. */
  readonly name?: string;
  readonly schema?: Schema;
}

export class ConversationStore {
  readonly #store: UseStore;
  readonly #name: string;
  #line: BroadcastChannel | undefined;
  readonly #schema: Schema;

  constructor({ name = 'fireside-conversations', schema = SCHEMA }: StoreOptions = {}) {
    this.#store = createStore(name, 'records');
    this.#name = name;
    this.#schema = schema;
  }

  /** Tells what other tabs change, until the function that it returns is called. */
  watch(onChange: (change: Change) => void): () => void {
    const receive = ({ data }: MessageEvent<Change>): void => onChange(data);
    this.#channel.addEventListener('message', receive);
    return () => this.#channel.removeEventListener('message', receive);
  }

  close(): void {
    this.#line?.close();
  }

  /** All conversations, in no order; those of older versions are brought up to date. */
  async list(): Promise<Listed[]> {
    const found = await this.#read((store) => all<Conversation>(store, conversationKey('')));
    return Promise.all(
      found.map(async (conversation) => {
        if (conversation.version > this.#schema.version) return { conversation, newer: true };
        if (conversation.version === this.#schema.version) return { conversation, newer: false };
        const whole = await this.open(conversation.id);
        return { conversation: whole?.conversation ?? conversation, newer: false };
      }),
    );
  }

  /** A conversation with its messages; undefined where there is none. */
  async open(id: string): Promise<Whole | undefined> {
    const whole = await this.#read(async (store) => {
      const conversation = await one<Conversation>(store, conversationKey(id));
      return conversation && { conversation, messages: await all<Message>(store, messageKey(id, '')) };
    });
    if (!whole || whole.conversation.version === this.#schema.version) return whole;
    // Stored records are ours, whatever their version: objects with names for fields.
    const today = migrate(whole as unknown as OldWhole, whole.conversation.version, this.#schema);
    await this.put(today);
    return today;
  }

  /** Undefined where there is none, such as after another tab took it away. */
  message(conversation: string, id: string): Promise<Message | undefined> {
    return this.#read((store) => one<Message>(store, messageKey(conversation, id)));
  }

  conversation(id: string): Promise<Conversation | undefined> {
    return this.#read((store) => one<Conversation>(store, conversationKey(id)));
  }

  /** Every message there is, to search in: [conversation's id, message]. */
  async messages(): Promise<[string, Message][]> {
    const [keys, messages] = await this.#read(async (store) => {
      const range = under('m:');
      return Promise.all([promisifyRequest(store.getAllKeys(range)), promisifyRequest(store.getAll(range))]);
    });
    return (keys as string[]).map((key, i) => [key.split(':')[1]!, messages[i] as Message]);
  }

  /** Writes a conversation and these of its messages, all or nothing; takes `removed` away. */
  async put({ conversation, messages }: Whole, removed: readonly string[] = []): Promise<void> {
    const { id } = conversation;
    await this.#write(id, (store) => {
      store.put(conversation, conversationKey(id));
      for (const message of messages) store.put(message, messageKey(id, message.id));
      for (const gone of removed) store.delete(messageKey(id, gone));
    });
    this.#tell({ type: 'conversation', id });
  }

  /** Writes one message of a conversation that is there. */
  async putMessage(conversation: string, message: Message): Promise<void> {
    await this.#write(conversation, (store, there) => {
      // Another tab may have deleted it while an answer was still coming.
      if (there) store.put(message, messageKey(conversation, message.id));
    });
    this.#tell({ type: 'message', conversation, id: message.id });
  }

  /** Takes a conversation away, with its messages and its draft. */
  async remove(id: string): Promise<void> {
    await this.#write(id, (store) => {
      store.delete(conversationKey(id));
      store.delete(draftKey(id));
      store.delete(draftFilesKey(id));
      store.delete(under(messageKey(id, '')));
    });
    this.#tell({ type: 'removed', id });
  }

  /** What was written and not sent. `id`: a conversation's, or any other name. */
  async draft(id: string): Promise<string> {
    return (await this.#read((store) => one<string>(store, draftKey(id)))) ?? '';
  }

  async putDraft(id: string, text: string): Promise<void> {
    await this.#change((store) => {
      if (text === '') store.delete(draftKey(id));
      else store.put(text, draftKey(id));
    });
  }

  /** What was attached and not sent. Apart from the text, which is written with every pause. */
  async draftFiles(id: string): Promise<readonly TextFile[]> {
    return (await this.#read((store) => one<readonly TextFile[]>(store, draftFilesKey(id)))) ?? [];
  }

  async putDraftFiles(id: string, files: readonly TextFile[]): Promise<void> {
    await this.#change((store) => {
      if (files.length === 0) store.delete(draftFilesKey(id));
      else store.put(files, draftFilesKey(id));
    });
  }

  presets(): Promise<Preset[]> {
    return this.#read((store) => all<Preset>(store, presetKey('')));
  }

  async putPreset(preset: Preset): Promise<void> {
    await this.#change((store) => void store.put(preset, presetKey(preset.id)));
    this.#tell({ type: 'presets' });
  }

  async removePreset(id: string): Promise<void> {
    await this.#change((store) => void store.delete(presetKey(id)));
    this.#tell({ type: 'presets' });
  }

  /** Opened when it is used: pages are made where there is no other tab to talk to. */
  get #channel(): BroadcastChannel {
    return (this.#line ??= new BroadcastChannel(this.#name));
  }

  #tell(change: Change): void {
    this.#channel.postMessage(change);
  }

  /** Writes where the conversation is none of a newer version. */
  #write(id: string, change: (store: IDBObjectStore, there: boolean) => void): Promise<void> {
    return this.#change(async (store) => {
      const there = await one<Conversation>(store, conversationKey(id));
      if (there && there.version > this.#schema.version) throw newer();
      change(store, there !== undefined);
    });
  }

  /** All or nothing, and done only when it is on the disk. */
  #change(change: (store: IDBObjectStore) => void | Promise<void>): Promise<void> {
    return told(() =>
      this.#store('readwrite', async (store) => {
        const written = promisifyRequest(store.transaction);
        // An error of the transaction is the same one again.
        written.catch(() => {});
        await change(store);
        await written;
      }),
    );
  }

  #read<T>(read: (store: IDBObjectStore) => Promise<T>): Promise<T> {
    return told(() => this.#store('readonly', read));
  }
}

// ---- keys: `c:conversation`, `m:conversation:message`, `d:conversation`, `f:conversation`, `p:preset` -----------------------------

function conversationKey(id: string): string {
  return `c:${id}`;
}

function messageKey(conversation: string, id: string): string {
  return `m:${conversation}:${id}`;
}

function draftKey(id: string): string {
  return `d:${id}`;
}

function draftFilesKey(id: string): string {
  return `f:${id}`;
}

function presetKey(id: string): string {
  return `p:${id}`;
}

/** All keys that begin like this. Ids have no character as high as the last. */
function under(prefix: string): IDBKeyRange {
  return IDBKeyRange.bound(prefix, `${prefix}\uffff`);
}

function one<T>(store: IDBObjectStore, key: string): Promise<T | undefined> {
  return promisifyRequest(store.get(key)) as Promise<T | undefined>;
}

function all<T>(store: IDBObjectStore, prefix: string): Promise<T[]> {
  return promisifyRequest(store.getAll(under(prefix))) as Promise<T[]>;
}

/** What the browser throws, in words that say what to do. */
async function told<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (cause instanceof ConversationError) throw cause;
    const full = cause instanceof Error && cause.name === 'QuotaExceededError';
    throw full
      ? new ConversationError('full', 'No room is left on this device. Delete what you no longer need.', undefined, {
          cause,
        })
      : new ConversationError(
          'closed',
          'This browser keeps nothing for this page. Allow it to store data, or export what matters before you leave.',
          undefined,
          { cause },
        );
  }
}
