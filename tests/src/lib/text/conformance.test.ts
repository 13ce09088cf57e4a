/** Tokenizers rebuilt from real files give the ids of llama.cpp and of golden.json, and both readers agree. */
import { describe, expect, test, type TestContext } from 'vitest';
import { tokenizerFromGguf } from '$lib/text/from-gguf';
import { tokenizerFromJson } from '$lib/text/from-json';
import type { Tokenizer } from '$lib/text/tokenizer';
import { readMetadata } from '../../../support/text/gguf';
import { random, randomText } from '../../../support/text/random';
import { sharedFile, sharedJson, sharedText } from '../../../support/text/shared';

const VOCABULARIES = ['llama-spm', 'phi-3', 'gpt-2', 'llama-bpe', 'qwen2'];
const MODELS = [
  { name: 'minimind2-small', gguf: 'minimind2-small-q8_0.gguf' },
  { name: 'stories260k', gguf: 'stories260k-f16.gguf' },
];
const SEPARATOR = '\n__ggml_vocab_test__\n';

interface Golden {
  readonly prompts: readonly { readonly text: string; readonly ids: readonly number[] }[];
}

function fromGguf(context: TestContext, path: string): Tokenizer {
  return tokenizerFromGguf(readMetadata(sharedFile(context, path)));
}

function fromJson(context: TestContext, name: string): Tokenizer {
  return tokenizerFromJson(
    sharedJson(context, `models/${name}/tokenizer.json`),
    sharedJson(context, `models/${name}/tokenizer_config.json`),
  );
}

/** Ids of every text, one line each, so that a difference is shown by its line. */
function lines(tokenizer: Tokenizer, texts: readonly string[]): string[] {
  return texts.map((text) => tokenizer.encode(text).join(' '));
}

describe.each(VOCABULARIES)('the vocabulary %s', (name) => {
  const path = `tokenizers/vocab/ggml-vocab-${name}.gguf`;

  test("gives llama.cpp's ids for every text", (context) => {
    const texts = sharedText(context, `${path}.inp`).split(SEPARATOR).slice(0, -1);
    const wanted = sharedText(context, `${path}.out`).split('\n').slice(0, -1);
    expect(texts.length).toBe(wanted.length);
    expect(texts.length).toBe(46);
    expect(lines(fromGguf(context, path), texts)).toEqual(wanted.map((line) => line.trim()));
  });

  test('reads back what it wrote', (context) => {
    const tokenizer = fromGguf(context, path);
    const texts = sharedText(context, `${path}.inp`).split(SEPARATOR);
    expect(texts.map((text) => tokenizer.decode(tokenizer.encode(text)))).toEqual(texts);
  });
});

describe.each(MODELS)('$name', ({ name, gguf }) => {
  test.for(['tokenizer.json', gguf])("%s gives golden.json's ids for every prompt", (file, context) => {
    const golden = sharedJson(context, `models/${name}/golden.json`) as Golden;
    const tokenizer = file === 'tokenizer.json' ? fromJson(context, name) : fromGguf(context, `models/${name}/${file}`);
    expect(golden.prompts.length).toBeGreaterThan(1);
    for (const { text, ids } of golden.prompts) {
      expect(tokenizer.encode(text, { special: 'parse', addSpecial: true })).toEqual(ids);
    }
  });

  test('its two files give the same ids, roles and texts', (context) => {
    const json = fromJson(context, name);
    const rebuilt = fromGguf(context, `models/${name}/${gguf}`);
    const next = random(3);
    const texts = Array.from({ length: 500 }, () => randomText(next));
    expect(lines(rebuilt, texts)).toEqual(lines(json, texts));
    expect(texts.map((text) => rebuilt.decode(rebuilt.encode(text)))).toEqual(
      texts.map((text) => json.decode(json.encode(text))),
    );
    expect(rebuilt.roles).toMatchObject({ bos: json.roles.bos, eos: json.roles.eos, ends: json.roles.ends });
  });
});
