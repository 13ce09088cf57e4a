import { expect, test } from 'vitest';
import type { Talker } from '$lib/chat/state/answerer.svelte';
import type { AnswerEnd, ChatMessage, GenerateProgress, LoadedModel } from '$lib/engine/protocol';
import { withSystem, withTools, type Call } from '$lib/widget/frame/talk';

const END: AnswerEnd = {
  reason: 'end',
  timings: { tokens: 2, prefill: { tokens: 1, reused: 3, ms: 1 }, decode: { tokens: 1, ms: 1 } },
};
const MODEL = { toolFormat: 'hermes' } as LoadedModel;
const TOOLS = [{ name: 'find', description: 'Finds.', parameters: { type: 'object' } }];
const call = (args: string): string => `<tool_call>\n{"name": "find", "arguments": ${args}}\n</tool_call>`;

/** Says these texts, one after the other, and keeps what it was asked. */
function talker(...says: string[]): Talker & { asked: { messages: readonly ChatMessage[]; tools?: unknown }[] } {
  const asked: { messages: readonly ChatMessage[]; tools?: unknown }[] = [];
  return {
    asked,
    count: async (ask) => ('messages' in ask ? ask.messages.length : 0),
    generate: async (ask, onProgress) => {
      if ('messages' in ask) asked.push(ask);
      for (const letter of says.shift() ?? '') onProgress?.({ type: 'text', text: letter, tokens: [] });
      return END;
    },
  };
}

const question: ChatMessage = { role: 'user', content: 'Q' };

async function answer(on: Talker): Promise<{ text: string; end: AnswerEnd }> {
  let text = '';
  const hear = (progress: GenerateProgress): void => {
    if (progress.type === 'text') text += progress.text;
  };
  const end = await on.generate({ messages: [question] }, hear);
  return { text, end };
}

test('a system prompt of the page stands before the conversation’s own', async () => {
  const plain = talker('A', 'A');
  const told = withSystem(plain, 'Be kind.');
  await told.generate({ messages: [question] });
  await told.generate({ messages: [{ role: 'system', content: 'Own.' }, question] });
  expect(plain.asked[0]!.messages[0]).toEqual({ role: 'system', content: 'Be kind.' });
  expect(plain.asked[1]!.messages[0]).toEqual({ role: 'system', content: 'Be kind.\n\nOwn.' });
  expect(await told.count({ messages: [question] })).toBe(2);
});

test('calls are carried out and told to the model, which goes on; they are no part of the answer', async () => {
  const calls: Call[] = [];
  const plain = talker(`Wait. ${call('{"words": "tea"}')}`, 'There is Sencha.');
  const run = async (one: Call): Promise<string> => {
    calls.push(one);
    return 'Sencha';
  };
  const { text, end } = await answer(withTools(plain, MODEL, TOOLS, run));
  expect(text).toBe('Wait.There is Sencha.');
  expect(calls.map(({ name, args }) => [name, JSON.parse(args) as unknown])).toEqual([['find', { words: 'tea' }]]);
  const [first, second] = plain.asked;
  expect(first!.tools).toEqual([{ type: 'function', function: TOOLS[0] }]);
  expect(second!.messages.slice(1)).toMatchObject([
    { role: 'assistant', tool_calls: [{ function: { name: 'find' } }] },
    { role: 'tool', name: 'find', content: 'Sencha', tool_call_id: calls[0]!.id },
  ]);
  expect(end.timings).toMatchObject({ tokens: 4 });
});

test('a model that does nothing but call is stopped after four rounds', async () => {
  const plain = talker(...Array<string>(9).fill(call('{}')));
  await answer(withTools(plain, MODEL, TOOLS, async () => 'again'));
  expect(plain.asked).toHaveLength(5);
});

test('a model without a place for tools, and a page without tools, are left alone', () => {
  const plain = talker();
  expect(withTools(plain, MODEL, [], async () => '')).toBe(plain);
  expect(withTools(plain, {} as LoadedModel, TOOLS, async () => '')).toBe(plain);
});
