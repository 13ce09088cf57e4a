/** Export and import: nothing is lost on the way, and what a stranger made is refused by the field that is wrong. */
import { expect, test } from 'vitest';
import { ConversationError } from '$lib/conversations/errors';
import { copyOf, fromJson, LARGEST_IMPORT, toJson } from '$lib/conversations/exchange';
import { isExport } from '$lib/conversations/format';
import type { Whole } from '$lib/conversations/records';
import { messagesFrom, wholeOf } from './made';

const TIMINGS = { tokens: 3, firstTokenMs: 5, prefill: { tokens: 2, reused: 1, ms: 4 }, decode: { tokens: 2, ms: 9 } };

function full(): Whole {
  const [question, answer, other] = messagesFrom('q1', 'a1 q1', 'a2 q1');
  return wholeOf(
    [
      { ...question!, files: [{ name: 'notes.md', text: '# One\n' }] },
      { ...answer!, model: 'Tiny', end: { reason: 'aborted', timings: TIMINGS }, held: 20, from: 'q1', thoughtMs: 100 },
      { ...other!, failure: { code: 'lost', message: 'gone' } },
    ],
    {
      title: 'On «everything» \u2028',
      pinned: true,
      settings: {
        model: 'https://x/y.gguf',
        path: 'cpu',
        system: 'Be brief.',
        sampling: { temperature: 0.5, seed: 1 },
      },
    },
  );
}

test('what was exported comes back as it was', () => {
  const wholes = [full(), wholeOf([])];
  expect(fromJson(toJson(wholes))).toEqual(wholes);
});

test('a copy has a name of its own and is the same otherwise', () => {
  const whole = full();
  const copy = copyOf(whole);
  expect(copy.conversation.id).not.toBe(whole.conversation.id);
  expect({ ...copy.conversation, id: whole.conversation.id }).toEqual(whole.conversation);
});

/** The export as an object, spoilt in one place. */
function spoilt(path: string, value: unknown): string {
  const file = JSON.parse(toJson([full()])) as Record<string, unknown>;
  const names = path.split('.');
  const last = names.pop()!;
  const place = names.reduce<Record<string, unknown>>((at, name) => at[name] as Record<string, unknown>, file);
  if (value === undefined) delete place[last];
  else place[last] = value;
  return JSON.stringify(file);
}

test.each<[string, unknown, string]>([
  ['format', 'other', 'format'],
  ['version', 0, 'version'],
  ['version', undefined, 'version'],
  ['conversations', {}, 'conversations'],
  ['conversations.0', null, 'conversations[0]'],
  ['conversations.0.title', 7, 'conversations[0].title'],
  ['conversations.0.title', 'x'.repeat(5000), 'conversations[0].title'],
  ['conversations.0.id', '../../etc', 'conversations[0].id'],
  ['conversations.0.id', '', 'conversations[0].id'],
  ['conversations.0.pinned', 'yes', 'conversations[0].pinned'],
  ['conversations.0.changed', -1, 'conversations[0].changed'],
  ['conversations.0.more', 1, 'conversations[0].more'],
  ['conversations.0.leaf', 'nobody', 'conversations[0].leaf'],
  ['conversations.0.settings.path', 'fast', 'conversations[0].settings.path'],
  ['conversations.0.settings.sampling.temperature', 1000, 'conversations[0].settings.sampling.temperature'],
  ['conversations.0.settings.sampling.seed', 0.5, 'conversations[0].settings.sampling.seed'],
  ['conversations.0.messages', 'all', 'conversations[0].messages'],
  ['conversations.0.messages.1.role', 'system', 'conversations[0].messages[1].role'],
  ['conversations.0.messages.0.role', 'assistant', 'conversations[0].messages[0].role'],
  ['conversations.0.messages.1.parent', 'nobody', 'conversations[0].messages[1].parent'],
  ['conversations.0.messages.1.parent', undefined, 'conversations[0].messages[1].parent'],
  ['conversations.0.messages.0.parent', 'a1', 'conversations[0].messages[0].parent'],
  ['conversations.0.messages.2.id', 'a1', 'conversations[0].messages[1].id'],
  ['conversations.0.messages.0.text', ['x'], 'conversations[0].messages[0].text'],
  ['conversations.0.messages.0.files.0.text', 7, 'conversations[0].messages[0].files[0].text'],
  ['conversations.0.messages.0.files', Array(51).fill({ name: 'x', text: '' }), 'conversations[0].messages[0].files'],
  ['conversations.0.messages.1.end.reason', 'bored', 'conversations[0].messages[1].end.reason'],
  ['conversations.0.messages.1.end.timings.decode', null, 'conversations[0].messages[1].end.timings.decode'],
  ['conversations.0.messages.1.html', '<b>', 'conversations[0].messages[1].html'],
])('%s = %j is refused at %s', (path, value, field) => {
  expect(() => fromJson(spoilt(path, value))).toThrow(
    expect.objectContaining({ name: 'ConversationError', code: 'import', field }),
  );
});

test('files of every version so far are taken', () => {
  const [question, answer] = messagesFrom('q1', 'a1 q1');
  const whole = wholeOf([question!, answer!]);
  const first = toJson([whole]).replace(/"version": \d+/, '"version": 1');
  expect(fromJson(first)).toEqual([whole]);
});

test('an export is known by its beginning, whole or broken', async () => {
  expect(await isExport(new Blob([toJson([full()])]))).toBe(true);
  expect(await isExport(new Blob([toJson([full()]).slice(0, 80)]))).toBe(true);
  expect(await isExport(new Blob(['{ "name": "a table of my own" }']))).toBe(false);
});

test('what is no export at all, and what is too large, is refused in words', () => {
  for (const text of ['', 'null', '[]', '{"format":', '7', '"\\ud800"']) {
    expect(() => fromJson(text), text).toThrow(ConversationError);
  }
  expect(() => fromJson(' '.repeat(LARGEST_IMPORT + 1))).toThrow('larger than 64 MB');
});

test('a file cannot reach the prototypes of objects', () => {
  const text = toJson([full()]).replace('"pinned": true', '"pinned": true, "__proto__": { "polluted": true }');
  const [whole] = fromJson(text);
  expect(Object.getPrototypeOf(whole!.conversation)).toBe(Object.prototype);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test('a file of a newer version asks for the newer version', () => {
  expect(() => fromJson(spoilt('version', 99))).toThrow(expect.objectContaining({ code: 'newer' }));
});
