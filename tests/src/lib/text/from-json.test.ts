/** Tokenizers out of tokenizer.json: what is read, and what is refused by name. */
import { describe, expect, test } from 'vitest';
import { TokenizerError, UnsupportedError } from '$lib/text/errors';
import { tokenizerFromJson } from '$lib/text/from-json';
import type { Tokenizer } from '$lib/text/tokenizer';
import { Kind } from '$lib/text/vocabulary';
import { pocketFile, pocketTokenizer } from '../../../support/text/tokenizers';

type Json = Record<string, unknown>;

const BYTES = Object.fromEntries(
  Array.from({ length: 256 }, (_, byte) => [`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`, 3 + byte]),
);
const VOCAB = { '<unk>': 0, '<s>': 1, '</s>': 2, ...BYTES, '▁': 259, h: 260, i: 261, hi: 262, '▁hi': 263, '▁▁': 264 };
const LEGACY_DECODER = {
  type: 'Sequence',
  decoders: [
    { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
    { type: 'ByteFallback' },
    { type: 'Fuse' },
    { type: 'Strip', content: ' ', start: 1, stop: 0 },
  ],
};

/** Llama 2's way: characters with bytes as a last resort, a space before every stretch of text. */
function llamaJson(model: Json = {}, changes: Json = {}): Json {
  return {
    added_tokens: [
      { id: 0, content: '<unk>', special: true },
      { id: 1, content: '<s>', special: true },
      { id: 2, content: '</s>', special: true },
    ],
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    pre_tokenizer: null,
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    },
    decoder: LEGACY_DECODER,
    model: {
      type: 'BPE',
      unk_token: '<unk>',
      byte_fallback: true,
      vocab: VOCAB,
      merges: ['h i', '▁ hi', '▁ ▁'],
      ...model,
    },
    ...changes,
  };
}

function spelled(tokenizer: Tokenizer, text: string, addSpecial = false): string[] {
  return tokenizer.encode(text, { special: 'parse', addSpecial }).map((id) => tokenizer.vocabulary.tokenOf(id));
}

describe('characters with bytes as a last resort', () => {
  const tokenizer = tokenizerFromJson(llamaJson(), { bos_token: '<s>', eos_token: { content: '</s>' } });

  test('merges, and spells in bytes what is no token', () => {
    expect(spelled(tokenizer, 'hi é')).toEqual(['▁hi', '▁', '<0xC3>', '<0xA9>']);
  });

  test('a space comes before every stretch of text', () => {
    expect(spelled(tokenizer, 'hi</s>hi')).toEqual(['▁hi', '</s>', '▁hi']);
    expect(tokenizer.decode(tokenizer.encode('hi  hi'))).toBe('hi  hi');
  });

  test('roles: plain or as an object', () => {
    expect(tokenizer.roles).toEqual({ bos: 1, eos: 2, unknown: 0, ends: new Set([2]) });
  });

  test('merges may be pairs, which may hold spaces', () => {
    const paired = tokenizerFromJson(
      llamaJson({
        merges: [
          ['h', 'i'],
          ['▁', 'hi'],
        ],
      }),
    );
    expect(spelled(paired, 'hi')).toEqual(['▁hi']);
  });

  test('a merge may begin with a space', () => {
    const json = llamaJson({ vocab: { ...VOCAB, ' ': 265, x: 266, ' x': 267 }, merges: ['  x'] }, { normalizer: null });
    expect(spelled(tokenizerFromJson(json), 'x x')).toEqual(['x', ' x']);
  });

  test('Metaspace may put a space before the first stretch only', () => {
    const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: false };
    const json = llamaJson({}, { normalizer: null, pre_tokenizer: metaspace, decoder: metaspace });
    const first = tokenizerFromJson(json);
    expect(spelled(first, 'hi</s>hi')).toEqual(['▁hi', '</s>', 'hi']);
    expect(first.decode(first.encode('hi  hi'))).toBe('hi  hi');
  });

  test('without bytes an unknown character is the unknown token', () => {
    const vocab = Object.fromEntries(Object.entries(VOCAB).filter(([token]) => token !== '<0xC3>'));
    expect(spelled(tokenizerFromJson(llamaJson({ vocab })), 'é')).toEqual(['▁', '<unk>']);
  });
});

describe('what stands around a text', () => {
  const first = (config: Json, json = llamaJson()): string[] => spelled(tokenizerFromJson(json, config), 'hi', true);
  const bare = llamaJson({}, { post_processor: null });

  test("is what the post-processor's template says", () => {
    expect(first({ bos_token: '<s>' })).toEqual(['<s>', '▁hi']);
    expect(first({ bos_token: '<s>' }, bare)).toEqual(['▁hi']);
    expect(
      first({}, llamaJson({}, { post_processor: { type: 'Sequence', processors: [llamaJson().post_processor] } })),
    ).toEqual(['<s>', '▁hi']);
  });

  test('unless the configuration says otherwise', () => {
    expect(first({ bos_token: '<s>', add_bos_token: false })).toEqual(['▁hi']);
    expect(first({ bos_token: '<s>', add_bos_token: true }, bare)).toEqual(['<s>', '▁hi']);
    expect(first({ bos_token: '<s>', eos_token: '</s>', add_eos_token: true })).toEqual(['<s>', '▁hi', '</s>']);
  });

  test("and Llama's and Gemma's begin with BOS where nothing says anything", () => {
    expect(first({ bos_token: '<s>', tokenizer_class: 'LlamaTokenizer' }, bare)).toEqual(['<s>', '▁hi']);
    expect(first({ bos_token: '<s>', tokenizer_class: 'PreTrainedTokenizerFast' }, bare)).toEqual(['▁hi']);
  });
});

describe('the pocket model', () => {
  test('has its control tokens, and what ends an answer', () => {
    const { vocabulary, roles } = pocketTokenizer();
    expect(vocabulary.size).toBe(6400);
    expect([0, 1, 2].map((id) => vocabulary.kindOf(id))).toEqual([Kind.control, Kind.control, Kind.control]);
    expect(roles).toMatchObject({ bos: 1, eos: 2, pad: 0, ends: new Set([0, 2]) });
  });

  test('encodes a prompt as its makers do', () => {
    const prompt = '<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n';
    expect(pocketTokenizer().encode(prompt, { special: 'parse', addSpecial: true })).toEqual([
      1, 320, 275, 201, 3526, 370, 276, 3167, 2777, 303, 6091, 697, 33, 2, 201, 1, 1078, 538, 501, 201,
    ]);
  });

  test('ids that the generation configuration ends with are added', () => {
    const tokenizer = tokenizerFromJson(pocketFile('tokenizer.json'), {}, { endIds: [5, 99_999] });
    expect(tokenizer.roles.ends).toEqual(new Set([0, 2, 5]));
  });
});

describe('refused by name', () => {
  test.each<[string, Json, RegExp]>([
    ['a model', { type: 'Unigram' }, /model.type is «Unigram».*Known: BPE/],
    ['a suffix', { end_of_word_suffix: '</w>' }, /end_of_word_suffix is «<\/w>»/],
  ])('%s', (_, model, message) => {
    expect(() => tokenizerFromJson(llamaJson(model))).toThrow(UnsupportedError);
    expect(() => tokenizerFromJson(llamaJson(model))).toThrow(message);
  });

  test('a decoder', () => {
    expect(() => tokenizerFromJson(llamaJson({}, { decoder: { type: 'WordPiece' } }))).toThrow(
      /decoder is «WordPiece»/,
    );
  });

  test.each<[string, unknown, RegExp]>([
    ['no object', 'text', /tokenizer.json: must be an object/],
    ['ids as high as the sky', llamaJson({ vocab: { a: 2 ** 40 } }), /ids go up to/],
    ['ids below zero', llamaJson({ vocab: { a: -5 } }), /model.vocab\["a"\]: must be a whole number/],
    ['no vocabulary', llamaJson({ vocab: undefined }, { added_tokens: [] }), /ids go up to -1/],
    ['merges of nothing', llamaJson({ merges: [['h']] }), /model.merges\[0\]: is no pair/],
    ['an added token without an id', llamaJson({}, { added_tokens: [{ content: 'x' }] }), /added_tokens\[0\]/],
    ['an unknown normalizer', llamaJson({}, { normalizer: { type: 'Odd' } }), /normalizer: cannot be read/],
  ])('%s', (_, json, message) => {
    expect(() => tokenizerFromJson(json)).toThrow(TokenizerError);
    expect(() => tokenizerFromJson(json)).toThrow(message);
  });

  test('a vocabulary with the names of object members is just a vocabulary', () => {
    const vocab = JSON.parse('{"__proto__": 0, "constructor": 1, "toString": 2, "a": 3}') as Json;
    const json = llamaJson({ vocab, merges: [] }, { added_tokens: [], normalizer: null });
    const tokenizer = tokenizerFromJson(json, {});
    expect(tokenizer.vocabulary.idOf('__proto__')).toBe(0);
    expect(spelled(tokenizer, 'a')).toEqual(['a']);
  });
});
