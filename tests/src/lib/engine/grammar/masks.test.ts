/** What masks cost with a vocabulary as large as people's models have. */
import { expect, test } from 'vitest';
import { ebnfOfSchema } from '$lib/engine/grammar';
import { Grammars } from '$lib/engine/grammar/masks';
import { loadXgrammarInNode } from '$lib/engine/grammar/xgrammar-node';
import { Kind } from '$lib/text/vocabulary';
import { random } from '../../../../support/gpu';
import { bpeMetadata, bpeTokenizer, spmTokenizer } from '../../../../support/text/tokenizers';

const TOKENS = 100_000;

/** A small vocabulary, and words of random letters. */
function largeTokenizer(): ReturnType<typeof bpeTokenizer> {
  const small = bpeMetadata();
  const tokens = [...(small.get('tokenizer.ggml.tokens') as string[])];
  const types = [...(small.get('tokenizer.ggml.token_type') as number[])];
  const next = random(1);
  const letter = (): string => String.fromCharCode(0x61 + Math.floor(next() * 26));
  const words = new Set<string>();
  while (words.size < TOKENS) words.add(`Ġ${Array.from({ length: 3 + Math.floor(next() * 6) }, letter).join('')}`);
  return bpeTokenizer({
    'tokenizer.ggml.tokens': [...tokens, ...words],
    'tokenizer.ggml.token_type': [...types, ...Array.from(words, () => Kind.normal)],
  });
}

test.each([
  ['of a property', { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] }, '{"a": "he'],
  ['of any JSON', {}, '{"a": "he'],
  ['behind a pattern', { type: 'string', pattern: '^h' }, '"he'],
] as const)('inside a free string %s xgrammar knows which tokens may come', async (_, schema, begin) => {
  const tokenizer = largeTokenizer();
  const grammars = new Grammars(tokenizer, tokenizer.vocabulary.size, loadXgrammarInNode);
  const { mask, close } = await grammars.open(ebnfOfSchema(schema, 'schema'));
  const drawn = [...tokenizer.encode(begin)];
  await mask(drawn);
  const start = process.cpuUsage();
  const rounds = 20;
  for (let i = 0; i < rounds; i++) {
    drawn.push(1000 + i);
    const words = (await mask(drawn))!;
    expect((words[2000 >>> 5]! >>> (2000 & 31)) & 1).toBe(1);
  }
  const { user, system } = process.cpuUsage(start);
  close();
  grammars.close();
  // Milliseconds of a processor. Asked token by token it takes some 70.
  expect((user + system) / 1000 / rounds).toBeLessThan(10);
});

test('templates of addresses have no apostrophes, which RFC 6570 leaves out', async () => {
  const tokenizer = spmTokenizer();
  const grammars = new Grammars(tokenizer, tokenizer.vocabulary.size, loadXgrammarInNode);
  const { mask, close } = await grammars.open(ebnfOfSchema({ type: 'string', format: 'uri-template' }, 'schema'));
  // It has a token for every byte, from 3 on.
  const words = (await mask(Array.from(new TextEncoder().encode('"http://a/'), (byte) => 3 + byte)))!;
  const isAllowed = (char: string): boolean => {
    const id = 3 + char.charCodeAt(0);
    return ((words[id >>> 5]! >>> (id & 31)) & 1) === 1;
  };
  expect(["'", '!', 'b', '/'].map(isAllowed)).toEqual([false, true, true, true]);
  close();
  grammars.close();
});
