/** Where a widget's conversations are kept: for each page's origin and each widget of it apart. */
import { MemoryConversations, type Shelf } from '$lib/conversations/memory';
import { ConversationStore, type Conversations } from '$lib/conversations/store';
import type { WidgetSettings } from '../protocol';

/** @param host the page's origin */
export function keeping(host: string, { storage, instance }: WidgetSettings): Conversations {
  const name = `fireside-widget ${host} ${instance}`;
  if (storage === 'local') return new ConversationStore({ name });
  return new MemoryConversations(storage === 'session' ? tabShelf(name) : undefined);
}

/** The tab's own storage, which survives the way to the next page of the site, and nothing else. */
function tabShelf(name: string): Shelf {
  return {
    read: () => quietly(() => sessionStorage.getItem(name)) ?? null,
    write: (text) => quietly(() => sessionStorage.setItem(name, text)),
  };
}

/** Browsers may keep nothing for frames, or not so much: then it holds until the page is left. */
function quietly<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}

const AGREED = 'fireside-widget-agreed';

/** That the visitor let this widget fetch the model which comes along. Not kept where nothing is to be. */
export function hasAgreed({ storage }: WidgetSettings): boolean {
  return storage !== 'none' && quietly(() => shelfFor(storage).getItem(AGREED)) === 'pocket';
}

export function rememberAgreed({ storage }: WidgetSettings): void {
  if (storage !== 'none') quietly(() => shelfFor(storage).setItem(AGREED, 'pocket'));
}

function shelfFor(storage: 'session' | 'local'): Storage {
  return storage === 'local' ? localStorage : sessionStorage;
}
