/** What is said of models: on their way, in a list, and why they run here as they do. */
import { expect, test } from 'vitest';
import { CATALOG, type DeviceFacts, fit, guess } from '$lib/catalog';
import {
  choiceName,
  goodForWords,
  languageNames,
  languageWords,
  originWords,
  reasonWords,
  statusWords,
  timeWords,
} from '$lib/models/words';
import type { ModelState } from '$lib/store';

const MIB = 2 ** 20;
const model: ModelState = {
  id: 'me/small',
  name: 'small',
  origin: { kind: 'hub', address: 'me/small/small.gguf', repo: 'me/small' },
  status: 'downloading',
  files: [],
  bytes: 380 * MIB,
  done: 120 * MIB,
  bytesPerSecond: 2 * MIB,
  secondsLeft: 130,
  here: true,
};

test('how it goes', () => {
  const said = (changes: Partial<ModelState>): string => statusWords({ ...model, ...changes }).join(', ');
  expect(said({})).toBe('120 MB of 380 MB, 2 MB a second, about 2 minutes left');
  expect(said({ status: 'whole' })).toBe('380 MB');
  expect(said({ status: 'waiting', hold: { why: 'busy', until: 0 } })).toMatch(/asked to wait.*120 MB of 380 MB/);
  expect(said({ status: 'paused' })).toBe('Paused, 120 MB of 380 MB');
});

test.each([
  [4, 'a few seconds left'],
  [31, 'about 30 seconds left'],
  [70, 'about a minute left'],
  [200, 'about 3 minutes left'],
  [4000, 'about an hour left'],
  [9000, 'about 3 hours left'],
])('%i seconds: %s', (seconds, words) => {
  expect(timeWords(seconds)).toBe(words);
});

test('a choice has its quantisation once', () => {
  const choice = { id: 'x', files: [], origin: model.origin, format: 'gguf', bytes: 640 * MIB } as const;
  expect(choiceName({ ...choice, name: 'Qwen3-0.6B-Q8_0', quantization: 'Q8_0' })).toBe('Qwen3-0.6B-Q8_0');
  expect(choiceName({ ...choice, name: 'small', quantization: 'Q8_0' })).toBe('small, Q8_0');
  expect(choiceName({ ...choice, name: 'small', format: 'safetensors' })).toBe('small, safetensors');
});

test('where it comes from', () => {
  expect(originWords(model)).toBe('me/small');
  expect(originWords({ ...model, origin: { kind: 'local', address: 'x' } })).toBe('from a file of yours');
  expect(originWords({ ...model, origin: { kind: 'url', address: 'https://a.b/c.gguf' } })).toBe('a.b/c.gguf');
});

test('every entry of the catalogue has its words', () => {
  for (const entry of CATALOG) {
    expect(goodForWords(entry), entry.id).toMatch(/\.$/);
    expect(languageWords(entry), entry.id).toMatch(/^[A-Za-z0-9 ,]+$/);
  }
});

test('a few languages by their names, many by their number, with the names one step away', () => {
  const few = { languages: ['en', 'ja'] };
  const many = { languages: ['en', 'fr', 'es', 'de', 'it', 'pt', 'ja'] };
  expect(languageWords(few)).toBe('English, Japanese');
  expect(languageWords(many)).toBe('7 languages');
  expect(languageNames(many)).toContain('Portuguese');
  expect(languageWords({ languages: ['mul'] })).toBe('a hundred languages and more');
});

test('why it runs here as it does, in words without a number of the machine', () => {
  const bare: DeviceFacts = { memory: 1024 * MIB, free: 100 * MIB, processor: false };
  const large = CATALOG.find(({ id }) => id === 'smollm3-3b')!;
  const said = reasonWords(fit(guess(large), bare), bare).join(' ');
  expect(said).toContain('more room than this page has left');
  expect(said).toContain('too old for the way round it');
  expect(said).toContain('about 1 GB');
});
