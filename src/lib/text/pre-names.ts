/**
 * How text is cut into words, by the name that GGUF gives it (`tokenizer.ggml.pre`). The file holds the name alone;
 * the patterns are those of the models' own tokenizer.json. Another name joins as one entry, or as one more name.
 */

export interface NamedPre {
  readonly names: readonly string[];
  /** Patterns applied one after the other; what matches stands alone. In Oniguruma's spelling. */
  readonly patterns: readonly string[];
  /** `normalizer` of the model's tokenizer.json, which GGUF leaves out. */
  readonly normalizer?: { readonly type: string };
  /** A word that is a token as a whole is not merged together. */
  readonly ignoreMerges?: boolean;
  /** A text begins with BOS, unless the file says otherwise. */
  readonly addBos?: boolean;
}

const raw = String.raw;
const DIGIT = raw`\p{N}`;
const GPT2 = raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;
/** cl100k and its children differ in how many digits a word holds. */
const CL100K_START = raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+`;
const CL100K_END = raw` ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const THREE_DIGITS = raw`${CL100K_START}|\p{N}{1,3}|${CL100K_END}`;
const ONE_DIGIT = raw`${CL100K_START}|\p{N}|${CL100K_END}`;
/** o200k and its children cut camelCase between the words. */
const UPPER = raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`;
const LOWER = raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`;
const CASED = (suffix: string): string =>
  raw`[^\r\n\p{L}\p{N}]?${UPPER}*${LOWER}+${suffix}|[^\r\n\p{L}\p{N}]?${UPPER}+${LOWER}*${suffix}`;
const O200K_END = raw` ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`;

const NAMED: readonly NamedPre[] = [
  { names: ['gpt-2', 'phi-2', 'mpt', 'olmo', 'jais'], patterns: [GPT2] },
  {
    names: ['llama-bpe', 'llama3', 'llama-v3', 'falcon3', 'pixtral', 'lfm2'],
    patterns: [THREE_DIGITS],
    ignoreMerges: true,
    addBos: true,
  },
  { names: ['dbrx', 'smaug-bpe'], patterns: [THREE_DIGITS] },
  { names: ['qwen2', 'deepseek-r1-qwen', 'megrez'], patterns: [ONE_DIGIT], normalizer: { type: 'NFC' } },
  { names: ['stablelm2'], patterns: [ONE_DIGIT] },
  { names: ['smollm', 'starcoder', 'refact', 'command-r', 'codeshell', 'exaone'], patterns: [DIGIT, GPT2] },
  { names: ['tekken'], patterns: [raw`${CASED('')}|\p{N}|${O200K_END}`], ignoreMerges: true, addBos: true },
  {
    names: ['gpt-4o', 'llama4'],
    patterns: [raw`${CASED(raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)?`)}|\p{N}{1,3}|${O200K_END}`],
  },
  {
    names: ['deepseek-v3'],
    patterns: [
      raw`\p{N}{1,3}`,
      '[一-龥぀-ゟ゠-ヿ]+',
      raw`[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_\x60{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
    ],
  },
];

const BY_NAME = new Map(NAMED.flatMap((entry) => entry.names.map((name) => [name, entry] as const)));

/** Every name that is understood. */
export const PRE_NAMES: readonly string[] = [...BY_NAME.keys()];

export function namedPre(name: string): NamedPre | undefined {
  return BY_NAME.get(name);
}
