/** What of the page is open: the list beside it, the drawer that it is on a phone, and what lies over it. */
import { focusComposer } from '../focus';
import type { Chat } from '../state/chat.svelte';
import type { Shortcut } from './keys';

/** From this width on the list stands beside the conversation. */
const WIDE = '(min-width: 800px)';
const SINGLE_KEYS = 'fireside-single-keys';

export class Frame {
  /** The list stands beside the conversation. */
  sidebar = $state(true);
  /** The list lies over the conversation. */
  drawer = $state(false);
  dialog = $state<'settings' | 'keys'>();
  /** `?` shows the shortcuts: a person may not want keys that do something by themselves. */
  singleKeys = $state(true);
  /** There is room for the list beside the conversation. */
  wide = $state(true);

  /** Once there is a window. @returns takes it back */
  fit(): () => void {
    this.singleKeys = kept(SINGLE_KEYS) !== 'off';
    const wide = matchMedia(WIDE);
    const changed = (): void => {
      this.wide = wide.matches;
      this.closeDrawer();
    };
    changed();
    wide.addEventListener('change', changed);
    return () => wide.removeEventListener('change', changed);
  }

  /** The list can be seen. */
  get listed(): boolean {
    return this.wide ? this.sidebar : this.drawer;
  }

  toggleList(): void {
    if (this.wide) this.sidebar = !this.sidebar;
    else this.drawer = !this.drawer;
  }

  closeDrawer(): void {
    this.drawer = false;
  }

  show(open: boolean, dialog: 'settings' | 'keys'): void {
    if (open) this.dialog = dialog;
    // Another one may have been opened since this one was closed.
    else if (this.dialog === dialog) this.dialog = undefined;
  }

  useSingleKeys(on: boolean): void {
    this.singleKeys = on;
    try {
      localStorage.setItem(SINGLE_KEYS, on ? 'on' : 'off');
    } catch {
      // It holds until the page is closed.
    }
  }

  run(shortcut: Shortcut, chat: Chat): void {
    const last = chat.thread.path.findLast(({ role }) => role === 'assistant');
    switch (shortcut) {
      case 'help':
        return void (this.dialog = 'keys');
      case 'settings':
        return void (this.dialog = 'settings');
      case 'newChat':
        chat.newChat();
        return focusComposer();
      case 'search':
        if (!this.listed) this.toggleList();
        // The list has to be there before it can be written in.
        return void setTimeout(() => focus('[data-search]'));
      case 'sidebar':
        return this.toggleList();
      case 'write':
        return focusComposer();
      case 'stop':
        // What lies over the page is closed by the browser.
        if (document.querySelector(':popover-open')) return;
        if (this.drawer) this.closeDrawer();
        else chat.stop();
        return;
      case 'regenerate':
        if (last && !chat.answerer.live) void chat.regenerate(last);
        return;
      case 'copyLast':
        return press('article[data-message]:last-of-type [data-copy]');
      case 'older':
      case 'newer':
        return this.#step(chat, shortcut === 'older' ? 1 : -1);
    }
  }

  /** To the conversation below or above in the list. */
  #step({ library, thread }: Chat, by: number): void {
    const ids = library.entries.map(({ conversation }) => conversation.id);
    const at = ids.indexOf(thread.id);
    const to = ids[at < 0 ? 0 : at + by];
    if (to !== undefined) location.hash = `#chat=${to}`;
  }
}

function focus(selector: string): void {
  document.querySelector<HTMLElement>(selector)?.focus();
}

function press(selector: string): void {
  document.querySelector<HTMLElement>(selector)?.click();
}

function kept(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
