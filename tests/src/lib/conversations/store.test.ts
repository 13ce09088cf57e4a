/** Conversations that are kept: over reloads, between tabs, and between versions of the app. */
import 'fake-indexeddb/auto';
import { afterEach, expect, test, vi } from 'vitest';
import type { OldWhole, Schema } from '$lib/conversations/migrate';
import { newId, VERSION, type Conversation } from '$lib/conversations/records';
import { ConversationStore, type Change } from '$lib/conversations/store';
import { messagesFrom, wholeOf } from './made';

const open: ConversationStore[] = [];
afterEach(() => {
  for (const store of open.splice(0)) store.close();
});

/** A tab: all with the same name share what they keep. */
function tab(name: string, schema?: Schema): ConversationStore {
  const store = new ConversationStore({ name, ...(schema && { schema }) });
  open.push(store);
  return store;
}

/** A database that no other test has. */
function fresh(): string {
  return `test-${newId()}`;
}

test('what was put is there for the next tab, message by message', async () => {
  const name = fresh();
  const whole = wholeOf(messagesFrom('q1', 'a1 q1'), { title: 'One' });
  const { id } = whole.conversation;
  await tab(name).put(whole);
  await tab(name).putMessage(id, { ...whole.messages[1]!, text: 'more' });
  const other = tab(name);
  const again = (await other.open(id))!;
  expect(again.conversation).toEqual(whole.conversation);
  expect(again.messages.map(({ text }) => text).sort()).toEqual(['more', 'words of q1']);
  expect(await other.list()).toEqual([{ conversation: whole.conversation, newer: false }]);
  expect(await other.open('nobody')).toBeUndefined();
  expect((await other.messages()).map(([conversation, message]) => [conversation, message.id]).sort()).toEqual([
    [id, 'a1'],
    [id, 'q1'],
  ]);
});

test('two tabs that write to one conversation take nothing from each other', async () => {
  const name = fresh();
  const whole = wholeOf(messagesFrom('q1'));
  const { id } = whole.conversation;
  const [one, two] = [tab(name), tab(name)];
  await one.put(whole);
  const [, mine, yours] = messagesFrom('q1', 'mine q1', 'yours q1');
  await Promise.all([one.putMessage(id, mine!), two.putMessage(id, yours!)]);
  expect((await one.open(id))!.messages.map((message) => message.id).sort()).toEqual(['mine', 'q1', 'yours']);
});

test('a conversation goes with its messages and its draft, and nothing of another', async () => {
  const store = tab(fresh());
  const [gone, kept] = [wholeOf(messagesFrom('q1', 'a1 q1')), wholeOf(messagesFrom('q1'))];
  await store.put(gone);
  await store.put(kept);
  await store.putDraft(gone.conversation.id, 'unsent');
  await store.putDraftFiles(gone.conversation.id, [{ name: 'a.txt', text: 'a' }]);
  await store.remove(gone.conversation.id);
  expect(await store.open(gone.conversation.id)).toBeUndefined();
  expect(await store.draft(gone.conversation.id)).toBe('');
  expect(await store.draftFiles(gone.conversation.id)).toEqual([]);
  expect(await store.messages()).toHaveLength(1);
  // An answer that was still coming leaves nothing behind.
  await store.putMessage(gone.conversation.id, gone.messages[1]!);
  expect(await store.messages()).toHaveLength(1);
});

test('messages can be taken away in the same step', async () => {
  const store = tab(fresh());
  const whole = wholeOf(messagesFrom('q1', 'a1 q1'));
  await store.put(whole);
  await store.put({ conversation: { ...whole.conversation, leaf: 'q1' }, messages: [] }, ['a1']);
  expect((await store.open(whole.conversation.id))!.messages.map(({ id }) => id)).toEqual(['q1']);
});

test('drafts and presets', async () => {
  const store = tab(fresh());
  await store.putDraft('new', 'Dear');
  expect(await store.draft('new')).toBe('Dear');
  await store.putDraft('new', '');
  expect(await store.draft('new')).toBe('');
  await store.putDraftFiles('new', [{ name: 'a.txt', text: 'a' }]);
  expect(await store.draftFiles('new')).toEqual([{ name: 'a.txt', text: 'a' }]);
  expect(await store.draft('new')).toBe('');
  const preset = { id: 'p1', name: 'Brief', settings: { system: 'Be brief.' } };
  await store.putPreset(preset);
  expect(await store.presets()).toEqual([preset]);
  await store.removePreset('p1');
  expect(await store.presets()).toEqual([]);
});

test('other tabs hear what was changed', async () => {
  const name = fresh();
  const [one, two] = [tab(name), tab(name)];
  const heard: Change[] = [];
  const whole = wholeOf(messagesFrom('q1'));
  const { id } = whole.conversation;
  const all = new Promise<void>((done) => {
    two.watch((change) => {
      heard.push(change);
      if (heard.length === 3) done();
    });
  });
  await one.put(whole);
  await one.putMessage(id, whole.messages[0]!);
  await one.remove(id);
  await all;
  expect(heard).toEqual([
    { type: 'conversation', id },
    { type: 'message', conversation: id, id: 'q1' },
    { type: 'removed', id },
  ]);
});

/** A version to come, in which titles are shouted. */
const TOMORROW: Schema = {
  version: VERSION + 1,
  steps: [
    ...Array.from({ length: VERSION - 1 }, () => (old: OldWhole) => old),
    ({ conversation, messages }) => ({
      conversation: { ...conversation, title: String(conversation.title).toUpperCase() },
      messages: messages.map((message) => ({ ...message, text: `${String(message.text)}!` })),
    }),
  ],
};

test('an older version is brought up to date when it is read, once', async () => {
  const name = fresh();
  const whole = wholeOf(messagesFrom('q1'), { title: 'quiet' });
  await tab(name).put(whole);
  const [listed] = await tab(name, TOMORROW).list();
  expect(listed).toMatchObject({ newer: false, conversation: { title: 'QUIET', version: VERSION + 1 } });
  const again = (await tab(name, TOMORROW).open(whole.conversation.id))!;
  expect(again.messages[0]!.text).toBe('words of q1!');
});

test('a tab of an older version leaves what is newer alone', async () => {
  const name = fresh();
  const whole = wholeOf(messagesFrom('q1'), { title: 'quiet' });
  const { id } = whole.conversation;
  const old = tab(name);
  await old.put(whole);
  await tab(name, TOMORROW).open(id);
  expect(await old.list()).toMatchObject([{ newer: true }]);
  await expect(old.open(id)).rejects.toMatchObject({ code: 'newer' });
  await expect(old.putMessage(id, whole.messages[0]!)).rejects.toMatchObject({ code: 'newer' });
  await expect(old.put(whole)).rejects.toMatchObject({ code: 'newer' });
  await expect(old.remove(id)).rejects.toMatchObject({ code: 'newer' });
  expect(((await tab(name, TOMORROW).conversation(id)) as Conversation).title).toBe('QUIET');
});

test('where the browser keeps nothing, it is said so', async () => {
  const refusal = vi.spyOn(indexedDB, 'open').mockImplementation(() => {
    throw new DOMException('no', 'SecurityError');
  });
  try {
    await expect(tab(fresh()).list()).rejects.toMatchObject({ name: 'ConversationError', code: 'closed' });
  } finally {
    refusal.mockRestore();
  }
});
