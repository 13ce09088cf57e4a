/** What the model is told of a conversation. */
import { expect, test } from 'vitest';
import { messagesOf } from '$lib/chat/turns';

test('all that was said, as it was said; an answer of which there is nothing is left out', () => {
  const failure = { code: 'lost', message: 'gone' } as const;
  expect(
    messagesOf([
      { role: 'user', text: ' Hi ' },
      { role: 'assistant', text: ' Hello\n' },
      { role: 'user', text: 'And?' },
      { role: 'assistant', text: ' ', failure },
      { role: 'user', text: 'And now?' },
    ]),
  ).toEqual([
    { role: 'user', content: ' Hi ' },
    { role: 'assistant', content: ' Hello\n' },
    { role: 'user', content: 'And?' },
    { role: 'user', content: 'And now?' },
  ]);
});
