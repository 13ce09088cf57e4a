/** The list of conversations, and what is saved of it as files. */
import { expect, test } from 'vitest';
import { Library } from '$lib/chat/state/library.svelte';
import { ConversationError } from '$lib/conversations/errors';
import { fromJson } from '$lib/conversations/exchange';
import { MemoryConversations } from '$lib/conversations/memory';
import { messagesFrom, wholeOf } from '../../conversations/made';

test('where the browser keeps nothing, the conversation that is open can still be saved', async () => {
  const open = wholeOf(messagesFrom('q1', 'a1 q1'), { title: 'Here' });
  const store = new MemoryConversations();
  store.open = async () => {
    throw new ConversationError('closed', 'no');
  };
  const library = new Library(store, () => open);
  library.put(open.conversation);
  const { id } = open.conversation;
  expect(fromJson(await library.exported(id))).toEqual([open]);
  expect(fromJson(await library.exported())).toEqual([open]);
  expect(await library.markdown(id)).toContain('words of a1');
  await expect(library.exported('another')).rejects.toMatchObject({ code: 'closed' });
});

test('what is here already is imported as a copy', async () => {
  const whole = wholeOf(messagesFrom('q1'), { title: 'Here' });
  const library = new Library(new MemoryConversations(), () => whole);
  const text = await library.import(
    JSON.stringify({ format: 'fireside-conversations', version: 1, conversations: [] }),
  );
  expect(text).toEqual([]);
  library.put(whole.conversation);
  const { toJson } = await import('$lib/conversations/exchange');
  const [copy] = await library.import(toJson([whole]));
  expect(copy!.conversation.id).not.toBe(whole.conversation.id);
  expect(library.entries).toHaveLength(2);
});
