/** Grammars of clients that would break or stall xgrammar for everybody. */
import { expect, test } from 'vitest';
import { ebnfOfRegex, ebnfOfSchema, requireBounded } from '$lib/engine/grammar';
import { Grammars } from '$lib/engine/grammar/masks';
import { loadXgrammarInNode } from '$lib/engine/grammar/xgrammar-node';
import { pocketTokenizer } from '../../../../support/text/tokenizers';

const nested = (levels: number, inner: string): string => `${'('.repeat(levels)}${inner}${')'.repeat(levels)}`;

test.each([
  ['brackets in brackets', `root ::= ${nested(200, '"a"')}`, 'nested more than'],
  ['counters in counters', 'root ::= ("a"{0,1000}){0,1000}', 'counters in counters'],
  ['the same further apart', 'root ::= (("a"{1000} | "b") "c"){1000}', 'counters in counters'],
  ['very many rules', Array.from({ length: 3000 }, (_, i) => `r${i} ::= "a"\n`).join(''), 'more than 2000 rules'],
  ['a very long one', `root ::= "${'a'.repeat(70_000)}"`, 'is longer than'],
])('%s are refused', (_, ebnf, why) => {
  expect(() => requireBounded(ebnf, 'grammar')).toThrow(why);
});

test.each([
  ['brackets in a text', `root ::= "${'('.repeat(200)}\\""`],
  ['brackets in a class', `root ::= [(${'('.repeat(200)}\\]]`],
  ['brackets in a comment', `# ${'('.repeat(200)}\nroot ::= "a"`],
  ['brackets side by side', `root ::= ${'("a") '.repeat(200)}`],
  ['counters side by side', 'root ::= "a"{0,1000} ("b"{0,1000}) "c"{5000}'],
])('%s are no harm', (_, ebnf) => {
  requireBounded(ebnf, 'grammar');
});

test('regular expressions and patterns keep to it too', () => {
  expect(() => ebnfOfRegex(nested(3000, 'a'), 'regex')).toThrow('more than 24 groups');
  expect(() => ebnfOfRegex('(a{0,1000}){0,1000}', 'regex')).toThrow('counters in counters');
  expect(() => ebnfOfSchema({ type: 'string', pattern: '^(a{0,1000}b){0,1000}$' }, 'schema')).toThrow('counters');
});

test('what is just within them is read, and the next grammar too', async () => {
  const tokenizer = pocketTokenizer();
  const grammars = new Grammars(tokenizer, tokenizer.vocabulary.size, loadXgrammarInNode);
  for (const inner of [`${nested(63, '"a"')}`, '("a"{0,100}){0,100}', '"ab"']) {
    const ebnf = `root ::= ${inner}`;
    requireBounded(ebnf, 'grammar');
    const { mask, close } = await grammars.open(ebnf);
    expect((await mask([]))!.some((word) => word !== 0)).toBe(true);
    close();
  }
  // As deep as patterns may be.
  const { mask, close } = await grammars.open(
    ebnfOfRegex(`${'(?:'.repeat(24)}a${'){1,2}'.repeat(13)}${')'.repeat(11)}`, 'regex'),
  );
  expect((await mask([]))!.some((word) => word !== 0)).toBe(true);
  close();
  grammars.close();
});
