/** What the engine tells, in words. */
import { expect, test } from 'vitest';
import { adviceFor, ageWords, figureWords, loadWords, placeWords, reasonWords } from '$lib/chat/words';
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
  expect(reasonWords({ ...model, reason: 'asked', adapter: 'Apple M4' })).toBe('You chose the GPU. Apple M4');
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
  expect(figureWords(end({}))).toEqual([
    '42 tokens',
    '41 tokens/s',
    'first after 400 ms',
    '0 of 5 prompt tokens reused',
  ]);
  expect(figureWords(end({}, 'aborted')).at(-1)).toBe('stopped by you');
  expect(figureWords(end({ tokens: 1, decode: { tokens: 0, ms: 3 } }))).toEqual([
    '1 token',
    'first after 400 ms',
    '0 of 5 prompt tokens reused',
  ]);
  const none = { tokens: 0, prefill: { tokens: 0, reused: 0, ms: 0 }, decode: { tokens: 0, ms: 0 } };
  expect(figureWords({ reason: 'aborted', timings: none })).toEqual(['0 tokens', 'stopped by you']);
});

test('every error has a way on that fits it', () => {
  expect(adviceFor('context').action).toBe('newChat');
  expect(adviceFor('lost').action).toBe('continue');
  expect(adviceFor('source').action).toBe('reopen');
  expect(adviceFor('self-test').action).toBe('processor');
  expect(adviceFor('of a version to come')).toEqual({
    title: 'Something went wrong',
    action: 'continue',
    button: 'Try again',
  });
});

test('conversations stand under their age', () => {
  const now = new Date(2026, 10, 21, 9);
  const ages = [new Date(2026, 10, 21, 1), new Date(2026, 10, 20, 23), new Date(2026, 10, 15), new Date(2025, 0, 1)];
  expect(ages.map((age) => ageWords(age.getTime(), now))).toEqual(['Today', 'Yesterday', 'Last 7 days', 'Older']);
});
