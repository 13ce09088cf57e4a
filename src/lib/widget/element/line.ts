/** The element's end of the line to its frame: who may answer, and what is taken from it. */
import { PROTOCOL, type Connect, type ToFrame, type ToPage, type WidgetSettings } from '../protocol';
import { isHello, mismatch, readToPage } from './read';

export interface LineEvents {
  /** Asked for each time that the frame begins anew. */
  readonly settings: () => WidgetSettings;
  readonly heard: (message: ToPage) => void;
  readonly failed: (code: string, message: string) => void;
}

/** Milliseconds that a frame which was fetched gets to say something. */
const PATIENCE = 20_000;

export class Line {
  readonly #frame: HTMLIFrameElement;
  readonly #origin: string;
  readonly #events: LineEvents;
  #port: MessagePort | undefined;
  /** Said before there was a line. */
  #waiting: ToFrame[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(frame: HTMLIFrameElement, events: LineEvents) {
    this.#frame = frame;
    this.#origin = new URL(frame.src).origin;
    this.#events = events;
    addEventListener('message', this.#greeted);
    frame.addEventListener('load', this.#loaded);
  }

  get connected(): boolean {
    return this.#port !== undefined;
  }

  say(message: ToFrame): void {
    if (this.#port) this.#port.postMessage(message);
    else this.#waiting.push(message);
  }

  close(): void {
    removeEventListener('message', this.#greeted);
    this.#frame.removeEventListener('load', this.#loaded);
    clearTimeout(this.#timer);
    this.#port?.close();
    this.#port = undefined;
  }

  /** From anybody in the page: only what our own frame says, out of the widget's own origin, counts. */
  readonly #greeted = ({ source, origin, data }: MessageEvent<unknown>): void => {
    const frame = this.#frame.contentWindow;
    if (!frame || source !== frame || origin !== this.#origin || !isHello(data)) return;
    clearTimeout(this.#timer);
    const problem = mismatch(data);
    if (problem) return this.#events.failed('protocol', problem);
    this.#port?.close();
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = ({ data: said }: MessageEvent<unknown>) => {
      const message = readToPage(said);
      if (message) this.#events.heard(message);
    };
    const connect: Connect = { fireside: 'connect', protocol: PROTOCOL, settings: this.#events.settings() };
    frame.postMessage(connect, this.#origin, [port2]);
    for (const message of this.#waiting.splice(0)) port1.postMessage(message);
  };

  /** A browser tells of a frame that it refused, or that is not there, as of any other: by its silence. */
  readonly #loaded = (): void => {
    clearTimeout(this.#timer);
    if (this.#port) return;
    this.#timer = setTimeout(() => {
      this.#events.failed(
        'frame',
        `Nothing answers at ${this.#frame.src}. Check the address, and that this page’s policy allows frame-src ${this.#origin}.`,
      );
    }, PATIENCE);
  };
}
