/**
 * A tokenizer out of a GGUF file's metadata: SentencePiece vocabularies (`llama`: pieces and scores) and BPE ones
 * (`gpt2`: tokens, merges, and the name of a pre-tokenizer).
 */
import { BpeModel } from './bpe';
import { findEnds } from './ends';
import { TokenizerError, UnsupportedError } from './errors';
import { booleanOf, countOf, numbersOf, stringOf, stringsOf } from './fields';
import { readNormalizer } from './normalizer';
import { namedPre, PRE_NAMES, type NamedPre } from './pre-names';
import { readPreTokenizer } from './pre-tokenizer';
import { SpmModel } from './spm';
import { SpecialTokens, type SpecialToken } from './specials';
import { Tokenizer, type TokenizerParts, type TokenRoles } from './tokenizer';
import { Kind, Vocabulary } from './vocabulary';

/** Metadata as a GGUF reader gives them: lists as arrays or typed arrays, 64-bit numbers as number or bigint. */
export type GgufMetadata = Pick<ReadonlyMap<string, unknown>, 'get'>;

const KEY = {
  model: 'tokenizer.ggml.model',
  pre: 'tokenizer.ggml.pre',
  tokens: 'tokenizer.ggml.tokens',
  types: 'tokenizer.ggml.token_type',
  scores: 'tokenizer.ggml.scores',
  merges: 'tokenizer.ggml.merges',
  addBos: 'tokenizer.ggml.add_bos_token',
  addEos: 'tokenizer.ggml.add_eos_token',
  addSpace: 'tokenizer.ggml.add_space_prefix',
  template: 'tokenizer.chat_template',
  templates: 'tokenizer.chat_templates',
} as const;

type Core = Pick<TokenizerParts, 'model' | 'prepare' | 'decoding'>;

/** Rebuilds the tokenizer of a GGUF model. */
export function tokenizerFromGguf(metadata: GgufMetadata): Tokenizer {
  const kind = stringOf(metadata.get(KEY.model), KEY.model);
  if (kind === undefined) throw new TokenizerError(KEY.model, 'is missing: this GGUF file holds no tokenizer');
  const vocabulary = readVocabulary(metadata);
  const named = readRoles(metadata, vocabulary, kind === 'llama' ? SPM_ROLES : {});
  const roles = { ...named.roles, ends: findEnds(vocabulary, named.ends) };
  if (kind === 'llama') return assemble(metadata, vocabulary, roles, spmCore(metadata, vocabulary, roles), true);
  if (kind !== 'gpt2') throw new UnsupportedError(KEY.model, kind, ['llama (SentencePiece)', 'gpt2 (BPE)']);
  const pre = readPre(metadata);
  return assemble(metadata, vocabulary, roles, bpeCore(metadata, vocabulary, roles, pre), pre.addBos ?? false);
}

/** Sources of all chat templates in the metadata, the default one first; see template.ts. */
export function ggufTemplates(metadata: GgufMetadata): { readonly name: string; readonly source: string }[] {
  const names = Array.from(stringsOf(metadata.get(KEY.templates), KEY.templates)).filter((name) => name !== 'default');
  return ['default', ...names].flatMap((name) => {
    const key = name === 'default' ? KEY.template : `${KEY.template}.${name}`;
    const source = stringOf(metadata.get(key), key);
    return source === undefined ? [] : [{ name, source }];
  });
}

function assemble(
  metadata: GgufMetadata,
  vocabulary: Vocabulary,
  roles: TokenRoles,
  core: Core,
  addsBos: boolean,
): Tokenizer {
  const templates = ggufTemplates(metadata).map(({ source }) => source);
  const addBos = booleanOf(metadata.get(KEY.addBos), KEY.addBos) ?? addsBos;
  const addEos = booleanOf(metadata.get(KEY.addEos), KEY.addEos) ?? false;
  return new Tokenizer({
    vocabulary,
    ...core,
    specials: new SpecialTokens(wholeTokens(metadata, vocabulary), vocabulary, templates),
    begin: addBos && roles.bos !== undefined ? [roles.bos] : [],
    end: addEos && roles.eos !== undefined ? [roles.eos] : [],
    roles,
  });
}

function readVocabulary(metadata: GgufMetadata): Vocabulary {
  const tokens = Array.from(stringsOf(metadata.get(KEY.tokens), KEY.tokens));
  if (tokens.length === 0) throw new TokenizerError(KEY.tokens, 'is missing or empty');
  const types = numbersOf(metadata.get(KEY.types), KEY.types);
  if (types && types.length < tokens.length) {
    throw new TokenizerError(KEY.types, `has ${types.length} entries for ${tokens.length} tokens`);
  }
  const kinds = new Uint8Array(tokens.length).fill(Kind.normal);
  for (let id = 0; types && id < tokens.length; id++) {
    const type = types[id] as number;
    kinds[id] = type >= Kind.normal && type <= Kind.byte ? type : Kind.unused;
    // A byte has to be spelt as one: pieces.ts reads it.
    if (type === Kind.byte && !/^<0x[0-9A-Fa-f]{2}>$/.test(tokens[id] as string)) {
      throw new TokenizerError(`${KEY.tokens}[${id}]`, 'is called a byte, but is not spelt like one (<0x0A>)');
    }
  }
  return new Vocabulary(tokens, kinds);
}

/** Ids where a SentencePiece file does not say them. */
const SPM_ROLES = { unknown: 0, bos: 1, eos: 2 };

function readRoles(
  metadata: GgufMetadata,
  vocabulary: Vocabulary,
  defaults: { unknown?: number; bos?: number; eos?: number },
): { roles: Omit<TokenRoles, 'ends'>; ends: (number | undefined)[] } {
  const role = (name: string, usual?: number): number | undefined => {
    const key = `tokenizer.ggml.${name}_token_id`;
    const id = countOf(metadata.get(key), key) ?? usual;
    if (id !== undefined && id >= vocabulary.size) {
      throw new TokenizerError(key, `is ${id}, but there are ${vocabulary.size} tokens`);
    }
    return id;
  };
  const eos = role('eos', defaults.eos);
  const roles = {
    bos: role('bos', defaults.bos),
    eos,
    unknown: role('unknown', defaults.unknown),
    pad: role('padding'),
  };
  const known = Object.entries(roles).filter(([, id]) => id !== undefined);
  return { roles: Object.fromEntries(known), ends: [eos, role('eot'), role('eom')] };
}

function spmCore(metadata: GgufMetadata, vocabulary: Vocabulary, roles: TokenRoles): Core {
  const scores = numbersOf(metadata.get(KEY.scores), KEY.scores);
  if (!scores || scores.length < vocabulary.size) {
    throw new TokenizerError(KEY.scores, `has ${scores?.length ?? 0} entries for ${vocabulary.size} tokens`);
  }
  const addSpace = booleanOf(metadata.get(KEY.addSpace), KEY.addSpace) ?? true;
  return {
    model: new SpmModel(vocabulary, scores, roles.unknown ?? -1),
    prepare: (text) => [(addSpace ? ` ${text}` : text).replaceAll(' ', '▁')],
    decoding: { spelling: 'spaced', stripsFirstSpace: addSpace },
  };
}

function bpeCore(metadata: GgufMetadata, vocabulary: Vocabulary, roles: TokenRoles, pre: NamedPre): Core {
  const normalize = readNormalizer(pre.normalizer);
  const splits = pre.patterns.map((Regex) => ({ type: 'Split', pattern: { Regex }, behavior: 'Isolated' }));
  const { split } = readPreTokenizer({ type: 'Sequence', pretokenizers: splits });
  const merges = stringsOf(metadata.get(KEY.merges), KEY.merges);
  const options = {
    byteLevel: true,
    ignoreMerges: pre.ignoreMerges ?? false,
    unknown: roles.unknown ?? -1,
    field: KEY.merges,
  };
  return {
    model: new BpeModel(vocabulary, merges, options),
    prepare: (text, first) => split(normalize(text), first),
    decoding: { spelling: 'bytes', stripsFirstSpace: false },
  };
}

function readPre(metadata: GgufMetadata): NamedPre {
  const name = stringOf(metadata.get(KEY.pre), KEY.pre);
  if (name === undefined) throw new UnsupportedError(KEY.pre, '(missing)', PRE_NAMES);
  const pre = namedPre(name);
  if (!pre) throw new UnsupportedError(KEY.pre, name, PRE_NAMES);
  return pre;
}

function wholeTokens(metadata: GgufMetadata, vocabulary: Vocabulary): SpecialToken[] {
  const rstrip = strips(metadata);
  const tokens: SpecialToken[] = [];
  for (let id = 0; id < vocabulary.size; id++) {
    const kind = vocabulary.kindOf(id);
    if (kind === Kind.normal || kind === Kind.unused || kind === Kind.byte) continue;
    const text = vocabulary.tokenOf(id);
    tokens.push({ id, text, rstrip: rstrip && !PHI3_PLAIN.has(text) });
  }
  return tokens;
}

/** Phi-3's control tokens take the newline after them along; GGUF has no field for that. */
const PHI3_PLAIN: ReadonlySet<string> = new Set(['<unk>', '<s>', '<|endoftext|>']);

function strips(metadata: GgufMetadata): boolean {
  return metadata.get('general.architecture') === 'phi3' && metadata.get(KEY.model) === 'llama';
}
