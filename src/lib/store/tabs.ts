/** What the tabs of one app tell each other: how a download is going, that records changed, and please stop. */
import type { ModelState } from './state';

export type TabMessage =
  | { readonly type: 'state'; readonly model: ModelState }
  /** Records were changed: models came, went, or became whole. */
  | { readonly type: 'records' }
  /** To whoever has the model's lock. `pause`: it stays stopped. `yield`: let go of it. */
  | { readonly type: 'ask'; readonly id: string; readonly action: 'pause' | 'yield' };

export interface Tabs {
  send(message: TabMessage): void;
  /** Of the other tabs. */
  onMessage(listener: (message: TabMessage) => void): void;
  close(): void;
}

export function broadcastTabs(name = 'fireside-models'): Tabs {
  const channel = new BroadcastChannel(name);
  return {
    send: (message) => channel.postMessage(message),
    onMessage: (listener) => {
      channel.onmessage = ({ data }: MessageEvent<TabMessage>) => listener(data);
    },
    close: () => channel.close(),
  };
}

export function noTabs(): Tabs {
  return { send: () => {}, onMessage: () => {}, close: () => {} };
}
