/** What of a conversation goes to the model, and what leaves its window first. */
import { expect, test } from 'vitest';
import { fit, type Prompt } from '$lib/chat/state/window';
import type { Message } from '$lib/conversations/records';

/** Questions q1, q2, ... and their answers a1, a2, ...; each takes ten tokens. */
function talk(messages: number, changes: Record<string, Partial<Message>> = {}): Message[] {
  return Array.from({ length: messages }, (_, i) => {
    const id = `${i % 2 === 0 ? 'q' : 'a'}${(i >> 1) + 1}`;
    const role = i % 2 === 0 ? 'user' : 'assistant';
    return { id, parent: null, role, text: `text ${id}`, created: i, ...changes[id] };
  });
}

let asked = 0;
const count = async ({ messages }: Prompt): Promise<number> => {
  asked += 1;
  return messages.length * 10;
};

test('all of it, as long as there is room for an answer', async () => {
  const { messages, from, continues } = await fit(talk(5), 'Be brief.', 100, count);
  expect(messages.map(({ content }) => content)).toEqual([
    'Be brief.',
    'text q1',
    'text a1',
    'text q2',
    'text a2',
    'text q3',
  ]);
  expect(from).toBe('q1');
  expect(continues).toBe(false);
});

test('the oldest questions leave with their answers, several at a time, so that the next ones need no shift', async () => {
  const { messages, from } = await fit(talk(9), '', 100, count);
  expect(from).toBe('q3');
  expect(messages[0]).toMatchObject({ content: 'text q3' });
  asked = 0;
  const next = await fit([...talk(9, { a4: { from: 'q3' } }), ...talk(11).slice(9)], '', 100, count);
  expect(next.from).toBe('q3');
  expect(asked).toBe(1);
});

test('the last question goes in, whatever it takes', async () => {
  expect((await fit(talk(5), '', 8, count)).from).toBe('q3');
  expect((await fit(talk(1), '', 8, count)).from).toBe('q1');
});

test('an answer that broke off is gone on with as it was written; empty ones are left out', async () => {
  const path = talk(4, { a1: { text: ' ' }, a2: { text: '<think>hm' } });
  const { messages, continues } = await fit(path, '', 100, count);
  expect(continues).toBe(true);
  expect(messages).toEqual([
    { role: 'user', content: 'text q1' },
    { role: 'user', content: 'text q2' },
    { role: 'assistant', content: '<think>hm' },
  ]);
});

test('earlier thoughts go apart from their answers', async () => {
  const { messages } = await fit(talk(3, { a1: { text: '<think>hm</think>Yes.' } }), '', 100, count);
  expect(messages[1]).toEqual({ role: 'assistant', content: 'Yes.', reasoning_content: 'hm' });
});

test('the files of a question come first, each in a fence that nothing in it can end', async () => {
  const files = [
    { name: 'a.md', text: '```js\nx\n```\n' },
    { name: 'b.txt', text: 'plain' },
  ];
  const { messages } = await fit(talk(1, { q1: { files } }), '', 100, count);
  expect(messages[0]!.content).toBe('a.md\n````\n```js\nx\n```\n````\n\nb.txt\n```\nplain\n```\n\ntext q1');
  const alone = await fit(talk(1, { q1: { files: [files[1]!], text: '' } }), '', 100, count);
  expect(alone.messages[0]!.content).toBe('b.txt\n```\nplain\n```');
});
