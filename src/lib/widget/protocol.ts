/**
 * What the page that embeds the widget and the widget's frame say to each other. Both sides import this file; each
 * checks what it receives (element/read.ts, frame/schemas.ts), and takes nothing from anybody else.
 *
 * 1. The frame, once it runs, says `Hello` to its parent. It says nothing else to somebody it does not know.
 * 2. The element takes that from its own frame's window and the widget's origin alone, makes a channel, and answers with
 *    `Connect` and one end of it, addressed to that origin. The browser tells the frame whose page it was.
 * 3. From then on `ToFrame` and `ToPage` go through the channel, which nobody else has.
 */

/** Changed with every change that an older other side would not understand. */
export const PROTOCOL = 1;

export interface Hello {
  readonly fireside: 'hello';
  readonly protocol: number;
}

export interface Connect {
  readonly fireside: 'connect';
  readonly protocol: number;
  readonly settings: WidgetSettings;
}

export const THEMES = ['auto', 'light', 'dark'] as const;
export const STORAGES = ['session', 'local', 'none'] as const;
export const MODES = ['floating', 'inline'] as const;
export const POSITIONS = ['end', 'start'] as const;

/** What the frame is asked to be: attributes and properties of the element. */
export interface WidgetSettings {
  /** Which of the page's widgets this is: each has its own conversations. */
  readonly instance: string;
  readonly mode: (typeof MODES)[number];
  /** A model's name on a hub, its address, or `pocket`. */
  readonly model: string;
  readonly hub?: string;
  /** Address of a server that speaks OpenAI's wire format, in the place of a model on the device; `model` is its name there. */
  readonly src?: string;
  readonly system: string;
  /** What stands above the conversation; '': the widget's own words. */
  readonly heading: string;
  readonly greeting: string;
  readonly suggestions: readonly string[];
  readonly placeholder: string;
  /** BCP 47; '': as the browser. */
  readonly language: string;
  readonly direction: 'ltr' | 'rtl';
  readonly theme: (typeof THEMES)[number];
  /** Custom properties of the element that hold for the frame too, without `--fireside-`. */
  readonly look: Readonly<Partial<Record<LookName, string>>>;
  readonly storage: (typeof STORAGES)[number];
  /** The page wants to be told what is said. The widget's origin has to agree. */
  readonly shareMessages: boolean;
  /** The page has something to tell the model with each question. */
  readonly hasContext: boolean;
  readonly tools: readonly ToolSpec[];
}

/** Names of custom properties, and what kind of value each takes. */
export const LOOK = {
  accent: 'color',
  'on-accent': 'color',
  background: 'color',
  surface: 'color',
  text: 'color',
  muted: 'color',
  border: 'color',
  radius: 'length',
  font: 'font',
} as const;

export type LookName = keyof typeof LOOK;

/** A tool of the page, as the model is told of it. */
export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  /** JSON schema of an object. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

// ---- page to frame ---------------------------------------------------------------------------------------------

export type ToFrame =
  | { readonly type: 'settings'; readonly settings: WidgetSettings }
  /** A visitor has opened the panel, and wants to write. */
  | { readonly type: 'shown' }
  | { readonly type: 'send'; readonly text: string }
  | { readonly type: 'stop' }
  | { readonly type: 'clear' }
  /** Answers to what the frame asked; `failed`: why there is none. */
  | { readonly type: 'answer'; readonly id: number; readonly text: string; readonly failed: boolean };

// ---- frame to page ---------------------------------------------------------------------------------------------

export interface ReadyDetail {
  readonly model: string;
  /** Where it computes. */
  readonly path: 'gpu' | 'cpu' | 'server';
  /** Most tokens of a conversation. */
  readonly context: number;
  /** Whether this model can call tools. */
  readonly tools: boolean;
}

export interface ProgressDetail {
  /** `download`: to this device. `open`: from there into memory. */
  readonly phase: 'download' | 'open';
  /** Bytes; both 0 where they are not known. */
  readonly done: number;
  readonly total: number;
}

export interface MessageDetail {
  readonly role: 'user' | 'assistant';
  /** Only where page and widget's origin have agreed on it. */
  readonly text?: string;
}

export interface ErrorDetail {
  readonly code: string;
  readonly message: string;
}

/** What the element's events carry. */
export interface WidgetEvents {
  readonly ready: ReadyDetail;
  readonly progress: ProgressDetail;
  readonly message: MessageDetail;
  readonly error: ErrorDetail;
}

type Told = { [N in keyof WidgetEvents]: { readonly type: N; readonly detail: WidgetEvents[N] } }[keyof WidgetEvents];

export type ToPage =
  | Told
  /** What does the page know that helps with this question? */
  | { readonly type: 'context'; readonly id: number }
  /** A visitor has let the model call a tool. `args`: JSON text. */
  | { readonly type: 'call'; readonly id: number; readonly name: string; readonly args: string }
  /** Escape, or the button that closes. */
  | { readonly type: 'close' };

/** Letters of a text that crosses the border. */
export const LONGEST_TEXT = 100_000;
/** As OpenAI has it. */
export const TOOL_NAME = /^[\w-]{1,64}$/;
export const MOST_TOOLS = 32;
export const MOST_SUGGESTIONS = 8;

/**
 * Whether a custom property's value is one of its kind and nothing more: nothing that is looked up elsewhere, and
 * nothing that loads. Asked on both sides.
 */
export function isLook(name: string, value: string): name is LookName {
  if (!Object.hasOwn(LOOK, name) || value.length > 200 || /[;{}<>\\@!]|(?:url|var|env|attr|image|if)\s*\(/i.test(value))
    return false;
  const kind = LOOK[name as LookName];
  if (kind === 'length') return /^\d{1,3}(?:\.\d+)?(?:px|rem|em)?$/.test(value);
  return CSS.supports(kind === 'color' ? 'color' : 'font-family', value);
}
