/** Writing xgrammar's EBNF: literals, classes of characters, repetitions, and the rules of JSON. */

/** From and to, code points, both included. */
export type Range = readonly [from: number, to: number];

export const LAST = 0x10ffff;

/** A text as it is; the empty one too. */
export function literal(text: string): string {
  return `"${spelt(Array.from(text), /[\w {}[\]:,.<>|/;()-]/)}"`;
}

/** An escape takes as many hexadecimal digits as follow: such a character after one is escaped as well. */
function spelt(chars: readonly string[], plain: RegExp): string {
  let afterEscape = false;
  const parts = chars.map((char) => {
    const stays = plain.test(char) && !(afterEscape && /[0-9a-fA-F]/.test(char));
    afterEscape = !stays;
    return stays ? char : escaped(char.codePointAt(0)!);
  });
  return parts.join('');
}

/** But for the first, which xgrammar reads otherwise in a class. */
const ASCII: Range = [1, 0x7f];
const BEYOND = normalised([[0x80, LAST]]);
/** Characters beyond ASCII that are listed one by one. */
const MOST_LISTED = 64;

/** Everything beyond ASCII. */
const ALL_BEYOND = '[^\\x00-\\x7f]';

/**
 * One character of the set. xgrammar 0.1.27 reads a class of one range of ASCII as it is meant, and the negation of all of
 * ASCII; of several escaped ranges, or one beyond ASCII, it makes something else. So each range has a class of its own, and
 * where a set has not all that lies beyond ASCII, what it has there is listed if it is little, and else left out.
 */
export function charClass(ranges: readonly Range[]): string {
  const plain = intersection(ranges, [ASCII]).map(([from, to]) => `[${escaped(from)}-${escaped(to)}]`);
  const beyond = intersection(ranges, BEYOND);
  if (same(beyond, BEYOND)) return either([...plain, ALL_BEYOND]);
  const listed = beyond.flatMap(([from, to]) => codes(from, Math.min(to, from + MOST_LISTED)));
  const few = plain.length > 0 && listed.length > MOST_LISTED ? [] : listed.slice(0, MOST_LISTED);
  return either([...plain, ...few.map((code) => literal(String.fromCodePoint(code)))]);
}

function codes(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, n) => from + n);
}

/** @param max Infinity: without end */
export function repeated(expression: string, min: number, max: number): string {
  if (min === 1 && max === 1) return expression;
  if (max === 0) return '""';
  if (min === 0 && max === 1) return `${expression}?`;
  if (max === Infinity) return min === 0 ? `${expression}*` : min === 1 ? `${expression}+` : `${expression}{${min},}`;
  return `${expression}{${min},${max}}`;
}

export function either(alternatives: readonly string[]): string {
  return alternatives.length === 1 ? alternatives[0]! : `(${alternatives.join(' | ')})`;
}

function escaped(code: number): string {
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`;
}

// ---- sets of characters ----------------------------------------------------------------------------------------

/** In order, without overlaps, and without halves of surrogate pairs, which no text has. */
export function normalised(ranges: readonly Range[]): Range[] {
  const sorted = ranges.toSorted(([a], [b]) => a - b);
  const joined: [number, number][] = [];
  for (const [from, to] of sorted) {
    const last = joined.at(-1);
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined.flatMap((range) => without(range, [0xd800, 0xdfff]));
}

export function complement(ranges: readonly Range[]): Range[] {
  return normalised(
    ranges.reduce<Range[]>((rest, taken) => rest.flatMap((range) => without(range, taken)), [[0, LAST]]),
  );
}

function intersection(a: readonly Range[], b: readonly Range[]): Range[] {
  return complement([...complement(a), ...complement(b)]);
}

function same(a: readonly Range[], b: readonly Range[]): boolean {
  return a.join(';') === b.join(';');
}

function without([from, to]: Range, [first, last]: Range): Range[] {
  const parts: Range[] = [
    [from, Math.min(to, first - 1)],
    [Math.max(from, last + 1), to],
  ];
  if (last < from || first > to) return [[from, to]];
  return parts.filter(([a, b]) => a <= b);
}

/** Characters that stand for themselves in a JSON string. */
const PLAIN = complement([
  [0, 0x1f],
  [0x22, 0x22],
  [0x5c, 0x5c],
]);
/** Those that have a short escape there. */
const ESCAPES: readonly (readonly [code: number, escape: string])[] = [
  [0x22, '\\"'],
  [0x5c, '\\\\'],
  [0x0a, '\\n'],
  [0x0d, '\\r'],
  [0x09, '\\t'],
  [0x08, '\\b'],
  [0x0c, '\\f'],
];

/** A character of the set, as a JSON string spells it; undefined where it has none that can be spelt. */
export function jsonChar(ranges: readonly Range[]): string | undefined {
  const plain = intersection(ranges, PLAIN);
  const escapes = ESCAPES.filter(([code]) => ranges.some(([from, to]) => code >= from && code <= to));
  const parts = [...(plain.length > 0 ? [charClass(plain)] : []), ...escapes.map(([, escape]) => literal(escape))];
  return parts.length > 0 ? either(parts) : undefined;
}

const HEX = '[0-9a-fA-F]';

/**
 * One character of a JSON string, as a choice of sets. Repeated freely it has to stand in the repetition itself (`chars`),
 * without rules or counters of its own: then xgrammar knows beforehand of nearly every token whether it may come, and a
 * mask takes it 0.1 ms with 152,000 tokens; where a rule is repeated, it asks token by token, for 100 ms.
 */
const CHAR = [
  '[^"\\\\\\x00-\\x1f]',
  '"\\\\" ["\\\\/bfnrt]',
  `"\\\\u" [0-9a-cA-CeEfF] ${HEX} ${HEX} ${HEX}`,
  `"\\\\u" [dD] [0-7] ${HEX} ${HEX}`,
].join(' | ');

/** So many characters of a JSON string. @param max Infinity: without end */
export function anyChars(min: number, max: number): string {
  if (max < Infinity) return repeated('char', min, max);
  return min === 0 ? 'chars' : `${repeated('char', min, min)} chars`;
}

/** What every grammar of JSON may use. Blanks are bounded, or a small model may write nothing else. */
export const JSON_RULES: Readonly<Record<string, string>> = {
  ws: '"" | " " | "\\n" [ \\t]{0,20}',
  char: CHAR,
  chars: `(${CHAR})*`,
  plainchar: '[^"\\\\\\x00-\\x1f]',
  string: '"\\"" chars "\\""',
  integer: '"-"? ("0" | [1-9] [0-9]{0,14})',
  number: 'integer ("." [0-9]{1,16})? ([eE] [+-]? [0-9]{1,2})?',
  boolean: '"true" | "false"',
  null: '"null"',
  value: 'object | array | string | number | boolean | null',
  object: '"{" ws ("\\"" plainchar* "\\"" ws ":" ws value (ws "," ws "\\"" plainchar* "\\"" ws ":" ws value)* ws)? "}"',
  array: '"[" ws (value (ws "," ws value)* ws)? "]"',
};
