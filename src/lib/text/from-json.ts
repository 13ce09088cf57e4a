/** A tokenizer out of tokenizer.json and tokenizer_config.json, as they lie beside a model on the hub. */
import { BpeModel } from './bpe';
import { findEnds } from './ends';
import { TokenizerError, UnsupportedError } from './errors';
import { booleanOf, countOf, fieldsOf, listOf, stringOf, type Fields } from './fields';
import { readNormalizer } from './normalizer';
import { prependScheme, readPreTokenizer } from './pre-tokenizer';
import { SpecialTokens, type SpecialToken } from './specials';
import { Tokenizer, type TokenRoles } from './tokenizer';
import type { Decoding } from './detokenizer';
import { Kind, Vocabulary } from './vocabulary';

export interface JsonExtras {
  /** Sources of the model's chat templates (jsonTemplates); what they spell out is markup. */
  readonly templates?: readonly string[];
  /** `eos_token_id` of generation_config.json: an id or a list. */
  readonly endIds?: readonly number[];
}

/** Ids are small; a file that says otherwise would have us fill memory with holes. */
const MOST_TOKENS = 2 ** 21;

interface AddedToken extends SpecialToken {
  readonly special: boolean;
}

/** @param json the parsed tokenizer.json; @param config the parsed tokenizer_config.json, `{}` where there is none */
export function tokenizerFromJson(json: unknown, config: unknown = {}, extras: JsonExtras = {}): Tokenizer {
  const file = fieldsOf(json, 'tokenizer.json');
  const settings = fieldsOf(config, 'tokenizer_config.json');
  const model = fieldsOf(file.model, 'model');
  checkModel(model);
  const added = listOf(file.added_tokens, 'added_tokens').map(readAdded);
  const byteFallback = booleanOf(model.byte_fallback, 'model.byte_fallback') ?? false;
  const vocabulary = readVocabulary(model, added, byteFallback);
  const roles = readRoles(settings, model, vocabulary, extras);
  const normalize = readNormalizer(file.normalizer);
  const { byteLevel, split } = readPreTokenizer(file.pre_tokenizer);
  const { begin, end } = readEdges(file.post_processor, settings, roles, vocabulary);
  return new Tokenizer({
    vocabulary,
    specials: new SpecialTokens(added, vocabulary, extras.templates ?? []),
    model: new BpeModel(vocabulary, listOf(model.merges, 'model.merges'), {
      byteLevel,
      ignoreMerges: booleanOf(model.ignore_merges, 'model.ignore_merges') ?? false,
      unknown: vocabulary.idOf(stringOf(model.unk_token, 'model.unk_token') ?? ''),
      field: 'model.merges',
    }),
    prepare: (text, first) => split(normalize(text), first),
    decoding: readDecoding(file.decoder),
    begin,
    end,
    roles,
  });
}

function checkModel(model: Fields): void {
  const type = stringOf(model.type, 'model.type') ?? (Array.isArray(model.merges) ? 'BPE' : 'missing');
  if (type !== 'BPE') throw new UnsupportedError('model.type', type, ['BPE']);
  for (const field of ['continuing_subword_prefix', 'end_of_word_suffix']) {
    const value = stringOf(model[field], `model.${field}`);
    if (value) throw new UnsupportedError(`model.${field}`, value, ['none']);
  }
}

function readAdded(value: unknown, index: number): AddedToken {
  const field = `added_tokens[${index}]`;
  const token = fieldsOf(value, field);
  const id = countOf(token.id, `${field}.id`);
  const text = stringOf(token.content, `${field}.content`);
  if (id === undefined || text === undefined) throw new TokenizerError(field, 'must have an id and a content');
  return {
    id,
    text,
    special: booleanOf(token.special, `${field}.special`) ?? false,
    lstrip: booleanOf(token.lstrip, `${field}.lstrip`) ?? false,
    rstrip: booleanOf(token.rstrip, `${field}.rstrip`) ?? false,
    singleWord: booleanOf(token.single_word, `${field}.single_word`) ?? false,
  };
}

function readVocabulary(model: Fields, added: readonly AddedToken[], byteFallback: boolean): Vocabulary {
  const vocab = fieldsOf(model.vocab, 'model.vocab');
  const names = Object.keys(vocab);
  const highest = added.reduce((high, { id }) => Math.max(high, id), highestId(vocab, names));
  if (highest < 0 || highest >= MOST_TOKENS) {
    throw new TokenizerError('model.vocab', `ids go up to ${highest}; between 0 and ${MOST_TOKENS - 1} is possible`);
  }
  const tokens = new Array<string>(highest + 1).fill('');
  const kinds = new Uint8Array(highest + 1).fill(Kind.unused);
  for (const token of names) {
    const id = vocab[token] as number;
    tokens[id] = token;
    kinds[id] = byteFallback && /^<0x[0-9A-F]{2}>$/.test(token) ? Kind.byte : Kind.normal;
  }
  for (const { id, text, special } of added) {
    tokens[id] = text;
    kinds[id] = special ? Kind.control : Kind.user;
  }
  return new Vocabulary(tokens, kinds);
}

function highestId(vocab: Fields, names: readonly string[]): number {
  let highest = -1;
  for (const token of names) {
    const id = vocab[token];
    if (!Number.isSafeInteger(id) || (id as number) < 0) {
      throw new TokenizerError(`model.vocab[${JSON.stringify(token)}]`, 'must be a whole number, 0 or more');
    }
    highest = Math.max(highest, id as number);
  }
  return highest;
}

function readRoles(settings: Fields, model: Fields, vocabulary: Vocabulary, extras: JsonExtras): TokenRoles {
  const role = (text: string | undefined): number | undefined => {
    const id = text === undefined ? -1 : vocabulary.idOf(text);
    return id < 0 ? undefined : id;
  };
  const named = {
    bos: role(tokenText(settings.bos_token, 'bos_token')),
    eos: role(tokenText(settings.eos_token, 'eos_token')),
    unknown: role(tokenText(settings.unk_token, 'unk_token') ?? stringOf(model.unk_token, 'model.unk_token')),
    pad: role(tokenText(settings.pad_token, 'pad_token')),
  };
  const known = Object.entries(named).filter(([, id]) => id !== undefined);
  const more = (extras.endIds ?? []).filter((id) => Number.isInteger(id) && id >= 0 && id < vocabulary.size);
  return { ...Object.fromEntries(known), ends: findEnds(vocabulary, [named.eos, ...more]) };
}

/** `"<s>"`, or an object with that as its `content`. */
export function tokenText(value: unknown, field: string): string | undefined {
  if (typeof value === 'string') return value;
  return stringOf(fieldsOf(value, field).content, `${field}.content`);
}

/**
 * What stands around every text: as the post-processor's template says, unless the configuration says it outright.
 * Llama's and Gemma's tokenizers begin with BOS even where neither does.
 */
function readEdges(
  processor: unknown,
  settings: Fields,
  roles: TokenRoles,
  vocabulary: Vocabulary,
): { begin: readonly number[]; end: readonly number[] } {
  const template = findTemplate(processor, 'post_processor');
  const beginsByClass =
    !template && /^(?:Code)?(?:Llama|Gemma)/.test(stringOf(settings.tokenizer_class, 'tokenizer_class') ?? '');
  const { before, after } = readTemplate(template, vocabulary);
  const addBos = booleanOf(settings.add_bos_token, 'add_bos_token') ?? (beginsByClass ? true : undefined);
  const addEos = booleanOf(settings.add_eos_token, 'add_eos_token');
  return { begin: edge(addBos, roles.bos, before), end: edge(addEos, roles.eos, after) };
}

function edge(wanted: boolean | undefined, id: number | undefined, usual: readonly number[]): readonly number[] {
  if (wanted === undefined) return usual;
  if (!wanted || id === undefined) return usual.filter((other) => other !== id);
  return usual.includes(id) ? usual : [id];
}

function findTemplate(processor: unknown, field: string): Fields | undefined {
  const fields = fieldsOf(processor, field);
  if (fields.type === 'TemplateProcessing') return fields;
  if (fields.type !== 'Sequence') return undefined;
  return listOf(fields.processors, `${field}.processors`)
    .map((part, i) => findTemplate(part, `${field}.processors[${i}]`))
    .find((found) => found !== undefined);
}

function readTemplate(
  template: Fields | undefined,
  vocabulary: Vocabulary,
): { before: readonly number[]; after: readonly number[] } {
  const items = listOf(template?.single, 'post_processor.single').map((item, i) =>
    fieldsOf(item, `post_processor.single[${i}]`),
  );
  const text = items.findIndex((item) => 'Sequence' in item);
  const ids = (part: readonly Fields[]): number[] =>
    part.flatMap((item) => {
      const { id } = fieldsOf(item.SpecialToken, 'post_processor.single.SpecialToken');
      const found = vocabulary.idOf(stringOf(id, 'post_processor.single.SpecialToken.id') ?? '');
      return found < 0 ? [] : [found];
    });
  return { before: ids(items.slice(0, Math.max(0, text))), after: ids(items.slice(text + 1)) };
}

const DECODERS = ['ByteLevel', 'Sequence of Replace, ByteFallback, Fuse, Strip', 'Metaspace'];

function readDecoding(decoder: unknown): Decoding {
  const parts = flattenDecoders(decoder);
  const types = parts.map(({ type }) => type);
  if (types.includes('ByteLevel')) return { spelling: 'bytes', stripsFirstSpace: false };
  const metaspace = parts.find(({ type }) => type === 'Metaspace');
  if (metaspace) {
    return { spelling: 'spaced', stripsFirstSpace: prependScheme(metaspace, 'decoder') !== 'never' };
  }
  if (types.includes('ByteFallback') || types.includes('Replace')) {
    const strip = parts.find(({ type }) => type === 'Strip');
    return { spelling: 'spaced', stripsFirstSpace: strip?.content === ' ' && strip.start !== 0 };
  }
  throw new UnsupportedError('decoder', types.join(', ') || 'none', DECODERS);
}

function flattenDecoders(decoder: unknown): Fields[] {
  const fields = fieldsOf(decoder, 'decoder');
  if (fields.type === undefined) return [];
  return fields.type === 'Sequence' ? listOf(fields.decoders, 'decoder.decoders').flatMap(flattenDecoders) : [fields];
}
