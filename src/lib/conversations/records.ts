/** Conversations as they are stored: plain data. What stands here is what exports hold, field by field. */
import type { AnswerEnd, Sampling } from '$lib/engine/protocol';

/** Of this shape. A record of a lower one is migrated when it is read; one of a higher one is left alone. */
export const VERSION = 2;

/** What a conversation asks of the engine; what is left out is the page's own choice. */
export interface ChatSettings {
  /** `stored:` and the id of a model in the store, or a model's address. */
  readonly model?: string;
  readonly path?: 'auto' | 'gpu' | 'cpu';
  /** What the model is told before everything else. */
  readonly system?: string;
  readonly sampling?: Sampling;
  /** Of one answer. */
  readonly maxTokens?: number;
}

export interface Conversation {
  readonly id: string;
  readonly version: number;
  /** '' until there is something to name it after. */
  readonly title: string;
  readonly pinned: boolean;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly changed: number;
  readonly settings: ChatSettings;
  /** The last message of the branch that is shown; null where there is none. */
  readonly leaf: string | null;
}

/** One message in the tree: its siblings are the messages of the same parent, edits and other answers. */
export interface Message {
  readonly id: string;
  /** null at the beginning of a conversation. */
  readonly parent: string | null;
  readonly role: 'user' | 'assistant';
  readonly text: string;
  /** What a person put beside a question, for the model to read. */
  readonly files?: readonly TextFile[];
  readonly created: number;
  /** Who answered, by the model's own name. */
  readonly model?: string;
  /** How the answer ended. An answer with none of the next three is being written, or was when its tab went away. */
  readonly end?: AnswerEnd;
  readonly failure?: StoredFailure;
  /** A person wrote this answer, or changed it. */
  readonly edited?: true;
  /** Tokens that the model held of the conversation when the answer had ended, the answer included. */
  readonly held?: number;
  /** The first message that the model still saw, where older ones had left its window. */
  readonly from?: string;
  /** Milliseconds that the model thought before it answered. */
  readonly thoughtMs?: number;
}

/** A file's text, as it was when it was attached. */
export interface TextFile {
  /** The file's own, without its folder. */
  readonly name: string;
  readonly text: string;
}

/** Of one message. */
export const MOST_FILES = 50;

/** Why an answer broke off. A newer version may know codes that this one does not. */
export interface StoredFailure {
  readonly code: string;
  readonly message: string;
}

/** Settings with a name, to begin conversations with. */
export interface Preset {
  readonly id: string;
  readonly name: string;
  readonly settings: ChatSettings;
}

/** A conversation with all its messages, in any order. */
export interface Whole {
  readonly conversation: Conversation;
  readonly messages: readonly Message[];
}

/** 16 letters and digits, as unlikely to meet again as they need to be. `randomUUID` wants a trusted address. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => (byte % 36).toString(36)).join('');
}

export function newConversation(settings: ChatSettings = {}, now = Date.now()): Conversation {
  return {
    id: newId(),
    version: VERSION,
    title: '',
    pinned: false,
    created: now,
    changed: now,
    settings,
    leaf: null,
  };
}

/** Whether an answer has come to its end, good or bad. */
export function isDone({ role, end, failure, edited }: Message): boolean {
  return role === 'user' || end !== undefined || failure !== undefined || edited === true;
}
