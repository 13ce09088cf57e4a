/** What is said of a download. */
import { expect, test } from 'vitest';
import { choiceWords, modelWords, timeWords } from '$lib/models/words';
import type { ModelState } from '$lib/store';

const MIB = 2 ** 20;
const model: ModelState = {
  id: 'me/small',
  name: 'small',
  origin: { kind: 'hub', address: 'me/small' },
  status: 'downloading',
  files: [],
  bytes: 380 * MIB,
  done: 120 * MIB,
  bytesPerSecond: 2 * MIB,
  secondsLeft: 130,
  here: true,
};

test('how it goes', () => {
  expect(modelWords(model)).toBe('120 MB of 380 MB, 2 MB a second, about 2 minutes left');
  expect(modelWords({ ...model, status: 'whole' })).toBe('380 MB');
  expect(modelWords({ ...model, status: 'waiting', hold: { why: 'busy', until: 0 } })).toMatch(/asked to wait/);
  expect(modelWords({ ...model, status: 'failed', failure: { problem: 'quota', message: 'Full.' } })).toBe('Full.');
});

test.each([
  [4, 'a few seconds'],
  [31, 'about 30 seconds'],
  [70, 'about a minute'],
  [200, 'about 3 minutes'],
  [4000, 'about an hour'],
  [9000, 'about 3 hours'],
])('%i seconds: %s', (seconds, words) => {
  expect(timeWords(seconds)).toBe(words);
});

test('a choice has its quantisation once', () => {
  const choice = { id: 'x', files: [], origin: model.origin, format: 'gguf', bytes: 640 * MIB } as const;
  expect(choiceWords({ ...choice, name: 'Qwen3-0.6B-Q8_0', quantization: 'Q8_0' })).toBe('Qwen3-0.6B-Q8_0, 640 MB');
  expect(choiceWords({ ...choice, name: 'small', quantization: 'Q8_0' })).toBe('small, Q8_0, 640 MB');
});
