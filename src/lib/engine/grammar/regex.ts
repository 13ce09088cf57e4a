/**
 * JavaScript's regular expressions, as far as a grammar can follow them: sets, groups, alternatives, repetitions, and
 * anchors at the ends. What looks around or back is refused.
 */
import { complement, LAST, normalised, type Range } from './ebnf';

export type Regex =
  | { readonly type: 'set'; readonly ranges: readonly Range[] }
  | { readonly type: 'all'; readonly parts: readonly Regex[] }
  | { readonly type: 'one'; readonly parts: readonly Regex[] }
  | { readonly type: 'repeat'; readonly part: Regex; readonly min: number; readonly max: number };

/** An alternative of the whole expression, and whether it has to begin and end where the text does. */
export interface Branch {
  readonly regex: Regex;
  readonly fromStart: boolean;
  readonly toEnd: boolean;
}

/** Why a regular expression cannot be followed. */
export class RegexError extends Error {
  override readonly name = 'RegexError';
}

const range = (from: string, to = from): Range => [from.codePointAt(0)!, to.codePointAt(0)!];
const DIGITS = [range('0', '9')];
const WORD = [range('0', '9'), range('A', 'Z'), range('_'), range('a', 'z')];
const BLANKS: Range[] = [
  [9, 13],
  [32, 32],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];
const LINE_ENDS: Range[] = [
  [10, 10],
  [13, 13],
  [0x2028, 0x2029],
];

const CLASSES: Readonly<Record<string, readonly Range[]>> = {
  d: DIGITS,
  D: complement(DIGITS),
  w: WORD,
  W: complement(WORD),
  s: BLANKS,
  S: complement(BLANKS),
};
const CONTROLS: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, '0': 0 };

/** Groups in one another. */
const DEEPEST = 24;

/** The top level's alternatives. Throws a RegexError. */
export function parseRegex(source: string): Branch[] {
  return new RegexParser(source).branches();
}

/** Fewest and most characters that it stands for. */
export function lengths(regex: Regex): readonly [min: number, max: number] {
  if (regex.type === 'set') return [1, 1];
  if (regex.type === 'repeat') {
    const [min, max] = lengths(regex.part);
    return [min * regex.min, regex.max === 0 || max === 0 ? 0 : max * regex.max];
  }
  const all = regex.parts.map(lengths);
  if (regex.type === 'all') return all.reduce(([a, b], [min, max]) => [a + min, b + max], [0, 0]);
  return [Math.min(...all.map(([min]) => min)), Math.max(...all.map(([, max]) => max))];
}

class RegexParser {
  readonly #chars: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#chars = Array.from(source);
  }

  branches(): Branch[] {
    const branches = [this.#branch()];
    while (this.#take('|')) branches.push(this.#branch());
    if (this.#at < this.#chars.length) throw new RegexError(`«${this.#chars[this.#at]!}» has no beginning`);
    return branches;
  }

  #branch(): Branch {
    const fromStart = this.#take('^');
    const parts = this.#sequence();
    const toEnd = this.#take('$');
    if (toEnd && this.#at < this.#chars.length && this.#peek() !== '|')
      throw new RegexError('«$» stands in the middle');
    return { regex: { type: 'all', parts }, fromStart, toEnd };
  }

  #sequence(): Regex[] {
    const parts: Regex[] = [];
    while (this.#at < this.#chars.length && !'|)$'.includes(this.#peek())) parts.push(this.#repetition());
    return parts;
  }

  #repetition(): Regex {
    const part = this.#atom();
    const bounds = this.#bounds();
    if (!bounds) return part;
    // Lazy or not, the same texts match.
    this.#take('?');
    return { type: 'repeat', part, min: bounds[0], max: bounds[1] };
  }

  #bounds(): readonly [number, number] | undefined {
    if (this.#take('*')) return [0, Infinity];
    if (this.#take('+')) return [1, Infinity];
    if (this.#take('?')) return [0, 1];
    const rest = this.#chars.slice(this.#at, this.#at + 24).join('');
    const [all, min, comma, max] = /^\{(\d+)(,?)(\d*)\}/.exec(rest) ?? [];
    if (all === undefined) return undefined;
    this.#at += all.length;
    return [Number(min), max ? Number(max) : comma ? Infinity : Number(min)];
  }

  #atom(): Regex {
    const char = this.#next();
    if (char === '(') return this.#group();
    if (char === '[') return { type: 'set', ranges: this.#class() };
    if (char === '.') return { type: 'set', ranges: complement(LINE_ENDS) };
    if (char === '\\') return { type: 'set', ranges: this.#escape(false) };
    if ('^*+?'.includes(char)) throw new RegexError(`«${char}» stands where nothing can be meant by it`);
    return { type: 'set', ranges: [range(char)] };
  }

  #group(): Regex {
    if (this.#take('?') && !this.#take(':')) {
      const name = /^<(\w+)>/.exec(this.#chars.slice(this.#at, this.#at + 64).join(''));
      if (!name) throw new RegexError('it looks ahead or behind, or sets flags');
      this.#at += name[0].length;
    }
    this.#depth += 1;
    if (this.#depth > DEEPEST) throw new RegexError(`it has more than ${DEEPEST} groups in one another`);
    const parts: Regex[] = [];
    do parts.push({ type: 'all', parts: this.#sequence() });
    while (this.#take('|'));
    this.#depth -= 1;
    if (!this.#take(')'))
      throw new RegexError(this.#peek() === '$' ? '«$» stands inside a group' : 'a group has no end');
    return { type: 'one', parts };
  }

  #class(): Range[] {
    const negated = this.#take('^');
    const ranges: Range[] = [];
    while (!this.#take(']')) {
      const first = this.#classPart();
      const isRange = this.#peek() === '-' && this.#chars[this.#at + 1] !== ']' && first.length === 1;
      if (!isRange) {
        ranges.push(...first);
        continue;
      }
      this.#at += 1;
      const [[from] = [0], [, to] = [0, 0]] = [first[0], this.#classPart()[0]];
      if (from > to) throw new RegexError('a range of characters runs backwards');
      ranges.push([from, to]);
    }
    return negated ? complement(ranges) : normalised(ranges);
  }

  #classPart(): readonly Range[] {
    const char = this.#next();
    return char === '\\' ? this.#escape(true) : [range(char)];
  }

  #escape(inClass: boolean): readonly Range[] {
    const char = this.#next();
    const known = CLASSES[char];
    if (known) return known;
    const control = CONTROLS[char];
    if (control !== undefined) return [[control, control]];
    if (char === 'b' && inClass) return [[8, 8]];
    if (char === 'x') return [this.#code(/^[0-9a-fA-F]{2}/)];
    if (char === 'u') return [this.#code(/^(?:[0-9a-fA-F]{4}|\{[0-9a-fA-F]{1,6}\})/)];
    if (/[a-zA-Z1-9]/.test(char)) throw new RegexError(`«\\${char}» cannot be followed`);
    return [range(char)];
  }

  #code(pattern: RegExp): Range {
    const [digits] = pattern.exec(this.#chars.slice(this.#at, this.#at + 10).join('')) ?? [];
    const code = digits === undefined ? NaN : parseInt(digits.replace(/[{}]/g, ''), 16);
    if (digits === undefined || !(code <= LAST)) throw new RegexError('an escape is no character');
    this.#at += digits.length;
    return [code, code];
  }

  #peek(): string {
    return this.#chars[this.#at] ?? '';
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false;
    this.#at += 1;
    return true;
  }

  #next(): string {
    const char = this.#chars[this.#at];
    if (char === undefined) throw new RegexError('it ends in the middle');
    this.#at += 1;
    return char;
  }
}
