/** The catalogues: every language says everything, in its own words. Types see to the names; this to the rest. */
import { expect, test } from 'vitest';
import { firstSpoken } from '$lib/ui/language.svelte';
import de from '$lib/ui/messages/de';
import en from '$lib/ui/messages/en';
import es from '$lib/ui/messages/es';
import fr from '$lib/ui/messages/fr';
import ja from '$lib/ui/messages/ja';
import zh from '$lib/ui/messages/zh';

/** Every phrase by its path; functions are given numbers that all plural forms see. */
function phrases(catalogue: object, path = ''): [string, string][] {
  return Object.entries(catalogue).flatMap(([name, value]): [string, string][] => {
    const at = `${path}.${name}`;
    if (typeof value === 'string') return [[at, value]];
    if (typeof value !== 'function') return phrases(value as object, at);
    const say = value as (...values: (number | string)[]) => string;
    return [1, 2, 5].map((n) => [`${at}(${n})`, say(n, n + 1, n + 2)]);
  });
}

test.each(Object.entries({ de, es, fr, ja, zh }))('%s says everything, and little of it in English', (_, catalogue) => {
  const english = new Map(phrases(en));
  const said = phrases(catalogue);
  expect(said.map(([path]) => path)).toEqual([...english.keys()]);
  for (const [path, text] of said) {
    expect(text, path).not.toMatch(/undefined|NaN|^\s*$/);
    expect(text, path).toBe(text.trim());
  }
  const same = said.filter(([path, text]) => english.get(path) === text && /[a-z]{3}/.test(text));
  // Names of methods, and words that are the same: Top-p, Code, GPU, Tokens.
  expect(same.length, same.map(([path]) => path).join(' ')).toBeLessThan(said.length / 10);
});

test('plurals', () => {
  expect(en.message.removed(1)).toBe('1 message was deleted.');
  expect(en.figures.tokens(1234)).toBe('1,234 tokens');
  expect(fr.figures.tokens(0)).toBe('0 token');
  expect(de.figures.tokens(1234)).toBe('1.234 Tokens');
});

test.each([
  [['de-CH', 'en'], 'de'],
  [['pt-BR', 'ja'], 'ja'],
  [['ZH-hant'], 'zh'],
  [['xx'], 'en'],
  [[], 'en'],
])('who reads %j is spoken to in %s', (wanted, code) => {
  expect(firstSpoken(wanted)).toBe(code);
});
