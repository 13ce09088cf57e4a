/** The frame's end of the line to the page around it. */
import { LONGEST_TEXT, PROTOCOL, type Hello, type ToFrame, type ToPage, type WidgetSettings } from '../protocol';
import { readConnect, readToFrame } from './schemas';

export interface FrameEvents {
  /** The page around said who it is. `host`: its origin, as the browser tells it; `null` for a page that has none. */
  readonly connected: (host: string, settings: WidgetSettings) => void;
  readonly heard: (message: Exclude<ToFrame, { readonly type: 'answer' }>) => void;
}

type Question =
  Omit<Extract<ToPage, { readonly type: 'context' }>, 'id'> | Omit<Extract<ToPage, { readonly type: 'call' }>, 'id'>;

/** What a page did not do, in its own words. */
export class PageError extends Error {
  override readonly name = 'PageError';
}

/** Milliseconds that a page gets to answer a question. */
const PATIENCE = 60_000;

interface Pending {
  readonly done: (text: string) => void;
  readonly failed: (error: PageError) => void;
}

export class FrameLine {
  readonly #events: FrameEvents;
  readonly #pending = new Map<number, Pending>();
  #port: MessagePort | undefined;
  #lastId = 0;

  constructor(events: FrameEvents) {
    this.#events = events;
  }

  /** Says hello, and waits for the page; returns what ends that. */
  begin(): () => void {
    addEventListener('message', this.#connect);
    const hello: Hello = { fireside: 'hello', protocol: PROTOCOL };
    // Whoever it is may know that much.
    parent.postMessage(hello, '*');
    return () => {
      removeEventListener('message', this.#connect);
      this.#port?.close();
    };
  }

  say(message: ToPage): void {
    this.#port?.postMessage(message);
  }

  /** Asks the page. Rejects with a PageError where it does not answer, and with the signal's reason. */
  ask(question: Question, signal?: AbortSignal): Promise<string> {
    const id = (this.#lastId += 1);
    const given = new Promise<string>((done, failed) => {
      this.#pending.set(id, { done, failed });
      setTimeout(() => failed(new PageError('The page did not answer in time.')), PATIENCE);
      signal?.addEventListener('abort', () => failed(new PageError('It was stopped.')), { once: true });
    });
    this.say({ ...question, id });
    return given.finally(() => this.#pending.delete(id));
  }

  /** Only the page around, only once, and only with a port: other frames, and later claims, are not heard. */
  readonly #connect = ({ source, origin, data, ports }: MessageEvent<unknown>): void => {
    const [port] = ports;
    if (source !== parent || this.#port || !port) return;
    const connect = readConnect(data);
    if (!connect) return;
    this.#port = port;
    port.onmessage = ({ data: said }: MessageEvent<unknown>) => this.#hear(readToFrame(said));
    this.#events.connected(origin, connect.settings);
  };

  #hear(message: ToFrame | undefined): void {
    if (!message) return console.warn('fireside-chat: the page said something that is not understood; it is ignored.');
    if (message.type !== 'answer') return this.#events.heard(message);
    const pending = this.#pending.get(message.id);
    if (message.failed) pending?.failed(new PageError(message.text));
    else pending?.done(message.text.slice(0, LONGEST_TEXT));
  }
}
