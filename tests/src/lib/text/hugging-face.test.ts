/**
 * Tokenizers of models that people use give the ids and the texts of Hugging Face's own (Rust) tokenizers, for every text
 * of a corpus, and read back what they wrote however it is cut.
 */
import { describe, expect, inject, test, type TestContext } from 'vitest';
import { tokenizerFromJson } from '$lib/text/from-json';
import type { Tokenizer } from '$lib/text/tokenizer';
import { corpus, eachCharacter } from '../../../support/text/corpus';
import { random } from '../../../support/text/random';
import { rustTokenizer, vocabularyFile, vocabularyJson } from '../../../support/text/hugging-face';

const VOCABULARIES = [
  ...['llama2', 'llama3_2', 'qwen2_5', 'qwen3', 'gemma2', 'gemma3'],
  ...['mistral_nemo', 'gpt4o', 'gptoss', 'deepseek_v3'],
];
const BYTES_APART = ['llama2', 'gemma2', 'gemma3'];
const TEXTS = corpus();

function ours(context: TestContext, name: string): Tokenizer {
  return tokenizerFromJson(
    vocabularyJson(context, name, 'tokenizer.json'),
    vocabularyJson(context, name, 'tokenizer_config.json'),
  );
}

/** Texts whose ids differ, with both. */
async function differences(context: TestContext, name: string, texts: readonly string[]): Promise<string[]> {
  const tokenizer = ours(context, name);
  const rust = rustTokenizer(context, vocabularyFile(context, name, 'tokenizer.json'));
  const wanted = await rust.encodeBatch(texts, { addSpecialTokens: false });
  return texts.flatMap((text, n) => {
    const ids = tokenizer.encode(text, { special: 'parse' }).join(' ');
    const theirs = wanted[n]!.getIds().join(' ');
    return ids === theirs ? [] : [`${JSON.stringify(text)}: ${ids} instead of ${theirs}`];
  });
}

describe.each(VOCABULARIES)('%s', (name) => {
  test('the ids of every text', async (context) => {
    expect(await differences(context, name, TEXTS)).toEqual([]);
  });

  test('the texts of all ids, and of what is left when a text is cut anywhere', async (context) => {
    const tokenizer = ours(context, name);
    const rust = rustTokenizer(context, vocabularyFile(context, name, 'tokenizer.json'));
    const next = random(5);
    const whole = TEXTS.map((text) => tokenizer.encode(text));
    // Where bytes have tokens of their own, theirs writes none of a row of bytes that ends amid a character, not even the
    // characters before it; ours has written those already, a token at a time.
    const cut = BYTES_APART.includes(name) ? [] : whole.map((list) => list.slice(0, next(list.length + 1)));
    const ids = [...whole, ...cut];
    expect(ids.map((list) => tokenizer.decode(list))).toEqual(await rust.decodeBatch(ids, true));
  });

  test('each character there is', async (context) => {
    context.skip(!inject('large'), 'each character: only in npm run test:large');
    expect(await differences(context, name, eachCharacter())).toEqual([]);
  });
});
