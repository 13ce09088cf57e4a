/**
 * The part of a tokenizer.json that cuts text into words before anything is merged.
 *
 * Patterns are written for Oniguruma; `@huggingface/tokenizers` translates them into JavaScript's. What is done with
 * a match is ours (split.ts): the library knows two of the five behaviours, and takes only ASCII digits for digits.
 * Bytes are not spelt out here: a byte-level model reads the words as they are.
 */
import { SplitPreTokenizer } from '@huggingface/tokenizers';
import { TokenizerError, UnsupportedError } from './errors';
import { booleanOf, fieldsOf, listOf, stringOf, type Fields } from './fields';
import { BEHAVIORS, splitText, type Behavior } from './split';

/** Cuts a stretch of text into words. `first`: it begins the whole input. */
export type Step = (words: readonly string[], first: boolean) => readonly string[];

export interface PreTokenizer {
  readonly byteLevel: boolean;
  readonly split: (text: string, first: boolean) => readonly string[];
}

const GPT2 = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;
const PUNCTUATION = String.raw`[\p{P}!-/:-@\[-\x60{-~]`;
const KNOWN = ['Sequence', 'Split', 'ByteLevel', 'Digits', 'Punctuation', 'Metaspace', 'Whitespace', 'WhitespaceSplit'];

/** @param config `pre_tokenizer` of a tokenizer.json */
export function readPreTokenizer(config: unknown, field = 'pre_tokenizer'): PreTokenizer {
  const configs = flatten(config, field);
  const at = configs.findIndex(({ type }) => type === 'ByteLevel');
  if (at >= 0 && at !== configs.length - 1) {
    throw new UnsupportedError(field, 'ByteLevel before other steps', ['ByteLevel as the last step']);
  }
  const steps = configs.map((fields) => readStep(fields, field));
  return {
    byteLevel: at >= 0,
    split: (text, first) => steps.reduce<readonly string[]>((words, step) => step(words, first), [text]),
  };
}

function flatten(config: unknown, field: string): Fields[] {
  if (config === undefined || config === null) return [];
  const fields = fieldsOf(config, field);
  if (fields.type !== 'Sequence') return [fields];
  return listOf(fields.pretokenizers, `${field}.pretokenizers`).flatMap((part, i) =>
    flatten(part, `${field}.pretokenizers[${i}]`),
  );
}

function readStep(fields: Fields, field: string): Step {
  switch (fields.type) {
    case 'Split':
      return splitStep(
        compilePattern(fields.pattern, `${field}.pattern`),
        behaviorOf(fields.behavior, `${field}.behavior`),
        booleanOf(fields.invert, `${field}.invert`) ?? false,
      );
    case 'ByteLevel':
      return byteLevelStep(fields, field);
    case 'Digits':
      return splitStep(
        /\p{N}/gu,
        booleanOf(fields.individual_digits, `${field}.individual_digits`) ? 'Isolated' : 'Contiguous',
      );
    case 'Punctuation':
      return splitStep(new RegExp(PUNCTUATION, 'gu'), behaviorOf(fields.behavior ?? 'Isolated', `${field}.behavior`));
    case 'Metaspace':
      return metaspaceStep(fields, field);
    case 'Whitespace':
      return splitStep(compilePattern({ Regex: String.raw`\w+|[^\w\s]+` }, field), 'Removed', true);
    case 'WhitespaceSplit':
      return splitStep(compilePattern({ Regex: String.raw`\s` }, field), 'Removed');
    default:
      throw new UnsupportedError(`${field}.type`, String(fields.type), KNOWN);
  }
}

function splitStep(pattern: RegExp, behavior: Behavior, invert = false): Step {
  return (words) => words.flatMap((word) => splitText(word, pattern, behavior, invert));
}

function byteLevelStep(fields: Fields, field: string): Step {
  const pattern = compilePattern({ Regex: GPT2 }, field);
  const useRegex = booleanOf(fields.use_regex, `${field}.use_regex`) ?? true;
  const prefix = booleanOf(fields.add_prefix_space, `${field}.add_prefix_space`) ?? false;
  return (words) => {
    const spaced = prefix ? words.map((word) => (word.startsWith(' ') ? word : ` ${word}`)) : words;
    return useRegex ? spaced.flatMap((word) => splitText(word, pattern, 'Isolated')) : spaced;
  };
}

function metaspaceStep(fields: Fields, field: string): Step {
  const space = stringOf(fields.replacement, `${field}.replacement`) ?? '▁';
  const scheme = prependScheme(fields, field);
  const pattern = compilePattern({ String: space }, field);
  const split = booleanOf(fields.split, `${field}.split`) ?? true;
  return (words, first) =>
    words.flatMap((word) => {
      const replaced = word.replaceAll(' ', space);
      const prefixed = scheme === 'always' || (scheme === 'first' && first);
      const whole = prefixed && !replaced.startsWith(space) ? space + replaced : replaced;
      return split ? splitText(whole, pattern, 'MergedWithNext') : [whole];
    });
}

/** Whether a `Metaspace` puts a space before the text; older files say `add_prefix_space`. */
export function prependScheme(fields: Fields, field: string): 'always' | 'first' | 'never' {
  const scheme = stringOf(fields.prepend_scheme, `${field}.prepend_scheme`);
  if (scheme === 'always' || scheme === 'first' || scheme === 'never') return scheme;
  if (scheme !== undefined) {
    throw new UnsupportedError(`${field}.prepend_scheme`, scheme, ['always', 'first', 'never']);
  }
  return booleanOf(fields.add_prefix_space, `${field}.add_prefix_space`) === false ? 'never' : 'always';
}

function behaviorOf(value: unknown, field: string): Behavior {
  const found = BEHAVIORS.find((behavior) => behavior === value);
  if (found) return found;
  throw new UnsupportedError(field, String(value), BEHAVIORS);
}

/** `{ Regex }` in Oniguruma's spelling or `{ String }`, as a global JavaScript pattern. */
function compilePattern(value: unknown, field: string): RegExp {
  const fields = fieldsOf(value, field);
  const regex = stringOf(fields.Regex, `${field}.Regex`);
  const literal = stringOf(fields.String, `${field}.String`);
  try {
    if (regex !== undefined) return compiled({ Regex: regex });
    if (literal !== undefined) return compiled({ String: literal });
  } catch (error) {
    throw new TokenizerError(field, `no pattern that JavaScript can run: ${String(error)}`, { cause: error });
  }
  throw new TokenizerError(field, 'must hold a Regex or a String');
}

function compiled(pattern: { Regex: string } | { String: string }): RegExp {
  const { pattern: result } = new SplitPreTokenizer({ type: 'Split', pattern, behavior: 'Isolated', invert: true });
  if (!result) throw new SyntaxError('the pattern is empty');
  return result;
}
