/** Text is cut into words as tokenizer.json says; the wanted pieces are those of the Rust library's documentation. */
import { describe, expect, test } from 'vitest';
import { TextError, TokenizerError, UnsupportedError } from '$lib/text/errors';
import { namedPre, PRE_NAMES } from '$lib/text/pre-names';
import { readPreTokenizer } from '$lib/text/pre-tokenizer';
import { splitText, type Behavior } from '$lib/text/split';
import { random, randomText } from '../../../support/text/random';

function words(config: unknown, text: string, first = true): readonly string[] {
  return readPreTokenizer(config).split(text, first);
}

describe('a match', () => {
  test.each<[Behavior, string[]]>([
    ['Removed', ['the', 'final', 'countdown']],
    ['Isolated', ['the', '-', 'final', '-', '-', 'countdown']],
    ['MergedWithPrevious', ['the-', 'final-', '-', 'countdown']],
    ['MergedWithNext', ['the', '-final', '-', '-countdown']],
    ['Contiguous', ['the', '-', 'final', '--', 'countdown']],
  ])('%s', (behavior, wanted) => {
    expect(splitText('the-final--countdown', /-/g, behavior)).toEqual(wanted);
  });

  test('inverted, is what is kept', () => {
    expect(splitText('a1b22c', /\d+/g, 'Removed', true)).toEqual(['1', '22']);
  });

  test('of nothing cuts nothing', () => {
    expect(splitText('ab', /x*/g, 'Isolated')).toEqual(['ab']);
    expect(splitText('', /x/g, 'Isolated')).toEqual([]);
  });
});

describe('steps', () => {
  test('ByteLevel cuts as GPT-2 does, and leaves the bytes to the model', () => {
    expect(words({ type: 'ByteLevel' }, "I'll go  home 42x!")).toEqual([
      'I',
      "'ll",
      ' go',
      ' ',
      ' home',
      ' 42',
      'x',
      '!',
    ]);
    expect(words({ type: 'ByteLevel', add_prefix_space: true }, 'Hi')).toEqual([' Hi']);
    expect(words({ type: 'ByteLevel', use_regex: false }, 'a b')).toEqual(['a b']);
    expect(readPreTokenizer({ type: 'ByteLevel' }).byteLevel).toBe(true);
    expect(readPreTokenizer(null).byteLevel).toBe(false);
  });

  test('white space is what Unicode says: a no-break space is, a byte order mark is not', () => {
    expect(words({ type: 'ByteLevel' }, 'a\u0085\ufeffb')).toEqual(['a', '\u0085', '\ufeff', 'b']);
  });

  test('Digits knows the digits of every script', () => {
    expect(words({ type: 'Digits', individual_digits: true }, 'a12٣४')).toEqual(['a', '1', '2', '٣', '४']);
    expect(words({ type: 'Digits' }, 'a12b')).toEqual(['a', '12', 'b']);
  });

  test('Punctuation stands alone unless told otherwise', () => {
    expect(words({ type: 'Punctuation' }, 'a!?b')).toEqual(['a', '!', '?', 'b']);
    expect(words({ type: 'Punctuation', behavior: 'Contiguous' }, 'a!?b')).toEqual(['a', '!?', 'b']);
  });

  test('Metaspace writes ▁ for the space and puts one first', () => {
    expect(words({ type: 'Metaspace' }, 'Hey my  friend')).toEqual(['▁Hey', '▁my', '▁', '▁friend']);
    const onlyFirst = { type: 'Metaspace', prepend_scheme: 'first', split: false };
    expect(words(onlyFirst, 'Hey you')).toEqual(['▁Hey▁you']);
    expect(words(onlyFirst, 'Hey you', false)).toEqual(['Hey▁you']);
    expect(words({ type: 'Metaspace', add_prefix_space: false }, 'Hey')).toEqual(['Hey']);
  });

  test('Whitespace and WhitespaceSplit drop it', () => {
    expect(words({ type: 'Whitespace' }, 'Hey, du!')).toEqual(['Hey', ',', 'du', '!']);
    expect(words({ type: 'WhitespaceSplit' }, ' Hey,  du! ')).toEqual(['Hey,', 'du!']);
  });

  test('a Sequence applies them in order', () => {
    const config = {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Digits', individual_digits: true },
        { type: 'ByteLevel', add_prefix_space: false, use_regex: true },
      ],
    };
    expect(words(config, 'in 42 days')).toEqual(['in', ' ', '4', '2', ' days']);
  });
});

describe('what cannot be read is refused by name', () => {
  test.each<[string, unknown, RegExp]>([
    ['a type', { type: 'UnicodeScripts' }, /pre_tokenizer.type is «UnicodeScripts».*Known: .*Metaspace/],
    ['a behaviour', { type: 'Punctuation', behavior: 'Odd' }, /behavior is «Odd»/],
    [
      'bytes before words',
      { type: 'Sequence', pretokenizers: [{ type: 'ByteLevel' }, { type: 'Digits' }] },
      /last step/,
    ],
  ])('%s', (_, config, message) => {
    expect(() => readPreTokenizer(config)).toThrow(UnsupportedError);
    expect(() => readPreTokenizer(config)).toThrow(message);
  });

  test.each<[string, unknown]>([
    ['a pattern', { type: 'Split', pattern: { Regex: '(' }, behavior: 'Isolated' }],
    ['no pattern', { type: 'Split', pattern: {}, behavior: 'Isolated' }],
    ['a list', { type: 'Sequence', pretokenizers: 5 }],
    ['an object', 'ByteLevel'],
  ])('%s', (_, config) => {
    expect(() => readPreTokenizer(config)).toThrow(TokenizerError);
    expect(() => readPreTokenizer(config)).toThrow(TextError);
  });
});

test('every named pre-tokenizer loses nothing of 200 random texts', () => {
  const next = random(2);
  const texts = Array.from({ length: 200 }, () => randomText(next));
  for (const name of PRE_NAMES) {
    const pretokenizers = namedPre(name)?.patterns.map((Regex) => ({
      type: 'Split',
      pattern: { Regex },
      behavior: 'Isolated',
    }));
    const { split } = readPreTokenizer({ type: 'Sequence', pretokenizers });
    expect(
      texts.map((text) => split(text, true).join('')),
      name,
    ).toEqual(texts);
  }
});
