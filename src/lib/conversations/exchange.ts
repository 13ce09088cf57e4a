/**
 * Conversations as a file: one JSON format for one and for all. What comes in is from strangers: every field is checked,
 * and the first that is wrong is named.
 */
import * as v from 'valibot';
import { ConversationError } from './errors';
import { FORMAT } from './format';
import { migrate, newer } from './migrate';
import { MOST_FILES, newId, VERSION, type Whole } from './records';

/** Bytes; some 10000 long conversations. */
export const LARGEST_IMPORT = 64 * 2 ** 20;
const MOST_CONVERSATIONS = 10_000;
const MOST_MESSAGES = 20_000;
const LONGEST_TEXT = 4_000_000;

export function toJson(wholes: readonly Whole[], now = new Date()): string {
  // The file says its version once.
  const conversations = wholes.map(({ conversation, messages }) => ({ ...conversation, version: undefined, messages }));
  return `${JSON.stringify({ format: FORMAT, version: VERSION, exported: now.toISOString(), conversations }, null, 2)}\n`;
}

/** Throws a ConversationError `import` that names the field; `newer` for a file from a newer version. */
export function fromJson(text: string): Whole[] {
  if (text.length > LARGEST_IMPORT) refuse('', `This file is larger than ${LARGEST_IMPORT / 2 ** 20} MB.`);
  const file = parse(text);
  const head = v.safeParse(HEAD, file);
  if (!head.success) return refuse(pathOf(head.issues[0]), wordsOf(head.issues[0]));
  if (head.output.version > VERSION) throw newer();
  // A step of a migration may rely on nothing but the version: what it makes is checked field by field.
  const given = head.output.conversations.map(({ messages, ...conversation }) =>
    migrate({ conversation, messages }, head.output.version),
  );
  return given.map((whole, i) => {
    const result = v.safeParse(WHOLE, whole);
    if (!result.success) return refuse(`conversations[${i}].${fieldOf(result.issues[0])}`, wordsOf(result.issues[0]));
    checkTree(result.output, `conversations[${i}]`);
    return result.output;
  });
}

/** The same conversation under a name of its own, for one that is here already. */
export function copyOf({ conversation, messages }: Whole): Whole {
  return { conversation: { ...conversation, id: newId() }, messages };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ConversationError('import', 'This file is no JSON. Choose a file that Fireside exported.', '', { cause });
  }
}

/** Every parent is there, no message is its own ancestor, and question and answer take turns. */
function checkTree({ conversation, messages }: Whole, path: string): void {
  const byId = new Map(messages.map((message) => [message.id, message]));
  for (const [i, { id, parent, role }] of messages.entries()) {
    const at = `${path}.messages[${i}]`;
    if (byId.get(id) !== messages[i]) refuse(`${at}.id`, 'two messages have this id');
    const above = parent === null ? undefined : byId.get(parent);
    if (parent !== null && !above) refuse(`${at}.parent`, 'there is no such message');
    if (role === above?.role || (role === 'assistant' && !above))
      refuse(`${at}.role`, 'question and answer take turns');
  }
  const rooted = new Set<string>();
  for (const [i, message] of messages.entries()) {
    const seen = new Set<string>();
    for (let at = message; !rooted.has(at.id); at = byId.get(at.parent)!) {
      if (seen.has(at.id)) refuse(`${path}.messages[${i}].parent`, 'the message is its own ancestor');
      seen.add(at.id);
      if (at.parent === null) break;
    }
    for (const id of seen) rooted.add(id);
  }
  if (conversation.leaf !== null && !byId.has(conversation.leaf)) refuse(`${path}.leaf`, 'there is no such message');
}

function refuse(field: string, why: string): never {
  throw new ConversationError('import', field === '' ? why : `${field}: ${why}`, field);
}

// ---- the format ------------------------------------------------------------------------------------------------

const id = v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/, 'an id has 1 to 64 letters and digits'));
const text = v.pipe(v.string(), v.maxLength(LONGEST_TEXT));
const line = v.pipe(v.string(), v.maxLength(1000));
const moment = v.pipe(v.number(), v.minValue(0), v.maxValue(8.64e15));
const amount = v.pipe(v.number(), v.minValue(0), v.finite());
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

function between(least: number, most: number): v.GenericSchema<number> {
  return v.pipe(v.number(), v.minValue(least), v.maxValue(most));
}

const settings = v.strictObject({
  model: v.exactOptional(line),
  path: v.exactOptional(v.picklist(['auto', 'gpu', 'cpu'])),
  system: v.exactOptional(text),
  maxTokens: v.exactOptional(count),
  sampling: v.exactOptional(
    v.strictObject({
      temperature: v.exactOptional(between(0, 100)),
      topK: v.exactOptional(count),
      topP: v.exactOptional(between(0, 1)),
      minP: v.exactOptional(between(0, 1)),
      repetitionPenalty: v.exactOptional(between(0.01, 100)),
      presencePenalty: v.exactOptional(between(-100, 100)),
      frequencyPenalty: v.exactOptional(between(-100, 100)),
      seed: v.exactOptional(count),
    }),
  ),
});

const end = v.strictObject({
  reason: v.picklist(['end', 'stop', 'length', 'context', 'aborted']),
  timings: v.strictObject({
    tokens: count,
    firstTokenMs: v.exactOptional(amount),
    prefill: v.strictObject({ tokens: count, reused: count, ms: amount }),
    decode: v.strictObject({ tokens: count, ms: amount }),
  }),
});

const failure = v.strictObject({ code: line, message: text });

const file = v.strictObject({ name: line, text });

const message = v.strictObject({
  id,
  parent: v.nullable(id),
  role: v.picklist(['user', 'assistant']),
  text,
  files: v.exactOptional(v.pipe(v.array(file), v.maxLength(MOST_FILES))),
  created: moment,
  model: v.exactOptional(line),
  end: v.exactOptional(end),
  failure: v.exactOptional(failure),
  edited: v.exactOptional(v.literal(true)),
  held: v.exactOptional(count),
  from: v.exactOptional(id),
  thoughtMs: v.exactOptional(amount),
});

const WHOLE: v.GenericSchema<unknown, Whole> = v.strictObject({
  conversation: v.strictObject({
    id,
    version: v.literal(VERSION),
    title: line,
    pinned: v.boolean(),
    created: moment,
    changed: moment,
    settings,
    leaf: v.nullable(id),
  }),
  messages: v.pipe(v.array(message), v.maxLength(MOST_MESSAGES)),
});

/** What every version has. */
const HEAD = v.strictObject({
  format: v.literal(FORMAT),
  version: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  exported: v.exactOptional(line),
  conversations: v.pipe(
    v.array(v.looseObject({ messages: v.array(v.looseObject({})) })),
    v.maxLength(MOST_CONVERSATIONS),
  ),
});

type Issue = v.BaseIssue<unknown>;

function pathOf(issue: Issue): string {
  return (issue.path ?? []).reduce((path, { key }) => {
    if (typeof key === 'number') return `${path}[${key}]`;
    return path === '' ? String(key) : `${path}.${String(key)}`;
  }, '');
}

/** In the file, a conversation's own fields lie beside its messages. */
function fieldOf(issue: Issue): string {
  return pathOf(issue).replace(/^conversation\./, '');
}

function wordsOf({ kind, expected, received, message }: Issue): string {
  if (expected === 'never') return 'there is no such field';
  if (received === 'undefined') return 'is missing';
  return kind === 'schema' ? `expected ${expected ?? 'something else'}, found ${received}` : message;
}
