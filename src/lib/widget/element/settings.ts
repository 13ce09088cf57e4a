/** What an element's attributes and properties, and the page around it, ask of the frame. */
import {
  isLook,
  LONGEST_TEXT,
  LOOK,
  MODES,
  MOST_SUGGESTIONS,
  MOST_TOOLS,
  POSITIONS,
  STORAGES,
  THEMES,
  TOOL_NAME,
  type LookName,
  type ToolSpec,
  type WidgetSettings,
} from '../protocol';

/** A tool of the page: what the model is told of it, and what it does. */
export interface WidgetTool {
  /** Up to 64 letters, digits, `-` and `_`. */
  readonly name: string;
  /** What it does, for the model. */
  readonly description: string;
  /** JSON schema of an object; left out: it takes nothing. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Is given what the model wrote, as far as it is JSON; check it. What it returns the model reads: text, or JSON. */
  readonly run: (args: unknown) => unknown;
}

/** Attributes that are texts; each is a property of the same name. */
export const TEXTS = [
  'app',
  'model',
  'hub',
  'src',
  'system',
  'heading',
  'label',
  'greeting',
  'placeholder',
  'language',
  'mode',
  'position',
  'theme',
  'storage',
] as const;

export type TextName = (typeof TEXTS)[number];

/** All that are watched. */
export const ATTRIBUTES = [...TEXTS, 'suggestions', 'share-messages', 'dir', 'class', 'style'] as const;

/** What `WidgetSettings` is made of. */
export interface Asking extends HTMLElement {
  readonly instance: string;
  readonly tools: readonly WidgetTool[];
  readonly context: unknown;
}

export function settingsOf(element: Asking): WidgetSettings {
  const text = (name: TextName): string => (element.getAttribute(name) ?? '').slice(0, LONGEST_TEXT);
  const [hub, src] = [text('hub'), text('src')];
  return {
    instance: element.instance,
    mode: oneOf(MODES, text('mode')),
    model: text('model') || 'pocket',
    ...(hub && { hub }),
    ...(src && { src }),
    system: text('system'),
    heading: text('heading'),
    greeting: text('greeting'),
    suggestions: suggestionsOf(element),
    placeholder: text('placeholder'),
    language: text('language') || element.closest<HTMLElement>('[lang]')?.lang || '',
    direction: getComputedStyle(element).direction === 'rtl' ? 'rtl' : 'ltr',
    theme: oneOf(THEMES, text('theme')),
    look: lookOf(element),
    storage: oneOf(STORAGES, text('storage')),
    shareMessages: element.hasAttribute('share-messages'),
    hasContext: typeof element.context === 'function',
    tools: toolsOf(element.tools),
  };
}

/** Separated by `|`. */
export function suggestionsOf(element: Element): string[] {
  const all = (element.getAttribute('suggestions') ?? '').split('|').map((text) => text.trim());
  return all.filter((text) => text !== '' && text.length <= 300).slice(0, MOST_SUGGESTIONS);
}

/** Of attributes that take one of a few words; POSITIONS are the style sheet's alone. */
export function wrongWord(name: string, value: string | null): string {
  const words = { mode: MODES, theme: THEMES, storage: STORAGES, position: POSITIONS }[name];
  if (!words || value === null || (words as readonly string[]).includes(value)) return '';
  return `fireside-chat: ${name}="${value}" is none of ${words.join(', ')}; it is taken for ${words[0]}.`;
}

function oneOf<const T extends readonly string[]>(words: T, given: string): T[number] {
  return words.find((word) => word === given) ?? words[0]!;
}

function lookOf(element: Element): Partial<Record<LookName, string>> {
  const computed = getComputedStyle(element);
  const given = Object.keys(LOOK).map(
    (name) => [name, computed.getPropertyValue(`--fireside-${name}`).trim()] as const,
  );
  return Object.fromEntries(given.filter(([name, value]) => value !== '' && isLook(name, value)));
}

/** Throws where a tool is none: whoever wrote the page is to see it. */
export function toolsOf(tools: readonly WidgetTool[]): ToolSpec[] {
  if (tools.length > MOST_TOOLS) throw new TypeError(`fireside-chat: at most ${MOST_TOOLS} tools are taken.`);
  const names = new Set<string>();
  return tools.map(({ name, description, parameters = { type: 'object', properties: {} }, run }) => {
    if (!TOOL_NAME.test(name))
      throw new TypeError(`fireside-chat: «${name}» is no name of a tool (${TOOL_NAME.source}).`);
    if (names.has(name)) throw new TypeError(`fireside-chat: there are two tools «${name}».`);
    if (typeof run !== 'function') throw new TypeError(`fireside-chat: the tool «${name}» has no function «run».`);
    names.add(name);
    // What is no plain data cannot cross the border.
    return { name, description, parameters: JSON.parse(JSON.stringify(parameters)) as Record<string, unknown> };
  });
}
