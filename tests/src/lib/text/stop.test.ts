/** Stop strings end the text exactly, however it arrives; the definition stands below in its plainest form. */
import { describe, expect, test } from 'vitest';
import { ArgumentError } from '$lib/text/errors';
import { StopMatcher } from '$lib/text/stop';
import { random } from '../../../support/text/random';

/** The stop string that ends first, of those the longest; the text before it. */
function byDefinition(text: string, stops: readonly string[]): { text: string; found: string | undefined } {
  for (let end = 1; end <= text.length; end++) {
    const ending = stops.filter((stop) => text.slice(0, end).endsWith(stop));
    const found = ending.sort((a, b) => b.length - a.length)[0];
    if (found !== undefined) return { text: text.slice(0, end - found.length), found };
  }
  return { text, found: undefined };
}

function run(portions: readonly string[], stops: readonly string[]): { text: string; found: string | undefined } {
  const matcher = new StopMatcher(stops);
  const text = portions.map((portion) => matcher.push(portion)).join('') + matcher.finish();
  return { text, found: matcher.found };
}

test('cuts the text before the stop string, over the borders of portions', () => {
  expect(run(['Hello ', 'wo', 'rld', '!'], ['orl'])).toEqual({ text: 'Hello w', found: 'orl' });
  expect(run(['a', 'b', 'c'], ['x'])).toEqual({ text: 'abc', found: undefined });
});

test('holds back what may be the beginning of a stop string, and no more', () => {
  const matcher = new StopMatcher(['</s>', '<|end|>']);
  expect(matcher.push('1 < 2 and <')).toBe('1 < 2 and ');
  expect(matcher.push('|')).toBe('');
  expect(matcher.push('|')).toBe('<||');
  expect(matcher.push('</s')).toBe('');
  expect(matcher.finish()).toBe('</s');
});

test('says nothing after the stop string', () => {
  const matcher = new StopMatcher(['END']);
  expect(matcher.push('a END b')).toBe('a ');
  expect(matcher.push('more')).toBe('');
  expect(matcher.finish()).toBe('');
  expect(matcher.found).toBe('END');
});

describe('overlapping stop strings', () => {
  test('the one that ends first counts', () => {
    expect(run(['xabc'], ['xabc', 'ab'])).toEqual({ text: 'x', found: 'ab' });
  });

  test('of those that end together the longest counts', () => {
    expect(run(['xab'], ['b', 'xab', 'ab'])).toEqual({ text: '', found: 'xab' });
  });

  test('a stop string that begins inside a broken-off one is found', () => {
    expect(run(['aab', 'aaab'], ['aaab'])).toEqual({ text: 'aab', found: 'aaab' });
    expect(run(['ab', 'abc'], ['abc'])).toEqual({ text: 'ab', found: 'abc' });
  });
});

test('an empty stop string is refused', () => {
  expect(() => new StopMatcher([''])).toThrow(ArgumentError);
});

test('agrees with the definition on 3,000 random texts, stop strings and portions', () => {
  const next = random(5);
  const letters = (length: number): string => Array.from({ length }, () => ['a', 'b', '😀'][next(3)]).join('');
  for (let round = 0; round < 3000; round++) {
    const text = letters(next(30));
    const stops = Array.from({ length: 1 + next(4) }, () => letters(1 + next(5)));
    const portions: string[] = [];
    const characters = Array.from(text);
    while (characters.length > 0) portions.push(characters.splice(0, 1 + next(5)).join(''));
    expect(run(portions, stops), `${text} ${stops.join(' ')}`).toEqual(byDefinition(text, stops));
  }
});
