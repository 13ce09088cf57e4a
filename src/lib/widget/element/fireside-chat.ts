/**
 * `<fireside-chat>`: a button and a panel in the host's page, and in the panel a frame of the widget's own origin, which
 * brings all the rest. The element knows nothing of what is said in there but what the frame tells it.
 */
import type { ToPage, WidgetEvents } from '../protocol';
import { Line } from './line';
import {
  ATTRIBUTES,
  settingsOf,
  suggestionsOf,
  TEXTS,
  toolsOf,
  wrongWord,
  type TextName,
  type WidgetTool,
} from './settings';
import { styleSheet } from './style';
import { wordsFor } from './words';

/** Where there are no elements, as where a page is made on a server, the class can still be named. */
const Base: typeof HTMLElement = globalThis.HTMLElement ?? class {};

/** As the style sheet has it. */
const WHOLE_SCREEN = '(max-width: 480px), (max-height: 420px)';

// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- the properties are made from TEXTS, below
export interface FiresideChat extends Record<TextName, string> {
  addEventListener<N extends keyof WidgetEvents>(
    type: N,
    listener: (event: CustomEvent<WidgetEvents[N]>) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- see above
export class FiresideChat extends Base {
  static readonly observedAttributes: readonly string[] = ATTRIBUTES;
  /** Where the app lies that brings the frame, unless the attribute `app` says otherwise. */
  static app = '';
  static #count = 0;

  #instance = '';
  #button: HTMLButtonElement | undefined;
  #panel: HTMLElement | undefined;
  #frame: HTMLIFrameElement | undefined;
  #line: Line | undefined;
  #watch: MutationObserver | undefined;
  #settingsDue = false;
  #tools: readonly WidgetTool[] = [];
  #context: (() => string | Promise<string>) | undefined;
  /** What had the focus before the panel. */
  #before: Element | null = null;

  connectedCallback(): void {
    FiresideChat.#count += 1;
    this.#instance = this.id || String(FiresideChat.#count);
    for (const name of [...TEXTS, 'suggestions', 'shareMessages', 'tools', 'context']) this.#upgrade(name);
    this.#build();
    this.#watch = new MutationObserver(() => this.#settingsChanged());
    this.#watch.observe(document.documentElement, { attributes: true });
  }

  disconnectedCallback(): void {
    this.#watch?.disconnect();
    this.#dropFrame();
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    const complaint = wrongWord(name, after);
    if (complaint) console.warn(complaint);
    if (!this.isConnected || !this.#panel || before === after) return;
    if (name === 'mode' || name === 'app') this.#build();
    this.#name();
    this.#settingsChanged();
  }

  // ---- properties ----------------------------------------------------------------------------------------------

  get instance(): string {
    return this.#instance;
  }

  get isOpen(): boolean {
    return this.#panel instanceof HTMLDialogElement ? this.#panel.open : this.#panel !== undefined;
  }

  get suggestions(): readonly string[] {
    return suggestionsOf(this);
  }
  set suggestions(texts: readonly string[] | string) {
    this.setAttribute('suggestions', typeof texts === 'string' ? texts : texts.join('|'));
  }

  get shareMessages(): boolean {
    return this.hasAttribute('share-messages');
  }
  set shareMessages(on: boolean) {
    this.toggleAttribute('share-messages', on);
  }

  /** What the model may call. Each call is shown to the visitor first. Throws a TypeError where one is no tool. */
  get tools(): readonly WidgetTool[] {
    return this.#tools;
  }
  set tools(tools: readonly WidgetTool[]) {
    toolsOf(tools);
    this.#tools = tools;
    this.#settingsChanged();
  }

  /** Asked before each answer: what the model should know of the page. */
  get context(): (() => string | Promise<string>) | undefined {
    return this.#context;
  }
  set context(tell: (() => string | Promise<string>) | undefined) {
    this.#context = tell;
    this.#settingsChanged();
  }

  // ---- methods -------------------------------------------------------------------------------------------------

  open(): void {
    this.#ensureFrame();
    const panel = this.#panel;
    if (panel instanceof HTMLDialogElement && !panel.open) {
      this.#before = document.activeElement;
      if (matchMedia(WHOLE_SCREEN).matches) panel.showModal();
      else panel.show();
      this.#button?.setAttribute('aria-expanded', 'true');
      this.#name();
    }
    this.#frame?.focus();
    this.#line?.say({ type: 'shown' });
  }

  close(): void {
    const panel = this.#panel;
    if (!(panel instanceof HTMLDialogElement) || !panel.open) return;
    panel.close();
    this.#button?.setAttribute('aria-expanded', 'false');
    this.#name();
    const back = this.#before instanceof HTMLElement && this.#before !== document.body ? this.#before : this.#button;
    if (back === this) this.#button?.focus();
    else back?.focus();
  }

  /** Asks in the visitor's name, in sight: the panel opens. Before a model was agreed to, it waits for that. */
  send(text: string): void {
    if (text.trim() === '') throw new TypeError('fireside-chat: send() wants a text.');
    this.open();
    this.#line?.say({ type: 'send', text });
  }

  /** Ends the answer that is being written. */
  stop(): void {
    this.#line?.say({ type: 'stop' });
  }

  /** Ends the conversation, deletes it, and begins a new one. */
  clear(): void {
    this.#ensureFrame();
    this.#line?.say({ type: 'clear' });
  }

  // ---- inside --------------------------------------------------------------------------------------------------

  /** Of a property that was set before there was a class. */
  #upgrade(name: string): void {
    if (!Object.hasOwn(this, name)) return;
    const own = this as unknown as Record<string, unknown>;
    const value = own[name];
    delete own[name];
    own[name] = value;
  }

  #build(): void {
    this.#dropFrame();
    const root = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [styleSheet()];
    const inline = this.mode === 'inline';
    const panel: HTMLElement = (this.#panel = document.createElement(inline ? 'section' : 'dialog'));
    panel.id = 'panel';
    panel.className = 'panel';
    panel.part.add('panel');
    this.#button = inline ? undefined : makeButton();
    this.#button?.addEventListener('click', () => (this.isOpen ? this.close() : this.open()));
    panel.addEventListener('cancel', (event) => {
      event.preventDefault();
      this.close();
    });
    panel.addEventListener('keydown', this.#escaped);
    this.#button?.addEventListener('keydown', this.#escaped);
    root.replaceChildren(...(this.#button ? [this.#button] : []), panel);
    this.#name();
    if (inline) this.#ensureFrame();
  }

  readonly #escaped = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || !this.isOpen) return;
    event.preventDefault();
    this.close();
  };

  /** What the parts are called. */
  #name(): void {
    const words = wordsFor([this.language, this.closest<HTMLElement>('[lang]')?.lang ?? '', ...navigator.languages]);
    const name = this.heading || words.chat;
    this.#panel?.setAttribute('aria-label', name);
    if (this.#frame) this.#frame.title = name;
    const label = this.isOpen ? words.close : this.label || words.open;
    this.#button?.setAttribute('aria-label', label);
    if (this.#button) this.#button.title = label;
  }

  /** Nothing is fetched before somebody opens the panel. */
  #ensureFrame(): void {
    if (this.#frame || !this.#panel) return;
    const address = frameAddress(this.app || FiresideChat.app);
    if (typeof address === 'string') return this.#fail('app', address);
    const frame = (this.#frame = document.createElement('iframe'));
    frame.className = 'frame';
    frame.part.add('frame');
    frame.allow = 'clipboard-write; storage-access; cross-origin-isolated';
    if (this.mode === 'inline') frame.loading = 'lazy';
    frame.src = address.href;
    this.#line = new Line(frame, {
      settings: () => settingsOf(this),
      heard: (message) => this.#hear(message),
      failed: (code, message) => this.#fail(code, message),
    });
    this.#name();
    this.#panel.replaceChildren(frame);
  }

  #dropFrame(): void {
    this.#line?.close();
    this.#line = undefined;
    this.#frame?.remove();
    this.#frame = undefined;
    this.#button?.setAttribute('aria-expanded', 'false');
    if (this.#panel instanceof HTMLDialogElement) this.#panel.close();
  }

  #settingsChanged(): void {
    if (!this.#line?.connected || this.#settingsDue) return;
    this.#settingsDue = true;
    queueMicrotask(() => {
      this.#settingsDue = false;
      if (this.#line?.connected) this.#line.say({ type: 'settings', settings: settingsOf(this) });
    });
  }

  #hear(message: ToPage): void {
    if (message.type === 'close') return this.close();
    if (message.type === 'context') return void this.#answer(message.id, () => this.#context?.() ?? '');
    if (message.type === 'call') {
      const tool = this.#tools.find(({ name }) => name === message.name);
      return void this.#answer(message.id, () => {
        if (!tool) throw new TypeError(`There is no tool «${message.name}».`);
        return tool.run(parsed(message.args));
      });
    }
    this.#dispatch(message.type, message.detail);
  }

  async #answer(id: number, find: () => unknown): Promise<void> {
    try {
      const found = await find();
      const text = typeof found === 'string' ? found : (JSON.stringify(found) ?? 'null');
      this.#line?.say({ type: 'answer', id, text, failed: false });
    } catch (error) {
      console.error(error);
      const text = error instanceof Error ? error.message : String(error);
      this.#line?.say({ type: 'answer', id, text, failed: true });
    }
  }

  /** Where there can be no frame, the panel says why, for whoever makes the page. */
  #fail(code: string, message: string): void {
    const words = document.createElement('p');
    words.className = 'problem';
    words.textContent = message;
    this.#dropLine();
    this.#panel?.replaceChildren(words);
    this.#dispatch('error', { code, message });
  }

  #dropLine(): void {
    this.#line?.close();
    this.#line = undefined;
    this.#frame = undefined;
  }

  #dispatch<N extends keyof WidgetEvents>(type: N, detail: WidgetEvents[N]): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }
}

for (const name of TEXTS) {
  Object.defineProperty(FiresideChat.prototype, name, {
    configurable: true,
    enumerable: true,
    get(this: HTMLElement): string {
      return this.getAttribute(name) ?? '';
    },
    set(this: HTMLElement, value: string | null | undefined) {
      if (value === null || value === undefined) this.removeAttribute(name);
      else this.setAttribute(name, value);
    },
  });
}

/** The frame's address, or what is wrong with the app's. */
function frameAddress(app: string): URL | string {
  const wanted = 'fireside-chat: «app» has to be the address of a Fireside app, such as https://chat.example/.';
  if (app === '') return wanted;
  try {
    const base = new URL(app, document.baseURI);
    if (!base.pathname.endsWith('/')) base.pathname += '/';
    return /^https?:$/.test(base.protocol) ? new URL('frame', base) : wanted;
  } catch {
    return wanted;
  }
}

function parsed(args: string): unknown {
  try {
    return JSON.parse(args);
  } catch {
    return args;
  }
}

const SVG = 'http://www.w3.org/2000/svg';
const MARK =
  'M17.5 1.5C18 8 28 10.6 28 19c0 6-5.2 10.5-12 10.5-1.9 0-3.7-.35-5.3-1L4 30.5l1.7-5.7C4.6 23.2 4 21.2 4 19c0-4.4 2.6-7 4.3-9.8.7 2.2 1.7 3.3 3.2 4.2C11.4 8.4 14.3 4.7 17.5 1.5Z';

function makeButton(): HTMLButtonElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'button';
  button.part.add('button');
  button.setAttribute('aria-expanded', 'false');
  button.setAttribute('aria-haspopup', 'dialog');
  button.setAttribute('aria-controls', 'panel');
  button.append(drawing('mark', 32, 28, MARK), drawing('cross', 20, 24, 'm5 5 10 10M15 5 5 15'));
  return button;
}

function drawing(name: string, box: number, size: number, path: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', name);
  svg.setAttribute('viewBox', `0 0 ${box} ${box}`);
  svg.setAttribute('width', String(size));
  svg.setAttribute('height', String(size));
  svg.setAttribute('aria-hidden', 'true');
  const line = document.createElementNS(SVG, 'path');
  line.setAttribute('d', path);
  svg.append(line);
  return svg;
}
