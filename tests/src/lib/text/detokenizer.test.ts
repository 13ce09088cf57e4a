/** Portions of text, joined, are the text decoded at once, and none of them shows half a character. */
import { describe, expect, test } from 'vitest';
import { SPELLING } from '$lib/text/byte-level';
import { ArgumentError } from '$lib/text/errors';
import type { DetokenizerOptions } from '$lib/text/detokenizer';
import type { Tokenizer } from '$lib/text/tokenizer';
import { random, randomText, type Random } from '../../../support/text/random';
import { bpeTokenizer, pocketTokenizer, spmTokenizer } from '../../../support/text/tokenizers';

const ROUNDS = 400;

function portions(tokenizer: Tokenizer, ids: readonly number[], options?: DetokenizerOptions): string[] {
  const detokenizer = tokenizer.detokenizer(options);
  return [...ids.map((id) => detokenizer.push(id)), detokenizer.finish()];
}

/** Byte-level ids for these bytes, cut anywhere, in the middle of characters too. */
function byteIds({ vocabulary }: Tokenizer, bytes: Uint8Array, next: Random): number[] {
  const ids: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const part = bytes.subarray(at, at + 1 + next(6));
    const token = vocabulary.idOf(Array.from(part, (byte) => SPELLING[byte]).join(''));
    ids.push(token >= 0 ? token : vocabulary.idOf(SPELLING[bytes[at] ?? 0] ?? ''));
    at += token >= 0 ? part.length : 1;
  }
  return ids;
}

/** SentencePiece ids: every character as its piece or as its bytes. */
function pieceIds({ vocabulary }: Tokenizer, text: string, next: Random): number[] {
  return Array.from(text.replaceAll(' ', '▁')).flatMap((character) => {
    const piece = vocabulary.idOf(character);
    if (piece >= 0 && next(2) === 0) return [piece];
    const bytes = new TextEncoder().encode(character === '▁' ? ' ' : character);
    return Array.from(bytes, (byte) => vocabulary.idOf(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`));
  });
}

describe('random texts in many scripts, in random tokens', () => {
  test('byte-level', () => {
    const tokenizer = pocketTokenizer();
    const next = random(11);
    for (let round = 0; round < ROUNDS; round++) {
      const text = randomText(next);
      const parts = portions(tokenizer, byteIds(tokenizer, new TextEncoder().encode(text), next));
      expect(parts.join('')).toBe(text);
      expect(parts.every((part) => part.isWellFormed())).toBe(true);
    }
  });

  test('SentencePiece', () => {
    const tokenizer = spmTokenizer();
    const next = random(12);
    for (let round = 0; round < ROUNDS; round++) {
      const text = randomText(next);
      expect(portions(tokenizer, pieceIds(tokenizer, ` ${text}`, next)).join('')).toBe(text);
      expect(portions(tokenizer, pieceIds(tokenizer, text, next), { continues: true }).join('')).toBe(text);
    }
  });

  test('what was encoded is read back', () => {
    const next = random(13);
    for (const tokenizer of [pocketTokenizer(), spmTokenizer(), bpeTokenizer()]) {
      for (let round = 0; round < ROUNDS / 4; round++) {
        const text = randomText(next);
        expect(portions(tokenizer, tokenizer.encode(text)).join('')).toBe(text);
      }
    }
  });
});

describe('bytes that are no characters', () => {
  test('become what a decoder of the whole makes of them, one U+FFFD or more', () => {
    const next = random(14);
    const byteLevel = pocketTokenizer();
    const pieces = spmTokenizer();
    for (let round = 0; round < ROUNDS; round++) {
      const bytes = Uint8Array.from({ length: next(20) }, () => (next(3) === 0 ? next(128) : 128 + next(128)));
      const whole = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
      expect(portions(byteLevel, byteIds(byteLevel, bytes, next)).join('')).toBe(whole);
      const single = Array.from(bytes, (byte) => 3 + byte);
      expect(portions(pieces, single, { continues: true }).join('')).toBe(whole);
    }
  });

  test('the beginning of a character at the end of the answer becomes U+FFFD', () => {
    const tokenizer = spmTokenizer();
    const [first, second] = Array.from(new TextEncoder().encode('é'), (byte) => 3 + byte) as [number, number];
    expect(portions(tokenizer, [first, second])).toEqual(['', 'é', '']);
    expect(portions(tokenizer, [first])).toEqual(['', '\ufffd']);
    expect(portions(tokenizer, [first, tokenizer.vocabulary.idOf('h')])).toEqual(['', '\ufffdh', '']);
  });
});

test('an emoji in four tokens appears at once, with its last byte', () => {
  const tokenizer = bpeTokenizer();
  const ids = Array.from(new TextEncoder().encode('🦙'), (byte) => tokenizer.vocabulary.idOf(SPELLING[byte] ?? ''));
  expect(portions(tokenizer, ids)).toEqual(['', '', '', '🦙', '']);
});

describe('the space before the first word', () => {
  const tokenizer = spmTokenizer();
  const ids = ['▁hello', '▁w', 'or', 'ld'].map((piece) => tokenizer.vocabulary.idOf(piece));

  test('belongs to no text that begins here', () => {
    expect(portions(tokenizer, ids).join('')).toBe('hello world');
  });

  test('belongs to a text that goes on', () => {
    expect(portions(tokenizer, ids, { continues: true }).join('')).toBe(' hello world');
  });

  test('is one space only, and the first only', () => {
    const spaces = tokenizer.vocabulary.idOf('▁▁');
    expect(portions(tokenizer, [spaces, ...ids]).join('')).toBe('  hello world');
  });

  test('comes after BOS that is left out, but not after BOS that is shown', () => {
    expect(portions(tokenizer, [1, ...ids]).join('')).toBe('hello world');
    expect(portions(tokenizer, [1, ...ids], { special: 'show' }).join('')).toBe('<s> hello world');
  });

  test('stays where the model puts none', () => {
    const plain = spmTokenizer({ 'tokenizer.ggml.add_space_prefix': false });
    expect(portions(plain, ids).join('')).toBe(' hello world');
  });
});

describe('special tokens', () => {
  const tokenizer = bpeTokenizer();
  const { vocabulary } = tokenizer;
  const ids = ['<|user|>', 'he', '<|endoftext|>', '<think>'].map((token) => vocabulary.idOf(token));

  test('are left out; what is merely added is text', () => {
    expect(tokenizer.decode(ids)).toBe('<|user|>he<think>');
  });

  test('are shown where asked for', () => {
    expect(tokenizer.decode(ids, { special: 'show' })).toBe('<|user|>he<|endoftext|><think>');
  });

  test('do not part the bytes of a character when they are left out', () => {
    const [first, second] = Array.from(new TextEncoder().encode('é'), (byte) => vocabulary.idOf(SPELLING[byte] ?? ''));
    const end = vocabulary.idOf('<|endoftext|>');
    expect(tokenizer.decode([first ?? 0, end, second ?? 0])).toBe('é');
  });
});

test('stop strings end the answer over the borders of tokens', () => {
  const tokenizer = pocketTokenizer();
  const ids = tokenizer.encode('The capital is Paris.\nUser: and of Spain?');
  const detokenizer = tokenizer.detokenizer({ stop: ['\nUser:', 'never'] });
  const text = ids.map((id) => detokenizer.push(id)).join('') + detokenizer.finish();
  expect(text).toBe('The capital is Paris.');
  expect(detokenizer.stopped).toBe('\nUser:');
});

test('what was held back for a stop string comes at the end, if none came', () => {
  const tokenizer = pocketTokenizer();
  const ids = tokenizer.encode('It ends in \nUs');
  expect(tokenizer.decode(ids, { stop: ['\nUser:'] })).toBe('It ends in \nUs');
});

test('an id that is no token is refused', () => {
  const detokenizer = bpeTokenizer().detokenizer();
  for (const id of [-1, 1.5, 100_000, NaN]) expect(() => detokenizer.push(id)).toThrow(ArgumentError);
});
