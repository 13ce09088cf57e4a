import type { BrowserContextOptions } from 'playwright';
import { ChatPage } from './chat-page';
import { useDouble } from './engine-double';
import { visit, type Visit } from './visit';

/** A visit to the chat with a double for its engine. */
export async function visitDouble(
  look: (chat: ChatPage, visit: Visit) => Promise<void>,
  browsing: BrowserContextOptions = {},
): Promise<void> {
  // Where a service worker answers, the double would not be asked for.
  const alone: BrowserContextOptions = { ...browsing, serviceWorkers: 'block' };
  await visit({ gpu: false, browsing: alone, prepare: useDouble }, async (visited) => {
    // It has no model to read.
    visited.page.setDefaultTimeout(15_000);
    await look(new ChatPage(visited.page), visited);
  });
}
