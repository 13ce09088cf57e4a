/**
 * The package's export `./widget`: the element as a module, for pages that bundle it.
 *
 *   import { defineFiresideChat } from 'fireside-chat/widget';
 *   defineFiresideChat({ app: 'https://chat.example/' });
 */
import { FiresideChat } from './element/fireside-chat';

export { FiresideChat };
export type { WidgetTool } from './element/settings';
export type { ErrorDetail, MessageDetail, ProgressDetail, ReadyDetail, WidgetEvents } from './protocol';

export interface WidgetOptions {
  /** Where the Fireside app lies whose frame the widget shows. Each element's attribute `app` comes before it. */
  readonly app: string;
}

/** Defines `<fireside-chat>`; once is enough, and where there are no elements, as on a server, it does nothing. */
export function defineFiresideChat({ app }: WidgetOptions): void {
  FiresideChat.app = app;
  if (typeof customElements === 'undefined' || customElements.get('fireside-chat')) return;
  customElements.define('fireside-chat', FiresideChat);
}

declare global {
  interface HTMLElementTagNameMap {
    'fireside-chat': FiresideChat;
  }
}
