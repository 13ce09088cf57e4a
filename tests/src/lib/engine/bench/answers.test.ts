/** How answers are timed: with prompts that share nothing, and figures that the engine itself tells. */
import { expect, test } from 'vitest';
import { timeAnswers } from '$lib/engine/bench/answers';
import { ChatModel } from '$lib/engine/chat-model';
import { ChatTemplate, jsonTemplates } from '$lib/text';
import { pocketFile, pocketTokenizer } from '../../../../support/text/tokenizers';
import { SaidRunner } from '../fakes';

const tokenizer = pocketTokenizer();
const chat = new ChatTemplate(jsonTemplates(pocketFile('tokenizer_config.json')), tokenizer.specialTexts());

test.each([
  ['a chat', chat],
  ['a model that goes on with texts', undefined],
])('%s reads another prompt in each round, and is asked for a bounded answer', async (_, template) => {
  const runner = new SaidRunner(['a', 'b'], 4096);
  const told: number[] = [];
  const model = new ChatModel({ tokenizer, template, runner });
  const figures = await timeAnswers(model, (done) => told.push(done));

  const [warm, ...rounds] = runner.asked;
  expect(warm!.options.maxTokens).toBeLessThan(rounds[0]!.options.maxTokens);
  expect(new Set(rounds.map(({ prompt }) => prompt.text)).size).toBe(rounds.length);
  // What they share from the start is no more than a template's head.
  const [one, two] = rounds.map(({ prompt }) => prompt.ids);
  const shared = one!.findIndex((id, at) => id !== two![at]);
  expect(shared).toBeLessThan(template ? 20 : 1);
  expect(one!.length).toBeGreaterThan(400);
  // The runner tells 3 tokens read and 2 written, in a millisecond each.
  expect(figures).toMatchObject({ promptTokens: 3, prefill: { median: 3000 }, decode: { median: 2000 } });
  expect(told.at(-1)).toBe(1);
});
