/** The conversation that is open: its tree of messages, as the page watches it, kept as it changes. */
import {
  isDone,
  newConversation,
  newId,
  type ChatSettings,
  type Conversation,
  type Message,
  type Whole,
} from '$lib/conversations/records';
import type { Conversations } from '$lib/conversations/store';
import { titleFrom } from '$lib/conversations/title';
import { below, childrenOf, latestLeaf, leafWithout, pathTo } from '$lib/conversations/tree';

/** A place in the tree, and what is there now. */
export class Node {
  readonly id: string;
  readonly parent: string | null;
  readonly role: Message['role'];
  readonly created: number;
  message = $state.raw<Message>()!;

  constructor(message: Message) {
    ({ id: this.id, parent: this.parent, role: this.role, created: this.created } = message);
    this.message = message;
  }
}

/** What `remove` took away, for `restore`. */
export interface Removed {
  readonly messages: readonly Message[];
  readonly leaf: string | null;
}

/** What a thread stands on. */
export interface ThreadHost {
  readonly store: Conversations;
  /** This tab has changed the conversation itself: its title, its settings, what is shown of it. */
  readonly changed: (conversation: Conversation) => void;
  /** It could not be written. */
  readonly trouble: (error: unknown) => void;
}

export class Thread {
  conversation = $state.raw<Conversation>()!;
  #nodes = $state.raw<ReadonlyMap<string, Node>>(new Map());
  /** From the first message to the last one that is shown. */
  readonly path = $derived(pathTo(this.#nodes, this.conversation.leaf));
  readonly #children = $derived(childrenOf(this.#nodes));
  readonly #host: ThreadHost;
  /** A new conversation is kept from its first message on. */
  #kept: boolean;

  constructor(host: ThreadHost, from: Whole | ChatSettings) {
    this.#host = host;
    this.#kept = 'conversation' in from;
    this.conversation = 'conversation' in from ? from.conversation : newConversation(from);
    if ('conversation' in from) this.#nodes = nodesOf(from.messages);
  }

  get id(): string {
    return this.conversation.id;
  }

  get isNew(): boolean {
    return !this.#kept;
  }

  get messages(): Message[] {
    return [...this.#nodes.values()].map(({ message }) => message);
  }

  node(id: string): Node | undefined {
    return this.#nodes.get(id);
  }

  /** The other versions of a message, itself among them, oldest first. */
  versions({ parent }: Node): readonly Node[] {
    return this.#children.get(parent) ?? [];
  }

  /** Puts a message below `parent`, shows it, and keeps it. */
  add(parent: string | null, message: Pick<Message, 'role' | 'text'> & Partial<Message>): Node {
    // Siblings are told apart by their time.
    const created = Math.max(Date.now(), ...(this.#children.get(parent) ?? []).map((sibling) => sibling.created + 1));
    const node = new Node({ id: newId(), created, ...message, parent });
    this.#nodes = new Map(this.#nodes).set(node.id, node);
    const title = this.conversation.title || titleOf(message);
    this.#change({ leaf: node.id, title, changed: created }, [node.message]);
    return node;
  }

  /** Changes a message, here; `keep` writes it. */
  update(node: Node, changes: Partial<Message>): void {
    node.message = { ...node.message, ...changes };
  }

  /** Opens an answer to go on with it: it is not done any more. Returns how it had ended. */
  begin(node: Node): Message['end'] {
    const { end } = node.message;
    node.message = without(node.message, ['end', 'failure', 'edited', 'held']);
    void this.keep(node);
    return end;
  }

  /** What was said up to this message, which is the last where there is anything in it. */
  pathOf({ id, message }: Node): Message[] {
    const path = pathTo(this.#nodes, message.text.trim() === '' ? message.parent : id);
    return path.map((node) => node.message);
  }

  /** Writes a message as it is now, unless it was taken away meanwhile. */
  async keep(node: Node): Promise<void> {
    if (!this.#nodes.has(node.id)) return;
    await this.#told(this.#host.store.putMessage(this.id, node.message));
  }

  /** Shows another version of a message, with what came after it last. */
  show(id: string): void {
    this.#change({ leaf: latestLeaf(this.#nodes, id) });
  }

  /** Takes a message away, with all that is below it. */
  remove(id: string): Removed {
    const { leaf } = this.conversation;
    const messages = below(this.#nodes, id).map(({ message }) => message);
    const next = this.path.some((node) => node.id === id) ? leafWithout(this.#nodes, id) : leaf;
    const nodes = new Map(this.#nodes);
    for (const message of messages) nodes.delete(message.id);
    this.#nodes = nodes;
    this.#change(
      { leaf: next },
      [],
      messages.map((message) => message.id),
    );
    return { messages, leaf };
  }

  restore({ messages, leaf }: Removed): void {
    this.#nodes = new Map([...this.#nodes, ...nodesOf(messages)]);
    this.#change({ leaf }, messages);
  }

  set(changes: Partial<Pick<Conversation, 'title' | 'pinned' | 'settings'>>): void {
    this.#change(changes);
  }

  /** After another tab has written: `id`, or the whole conversation. The branch that is shown here stays. */
  async refresh(id?: string): Promise<void> {
    if (id !== undefined) {
      const message = await this.#host.store.message(this.id, id);
      if (message) this.#take([message]);
      return;
    }
    const whole = await this.#host.store.open(this.id);
    if (!whole) return;
    const leaf = this.conversation.leaf;
    const there = new Set(whole.messages.map((message) => message.id));
    const kept =
      leaf !== null && there.has(leaf) ? latestLeaf(new Map(nodesOf(whole.messages)), leaf) : whole.conversation.leaf;
    this.#nodes = new Map([...this.#nodes].filter(([key]) => there.has(key)));
    this.#take(whole.messages);
    this.conversation = { ...whole.conversation, leaf: kept };
  }

  #take(messages: readonly Message[]): void {
    const fresh = messages.filter((message) => {
      const node = this.#nodes.get(message.id);
      if (node) node.message = message;
      return !node;
    });
    if (fresh.length > 0) this.#nodes = new Map([...this.#nodes, ...nodesOf(fresh)]);
  }

  #change(changes: Partial<Conversation>, messages: readonly Message[] = [], removed: readonly string[] = []): void {
    this.conversation = { ...this.conversation, ...changes };
    if (this.#nodes.size === 0 && !this.#kept) return;
    this.#kept = true;
    this.#host.changed(this.conversation);
    void this.#told(this.#host.store.put({ conversation: this.conversation, messages }, removed));
  }

  async #told(written: Promise<void>): Promise<void> {
    try {
      await written;
    } catch (error) {
      this.#host.trouble(error);
    }
  }
}

/** What a model can still add to: the last answer, where it did not come to its own end. */
export function canContinue({ message }: Node): boolean {
  if (message.role !== 'assistant' || message.text.trim() === '') return false;
  return !isDone(message) || message.edited === true || (message.end?.reason ?? 'failure') !== 'end';
}

/** By what was asked, or what was attached to nothing. */
function titleOf({ role, text, files }: Pick<Message, 'role' | 'text' | 'files'>): string {
  return role === 'user' ? titleFrom(text) || (files?.[0]?.name ?? '') : '';
}

function nodesOf(messages: readonly Message[]): Map<string, Node> {
  return new Map(messages.map((message) => [message.id, new Node(message)]));
}

function without<T extends object, K extends keyof T>(value: T, names: readonly K[]): Omit<T, K> {
  const kept = Object.entries(value).filter(([name]) => !names.includes(name as K));
  return Object.fromEntries(kept) as Omit<T, K>;
}
