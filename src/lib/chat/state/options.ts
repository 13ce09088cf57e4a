/** What a chat is made with, and what it says of what was done. */
import type { Conversations } from '$lib/conversations/store';
import type { Engine } from '$lib/engine/client';
import type { Around } from './answerer.svelte';

/** Something that was done, and can be undone. */
export interface Note {
  readonly text: string;
  readonly tone?: 'error';
  readonly undo?: () => void;
  /** It holds as long as this conversation is open and nothing more is asked. */
  readonly of?: string;
}

/** Of a note, when something else is done: what can be undone in one conversation alone, or went wrong, is over. */
export function lasting(note: Note | undefined): Note | undefined {
  return note?.of !== undefined || note?.tone === 'error' ? undefined : note;
}

/** What the page that shows the chat brings along. */
export interface ChatOptions {
  /** Where conversations are kept; default: IndexedDB, with those of the page. */
  readonly store?: Conversations;
  /** What whoever embeds the chat adds to its answers. */
  readonly around?: Around;
  /** Is told which engine of this page has a model open, and when none has. */
  readonly served?: ((engine: Engine | undefined) => void) | undefined;
  /** For visitors: the open conversation is not in the address, answers have no figures, and the engine is lent on when nobody asks here. */
  readonly guest?: boolean;
}
