/** Regular expressions and formats as grammars: of a text as it is, and of a JSON string. */
import { requireBounded } from './bounds';
import { anyChars, charClass, either, jsonChar, literal, repeated, type Range } from './ebnf';
import { SchemaError } from './errors';
import { lengths, parseRegex, RegexError, type Branch, type Regex } from './regex';

type Spell = (ranges: readonly Range[]) => string;

/** A grammar of all texts that match as a whole. */
export function ebnfOfRegex(source: string, path: string): string {
  const plainly: Spell = (ranges) => {
    if (ranges.some(([, to]) => to > 0)) return charClass(ranges);
    throw new SchemaError(path, 'has a set without characters');
  };
  const branches = following(path, () => parseRegex(source));
  const ebnf = `root ::= ${either(branches.map(({ regex }) => expression(regex, plainly)))}\n`;
  requireBounded(ebnf, path);
  return ebnf;
}

/** Bounds of a string's length, in characters. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
}

/**
 * A JSON string that matches. A pattern without `^` or `$` may stand anywhere in it, as far as the bounds allow;
 * where they allow less than the pattern itself may take, it is refused.
 */
export function patternString(source: string, path: string, { min, max }: Bounds): string {
  const spell: Spell = (ranges) => {
    const char = jsonChar(ranges);
    if (char === undefined) throw new SchemaError(path, 'wants characters that a JSON string cannot spell');
    return char;
  };
  const branches = following(path, () => parseRegex(source)).map((branch) => {
    const [least, most] = lengths(branch.regex);
    const free = !(branch.fromStart && branch.toEnd);
    if (most > max || (least < min && !free)) {
      throw new SchemaError(
        path,
        `takes from ${least} to ${most} characters, which the bounds of the length do not hold`,
      );
    }
    return framed(branch, expression(branch.regex, spell), {
      min: Math.max(0, min - least),
      max: max === Infinity ? Infinity : max - most,
    });
  });
  const string = `"\\"" ${either(branches)} "\\""`;
  requireBounded(string, path);
  return string;
}

/** @param room characters that may, or have to, stand around it */
function framed({ fromStart, toEnd }: Branch, inner: string, room: Bounds): string {
  if (fromStart && toEnd) return `(${inner})`;
  if (fromStart) return `(${inner} ${anyChars(room.min, room.max)})`;
  const before = anyChars(
    room.min,
    toEnd || room.max === Infinity ? room.max : Math.max(room.min, Math.floor(room.max / 2)),
  );
  if (toEnd) return `(${before} ${inner})`;
  const after = anyChars(0, room.max - Math.max(room.min, Math.floor(room.max / 2)));
  return `(${before} ${inner} ${after})`;
}

function expression(regex: Regex, spell: Spell): string {
  if (regex.type === 'set') return spell(regex.ranges);
  if (regex.type === 'repeat') return repeated(`(${expression(regex.part, spell)})`, regex.min, regex.max);
  if (regex.type === 'one') return `(${regex.parts.map((part) => expression(part, spell)).join(' | ')})`;
  return regex.parts.length === 0 ? literal('') : regex.parts.map((part) => expression(part, spell)).join(' ');
}

function following<T>(path: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof RegexError)
      throw new SchemaError(path, `this regular expression cannot be held: ${error.message}`);
    throw error;
  }
}

const DAY = '(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)';
const DATE = `(?:19|20)\\d\\d-${DAY}`;
const TIME = '(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,6})?(?:Z|[+-](?:0\\d|1[0-3]):[0-5]\\d)';
const BYTE = '(?:\\d|[1-9]\\d|1\\d\\d|2[0-4]\\d|25[0-5])';
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?';
const HOST = `${LABEL}(?:\\.${LABEL}){0,4}`;
// Without apostrophes, which templates of addresses (RFC 6570) may not have.
const PATH = '(?:/[A-Za-z0-9._~!$&()*+,;=:@-]*)*';
const QUERY = '(?:\\?[A-Za-z0-9._~/?=&+-]*)?(?:#[A-Za-z0-9._~/?=&-]*)?';

const URI = `^https?://${HOST}(?::[1-9]\\d{0,3})?${PATH}${QUERY}$`;
const REFERENCE = `^(?:https?://${HOST})?${PATH}${QUERY}$`;
const EMAIL = `^[a-z0-9](?:[a-z0-9_+-]{0,30})(?:\\.[a-z0-9_+-]{1,30}){0,3}@${LABEL}(?:\\.${LABEL}){1,3}$`;

/** Subsets of what the formats allow: dates that exist, hosts without bells. Others, as the standard says, are notes. */
export const FORMATS: Readonly<Record<string, string>> = {
  date: `^${DATE}$`,
  time: `^${TIME}$`,
  'date-time': `^${DATE}T${TIME}$`,
  duration:
    '^P(?:\\d{1,4}W|(?:\\d{1,4}D|\\d{1,4}M(?:\\d{1,4}D)?|\\d{1,4}Y(?:\\d{1,4}M(?:\\d{1,4}D)?)?)|T(?:\\d{1,4}S|\\d{1,4}M(?:\\d{1,4}S)?|\\d{1,4}H(?:\\d{1,4}M(?:\\d{1,4}S)?)?))$',
  email: EMAIL,
  'idn-email': EMAIL,
  hostname: `^${HOST}$`,
  'idn-hostname': `^${HOST}$`,
  ipv4: `^${BYTE}(?:\\.${BYTE}){3}$`,
  ipv6: '^(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}$',
  uri: URI,
  iri: URI,
  'uri-template': URI,
  url: `^https?://${HOST}(?:\\.[a-z]{2,8})(?::[1-9]\\d{1,3})?${PATH}$`,
  'uri-reference': REFERENCE,
  'iri-reference': REFERENCE,
  'json-pointer': '^(?:/[A-Za-z0-9_-]*)*$',
  'relative-json-pointer': '^(?:0|[1-9]\\d{0,5})(?:/[A-Za-z0-9_-]*)*$',
  regex: '^[A-Za-z0-9_ ]*$',
  uuid: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
};
