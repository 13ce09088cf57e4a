/** A vocabulary finds its tokens as a Map would. */
import { expect, test } from 'vitest';
import { ArgumentError } from '$lib/text/errors';
import { Kind, Vocabulary } from '$lib/text/vocabulary';
import { random, randomText } from '../../../support/text/random';

function vocabularyOf(tokens: readonly string[]): Vocabulary {
  return new Vocabulary(tokens, new Uint8Array(tokens.length).fill(Kind.normal));
}

test('finds every token, whole or in the middle of a text, and no other', () => {
  const next = random(31);
  const tokens = Array.from({ length: 3000 }, () => randomText(next).slice(0, 1 + next(6)));
  const vocabulary = vocabularyOf(tokens);
  const known = new Map([...tokens.entries()].reverse().map(([id, token]) => [token, id]));
  for (const token of [...tokens, ...Array.from({ length: 3000 }, () => randomText(next).slice(0, 1 + next(6)))]) {
    expect(vocabulary.idOf(token)).toBe(known.get(token) ?? -1);
    expect(vocabulary.idAt(`<${token}>`, 1, 1 + token.length)).toBe(known.get(token) ?? -1);
  }
});

test('of tokens spelt alike the first is found; an empty one is none', () => {
  const vocabulary = vocabularyOf(['a', '', 'b', 'a']);
  expect(vocabulary.idOf('a')).toBe(0);
  expect(vocabulary.idOf('')).toBe(-1);
  expect(vocabulary.tokenOf(3)).toBe('a');
  expect(vocabularyOf([]).idOf('a')).toBe(-1);
});

test('an id that is no token is refused, with the ids that there are', () => {
  expect(() => vocabularyOf(['a', 'b']).tokenOf(2)).toThrow(ArgumentError);
  expect(() => vocabularyOf(['a', 'b']).kindOf(-1)).toThrow('id: -1 is no token; this vocabulary has ids 0 to 1');
});
