/** What the engine tells, in words. */
import { expect, test } from 'vitest';
import { adviceFor, figureWords, loadWords, placeWords, reasonWords } from '$lib/chat/words';
import type { AnswerEnd, LoadedModel } from '$lib/engine/protocol';

const model: LoadedModel = {
  ...{ name: 'a model', path: 'gpu', reason: 'gpu', context: 4096, bytes: 1, loadMs: 1 },
  abilities: { mask: true, logprobs: true, penaltiesCount: 'answer' },
};

test('where a model runs', () => {
  expect(placeWords(model)).toBe('on the GPU');
  expect(placeWords({ ...model, path: 'cpu', threads: 1 })).toBe('on the processor');
  expect(placeWords({ ...model, path: 'cpu', threads: 4 })).toBe('on the processor, 4 threads');
});

test('why it runs there', () => {
  expect(reasonWords({ ...model, adapter: 'Apple M4' })).toContain('Apple M4');
  expect(reasonWords({ ...model, reason: 'asked' })).toBe('You chose the GPU.');
  expect(reasonWords({ ...model, path: 'cpu', reason: 'asked' })).toBe('You chose the processor.');
  expect(reasonWords({ ...model, path: 'cpu', reason: 'no-adapter', detail: 'There is none.' })).toBe('There is none.');
  expect(reasonWords({ ...model, path: 'cpu', reason: 'software-gpu' })).toContain('software');
  expect(reasonWords({ ...model, path: 'cpu', reason: 'gpu-failed', detail: 'It is too small.' })).toMatch(
    /could not run.*It is too small\.$/,
  );
});

test('how far a model is', () => {
  expect(loadWords({ phase: 'read', done: 2 ** 20, total: 2 ** 24 })).toBe('Reading the model: 1 MB of 16 MB');
  expect(loadWords({ phase: 'compile' })).toBe('Getting ready to answer');
});

function end(changes: Partial<AnswerEnd['timings']>, reason: AnswerEnd['reason'] = 'end'): AnswerEnd {
  const timings = {
    tokens: 42,
    firstTokenMs: 400,
    prefill: { tokens: 5, reused: 0, ms: 400 },
    decode: { tokens: 41, ms: 1000 },
    ...changes,
  };
  return { reason, timings };
}

test('the figures of an answer, and why it was cut short', () => {
  expect(figureWords(end({}))).toBe('42 tokens · 41 tokens/s · first after 400 ms');
  expect(figureWords(end({}, 'aborted'))).toMatch(/ · stopped by you$/);
  expect(figureWords(end({ tokens: 1, decode: { tokens: 0, ms: 3 } }))).toBe('1 token · first after 400 ms');
  const none = { tokens: 0, prefill: { tokens: 0, reused: 0, ms: 0 }, decode: { tokens: 0, ms: 0 } };
  expect(figureWords({ reason: 'aborted', timings: none })).toBe('0 tokens · stopped by you');
});

test('every error has a way on that fits it', () => {
  expect(adviceFor('context').action).toBe('clear');
  expect(adviceFor('lost').action).toBe('reopen');
  expect(adviceFor('self-test').action).toBe('processor');
  expect(adviceFor('unknown').action).toBe('retry');
});
