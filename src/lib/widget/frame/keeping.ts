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

/** That the visitor let this widget have a model, by its name: the one that comes along, or one of the app's own store. Not kept where nothing is to be. */
export function hasAgreed(settings: WidgetSettings, model: string): boolean {
  return agreed(settings).includes(model);
}

export function rememberAgreed(settings: WidgetSettings, model: string): void {
  const { storage } = settings;
  if (storage === 'none') return;
  const models = new Set([...agreed(settings), model]);
  quietly(() => shelfFor(storage).setItem(AGREED, [...models].join('\n')));
}

function agreed({ storage }: WidgetSettings): string[] {
  const text = storage === 'none' ? undefined : quietly(() => shelfFor(storage).getItem(AGREED));
  return text?.split('\n') ?? [];
}

function shelfFor(storage: 'session' | 'local'): Storage {
  return storage === 'local' ? localStorage : sessionStorage;
}
