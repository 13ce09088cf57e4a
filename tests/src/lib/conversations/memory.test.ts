import { expect, test } from 'vitest';
import { MemoryConversations } from '$lib/conversations/memory';
import { newConversation, type Message } from '$lib/conversations/records';

const message = (id: string, text: string): Message => ({ id, parent: null, role: 'user', text, created: 1 });

test('what is put on a shelf comes back from it, changes and removals too', async () => {
  let kept: string | null = null;
  const shelf = { read: () => kept, write: (text: string) => void (kept = text) };
  const first = new MemoryConversations(shelf);
  const conversation = { ...newConversation(), leaf: 'a' };
  await first.put({ conversation, messages: [message('a', 'One'), message('b', 'Two')] });
  await first.putMessage(conversation.id, message('a', 'Changed'));
  await first.put({ conversation, messages: [] }, ['b']);
  await first.putMessage('nowhere', message('c', 'Lost'));

  const second = new MemoryConversations(shelf);
  expect(await second.open(conversation.id)).toEqual({ conversation, messages: [message('a', 'Changed')] });
  await second.remove(conversation.id);
  expect(await new MemoryConversations(shelf).list()).toEqual([]);
});

test('without a shelf nothing outlives it, and what others wrote on one is no conversation', async () => {
  const alone = new MemoryConversations();
  await alone.put({ conversation: newConversation(), messages: [] });
  expect(await alone.list()).toHaveLength(1);
  for (const text of ['', 'null', '{"format":"x"}', '<script>'])
    expect(await new MemoryConversations({ read: () => text, write: () => undefined }).list()).toEqual([]);
});
