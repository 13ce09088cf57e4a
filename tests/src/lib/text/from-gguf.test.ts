/** Tokenizers out of GGUF metadata: what is read, what is taken for granted, and what is refused by name. */
import { describe, expect, test } from 'vitest';
import { TokenizerError, UnsupportedError } from '$lib/text/errors';
import { ggufTemplates, tokenizerFromGguf } from '$lib/text/from-gguf';
import { bpeMetadata, bpeTokenizer, spmMetadata, spmTokenizer } from '../../../support/text/tokenizers';

describe('byte-level BPE', () => {
  const spelled = (ids: readonly number[]): string[] => ids.map((id) => bpeTokenizer().vocabulary.tokenOf(id));

  test('merges in the order of the list', () => {
    expect(spelled(bpeTokenizer().encode(' h'))).toEqual(['Ġh']);
    expect(spelled(bpeTokenizer().encode('hello hello'))).toEqual(['hell', 'o', 'Ġ', 'hell', 'o']);
  });

  test('spells what no merge makes in bytes', () => {
    expect(spelled(bpeTokenizer().encode('é'))).toEqual(['Ã', '©']);
  });

  test('lists may be typed arrays and tables, numbers may be bigints', () => {
    const plain = bpeMetadata();
    const table = (key: string): unknown => {
      const list = plain.get(key) as string[];
      return { length: list.length, at: (i: number) => list[i], [Symbol.iterator]: () => list.values() };
    };
    const tokenizer = bpeTokenizer({
      'tokenizer.ggml.tokens': table('tokenizer.ggml.tokens'),
      'tokenizer.ggml.merges': table('tokenizer.ggml.merges'),
      'tokenizer.ggml.token_type': Int32Array.from(plain.get('tokenizer.ggml.token_type') as number[]),
      'tokenizer.ggml.eos_token_id': 260n,
    });
    expect(tokenizer.encode('hello <think>')).toEqual(bpeTokenizer().encode('hello <think>'));
    expect(tokenizer.roles).toEqual(bpeTokenizer().roles);
  });

  test('begins with BOS where its family does, unless the file says otherwise', () => {
    const begins = (changes: Record<string, unknown>): boolean =>
      bpeTokenizer(changes).encode('', { addSpecial: true }).length > 0;
    expect(begins({})).toBe(false);
    expect(begins({ 'tokenizer.ggml.pre': 'llama-bpe' })).toBe(true);
    expect(begins({ 'tokenizer.ggml.pre': 'llama-bpe', 'tokenizer.ggml.add_bos_token': false })).toBe(false);
  });

  test('a merge that is listed twice counts by its first place', () => {
    const merges = ['h e', 'l l', 'he ll', 'Ġ h', 'Ġ h', 'h e'];
    expect(bpeTokenizer({ 'tokenizer.ggml.merges': merges }).encode(' hello')).toEqual(bpeTokenizer().encode(' hello'));
  });
});

describe('SentencePiece', () => {
  const spelled = (text: string, changes?: Record<string, unknown>): string[] => {
    const tokenizer = spmTokenizer(changes);
    return tokenizer.encode(text).map((id) => tokenizer.vocabulary.tokenOf(id));
  };

  test('merges into the piece with the best score', () => {
    expect(spelled('hello world')).toEqual(['▁hello', '▁w', 'or', 'ld']);
  });

  test('puts a space first unless told otherwise', () => {
    expect(spelled('he', { 'tokenizer.ggml.add_space_prefix': false })).toEqual(['he']);
    expect(spelled('he')).toEqual(['▁', 'he']);
  });

  test('spells in bytes what is no piece', () => {
    expect(spelled('ü世')).toEqual(['▁', '<0xC3>', '<0xBC>', '世']);
  });

  test('says «unknown», once for a run, where there are no bytes', () => {
    const tokens = ['<unk>', '<s>', '</s>', '▁', 'a'];
    const small = {
      'tokenizer.ggml.tokens': tokens,
      'tokenizer.ggml.token_type': [2, 3, 3, 1, 1],
      'tokenizer.ggml.scores': [0, 0, 0, -1, -2],
    };
    expect(spelled('bca', small)).toEqual(['▁', '<unk>', 'a']);
  });

  test('of equal scores the leftmost merges first', () => {
    expect(spelled('aaa').slice(1)).toEqual(['aa', '<0x61>']);
    expect(spelled('xyz').slice(1)).toEqual(['xy', 'z']);
  });
});

test('Phi-3 takes the newline after a control token along', () => {
  const phi = spmTokenizer({ 'general.architecture': 'phi3' });
  expect(phi.encode('<|im_end|>\n', { special: 'parse' })).toHaveLength(1);
  expect(spmTokenizer().encode('<|im_end|>\n', { special: 'parse' })).toHaveLength(3);
});

test('what ends an answer is found by id and by name, and nobody can type it', () => {
  const tokenizer = spmTokenizer({ 'tokenizer.ggml.eot_token_id': 5 });
  const end = tokenizer.vocabulary.idOf('<|im_end|>');
  expect(tokenizer.roles.ends).toEqual(new Set([2, 5, end]));
  expect(bpeTokenizer().roles.ends).toEqual(new Set([260]));
});

test('what ends an answer cannot be typed, even where the file calls it an ordinary added token', () => {
  const types = Array.from(spmMetadata().get('tokenizer.ggml.token_type') as number[]);
  const end = spmTokenizer().vocabulary.idOf('<|im_end|>');
  types[end] = 4;
  const tokenizer = spmTokenizer({ 'tokenizer.ggml.token_type': types });
  expect(tokenizer.vocabulary.isSpecial(end)).toBe(true);
  expect(tokenizer.decode([end])).toBe('');
});

test('chat templates, the default one first', () => {
  const metadata = spmMetadata({
    'tokenizer.chat_templates': ['tool_use'],
    'tokenizer.chat_template.tool_use': 'with tools',
    'tokenizer.chat_template': 'plain',
  });
  expect(ggufTemplates(metadata)).toEqual([
    { name: 'default', source: 'plain' },
    { name: 'tool_use', source: 'with tools' },
  ]);
});

describe('refused by name', () => {
  test.each<[string, Record<string, unknown>, RegExp]>([
    ['an unknown model', { 'tokenizer.ggml.model': 'rwkv' }, /tokenizer.ggml.model is «rwkv».*Known: llama/],
    ['an unknown pre-tokenizer', { 'tokenizer.ggml.pre': 'new' }, /pre is «new».*Known: gpt-2.*qwen2/],
    ['no pre-tokenizer', { 'tokenizer.ggml.pre': undefined }, /pre is «\(missing\)»/],
  ])('%s', (_, changes, message) => {
    expect(() => bpeTokenizer(changes)).toThrow(UnsupportedError);
    expect(() => bpeTokenizer(changes)).toThrow(message);
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    ['no tokenizer', { 'tokenizer.ggml.model': undefined }, /holds no tokenizer/],
    ['no tokens', { 'tokenizer.ggml.tokens': [] }, /tokenizer.ggml.tokens: is missing or empty/],
    ['a token that is a number', { 'tokenizer.ggml.tokens': ['a', 5] }, /tokenizer.ggml.tokens\[1\]/],
    ['too few types', { 'tokenizer.ggml.token_type': [1, 1] }, /token_type: has 2 entries for/],
    ['a byte that is none', { 'tokenizer.ggml.token_type': new Int32Array(500).fill(6) }, /not spelt like one/],
    ['a merge of what is no token', { 'tokenizer.ggml.merges': ['h e', 'x yz'] }, /merges\[1\]: merges what is not/],
    ['a merge of one', { 'tokenizer.ggml.merges': ['he'] }, /merges\[0\]: is no pair/],
    ['merges that are text', { 'tokenizer.ggml.merges': 'h e' }, /merges: must be a list/],
    ['a role out of range', { 'tokenizer.ggml.bos_token_id': 9999 }, /bos_token_id: is 9999, but there are/],
    ['a role below zero', { 'tokenizer.ggml.eos_token_id': -1 }, /must be a whole number/],
    ['a flag that is a number', { 'tokenizer.ggml.add_bos_token': 1 }, /must be true or false/],
    ['a template that is a list', { 'tokenizer.chat_template': [] }, /chat_template: must be a string/],
  ])('%s', (_, changes, message) => {
    expect(() => bpeTokenizer(changes)).toThrow(TokenizerError);
    expect(() => bpeTokenizer(changes)).toThrow(message);
  });

  test('SentencePiece without its scores', () => {
    expect(() => spmTokenizer({ 'tokenizer.ggml.scores': undefined })).toThrow(/scores: has 0 entries for/);
    const scores = new Float32Array(1000);
    scores[270] = NaN;
    expect(() => spmTokenizer({ 'tokenizer.ggml.scores': scores })).toThrow(/scores\[270\]: is not a number/);
  });

  test('a byte that cannot be written, when it comes to it', () => {
    const tokens = ['a', 'b'];
    const small = tokenizerFromGguf(
      bpeMetadata({
        'tokenizer.ggml.tokens': tokens,
        'tokenizer.ggml.token_type': [1, 1],
        'tokenizer.ggml.merges': [],
        'tokenizer.ggml.bos_token_id': undefined,
        'tokenizer.ggml.eos_token_id': undefined,
      }),
    );
    expect(small.encode('ab')).toEqual([0, 1]);
    expect(() => small.encode('abc')).toThrow(/no token for byte 0x63/);
  });
});
