/** What the embedding page says, checked field by field: it is anybody's. */
import * as v from 'valibot';
import {
  isLook,
  LONGEST_TEXT,
  MODES,
  MOST_SUGGESTIONS,
  MOST_TOOLS,
  PROTOCOL,
  STORAGES,
  THEMES,
  TOOL_NAME,
  type Connect,
  type ToFrame,
  type WidgetSettings,
} from '../protocol';

/** JSON letters of a tool's schema. */
const LARGEST_SCHEMA = 20_000;

const text = v.pipe(v.string(), v.maxLength(LONGEST_TEXT));
const line = v.pipe(v.string(), v.maxLength(1000));

const tool = v.strictObject({
  name: v.pipe(v.string(), v.regex(TOOL_NAME)),
  description: line,
  parameters: v.pipe(
    v.record(v.string(), v.unknown()),
    v.check((schema) => JSON.stringify(schema).length <= LARGEST_SCHEMA, 'the schema is too long'),
  ),
});

const look = v.pipe(
  v.record(v.string(), v.string()),
  v.check((given) => Object.entries(given).every(([name, value]) => isLook(name, value)), 'is no look'),
);

const settings: v.GenericSchema<unknown, WidgetSettings> = v.strictObject({
  instance: line,
  mode: v.picklist(MODES),
  model: v.pipe(line, v.nonEmpty()),
  hub: v.exactOptional(line),
  src: v.exactOptional(line),
  system: text,
  heading: line,
  greeting: text,
  suggestions: v.pipe(v.array(line), v.maxLength(MOST_SUGGESTIONS)),
  placeholder: line,
  language: line,
  direction: v.picklist(['ltr', 'rtl']),
  theme: v.picklist(THEMES),
  look,
  storage: v.picklist(STORAGES),
  shareMessages: v.boolean(),
  hasContext: v.boolean(),
  tools: v.pipe(v.array(tool), v.maxLength(MOST_TOOLS)),
});

const connect: v.GenericSchema<unknown, Connect> = v.strictObject({
  fireside: v.literal('connect'),
  protocol: v.literal(PROTOCOL),
  settings,
});

const toFrame: v.GenericSchema<unknown, ToFrame> = v.variant('type', [
  v.strictObject({ type: v.literal('settings'), settings }),
  v.strictObject({ type: v.literal('shown') }),
  v.strictObject({ type: v.literal('send'), text }),
  v.strictObject({ type: v.literal('stop') }),
  v.strictObject({ type: v.literal('clear') }),
  v.strictObject({
    type: v.literal('answer'),
    id: v.pipe(v.number(), v.safeInteger()),
    text,
    failed: v.boolean(),
  }),
]);

/** Undefined: it is none. */
export function readConnect(data: unknown): Connect | undefined {
  const { success, output } = v.safeParse(connect, data);
  return success ? output : undefined;
}

export function readToFrame(data: unknown): ToFrame | undefined {
  const { success, output } = v.safeParse(toFrame, data);
  return success ? output : undefined;
}
