/**
 * Finding whole tokens (control tokens, markup, runs of spaces) in a text before the rest of it is merged, and only
 * where whoever wrote that stretch of text may write them.
 */
import { Kind, type Vocabulary } from './vocabulary';

/**
 * Who wrote a stretch of text.
 *
 * - `template`: the chat template; every token in it counts
 * - `model`: the model, in an earlier turn; its markup (`<think>`, `<tool_call>`) counts, control tokens do not
 * - `text`: a person, a document, a tool; neither counts
 */
export type Origin = 'template' | 'model' | 'text';

export interface Segment {
  readonly text: string;
  readonly origin: Origin;
}

/** A token that is looked for as a whole. */
export interface SpecialToken {
  readonly id: number;
  readonly text: string;
  /** Takes the white space before or after it along. */
  readonly lstrip?: boolean;
  readonly rstrip?: boolean;
  /** Counts only where no letter or digit touches it. */
  readonly singleWord?: boolean;
}

/** Where a token stands in the joined text, white space that it takes along included. */
export interface Found {
  readonly id: number;
  readonly start: number;
  readonly end: number;
}

type Reach = 'template' | 'model' | 'all';

/** Who may write a token of this reach. */
const WRITERS: Readonly<Record<Reach, readonly Origin[]>> = {
  template: ['template'],
  model: ['template', 'model'],
  all: ['template', 'model', 'text'],
};

const NONE: readonly number[] = [];

/** Tokens of the kind `user` that no text needs, whatever the template says: turn marks, fill-in-the-middle, padding. */
const NEVER_TYPED = /^(?:<[|｜].*[|｜]>|<unused\d+>|\[PAD\d+\])$/su;

/** How markup looks; a token such as `\n` is in every template, and is none. */
const MARKUP = /^(?:<\S+>|\[\S+\])$/u;

interface Entry extends SpecialToken {
  readonly reach: Reach;
}

interface Span {
  readonly end: number;
  readonly origin: Origin;
}

export class SpecialTokens {
  readonly #entries = new Map<string, Entry>();
  readonly #texts = new Map<number, string>();
  /** First code unit -> the lengths that occur with it, the longest first. */
  readonly #lengths = new Map<number, number[]>();

  /** @param templates sources of the model's chat templates: what they spell out is markup */
  constructor(tokens: readonly SpecialToken[], vocabulary: Vocabulary, templates: readonly string[]) {
    for (const token of tokens) {
      if (token.text === '') continue;
      this.#entries.set(token.text, { ...token, reach: reachOf(token, vocabulary, templates) });
      this.#texts.set(token.id, token.text);
      const first = token.text.charCodeAt(0);
      const lengths = this.#lengths.get(first) ?? [];
      if (!lengths.includes(token.text.length)) lengths.push(token.text.length);
      this.#lengths.set(first, lengths);
    }
    for (const lengths of this.#lengths.values()) lengths.sort((a, b) => b - a);
  }

  /** Every token that counts, leftmost first and longest first. `text` is the segments' texts, joined. */
  find(text: string, segments: readonly Segment[]): Found[] {
    const spans = spansOf(segments);
    const found: Found[] = [];
    let span = 0;
    let end = 0;
    for (let at = 0; at < text.length;) {
      while ((spans[span] as Span).end <= at) span += 1;
      const entry = this.#at(text, at, spans, span);
      if (!entry) {
        at += 1;
        continue;
      }
      const stop = at + entry.text.length;
      const start = entry.lstrip ? skipSpaceBefore(text, at, end) : at;
      end = entry.rstrip ? skipSpaceAfter(text, stop) : stop;
      found.push({ id: entry.id, start, end });
      at = end;
    }
    return found;
  }

  /**
   * The segments' texts, joined, in which whoever reads every token finds only those that count: an invisible joiner
   * is put into each of the others.
   */
  defuse(segments: readonly Segment[]): string {
    for (let safe = segments; ;) {
      const text = safe.map((segment) => segment.text).join('');
      const counting = new Set(this.find(text, safe).map(({ start, id }) => `${start} ${id}`));
      const others = this.find(text, [{ text, origin: 'template' }]).filter(
        ({ start, id }) => !counting.has(`${start} ${id}`),
      );
      if (others.length === 0) return text;
      // What is left of a broken token may hold another one, so this goes on until none is found.
      safe = breakTokens(
        safe,
        others.map(({ start, id }) => {
          const token = this.#texts.get(id) as string;
          return { at: text.indexOf(token, start), text: token };
        }),
      );
    }
  }

  #at(text: string, at: number, spans: readonly Span[], span: number): Entry | undefined {
    for (const length of this.#lengths.get(text.charCodeAt(at)) ?? NONE) {
      if (at + length > text.length) continue;
      const entry = this.#entries.get(text.slice(at, at + length));
      if (!entry || !isWrittenBy(WRITERS[entry.reach], spans, span, at + length)) continue;
      if (!entry.singleWord || standsAlone(text, at, at + length)) return entry;
    }
    return undefined;
  }
}

/** U+2060: no width, no line break, no meaning. */
const JOINER = '\u2060';
/** Where a token is a single character, there is no inside to put a joiner into. */
const REPLACEMENT = '\uFFFD';

/** Breaks up the tokens that begin at these places of the joined text. */
function breakTokens(segments: readonly Segment[], tokens: readonly { at: number; text: string }[]): Segment[] {
  let start = 0;
  return segments.map((segment) => {
    const end = start + segment.text.length;
    let text = segment.text;
    // From the last to the first, so that places stay what they are.
    for (const token of tokens.toReversed()) {
      if (token.at < start || token.at >= end) continue;
      const [first = ''] = token.text;
      const at = token.at - start;
      const broken = first === token.text ? REPLACEMENT : first + JOINER;
      text = text.slice(0, at) + broken + text.slice(at + first.length);
    }
    start = end;
    return { ...segment, text };
  });
}

function reachOf(token: SpecialToken, vocabulary: Vocabulary, templates: readonly string[]): Reach {
  if (vocabulary.kindOf(token.id) !== Kind.user) return 'template';
  if (NEVER_TYPED.test(token.text)) return 'template';
  const isMarkup = MARKUP.test(token.text) && templates.some((template) => template.includes(token.text));
  return isMarkup ? 'model' : 'all';
}

function spansOf(segments: readonly Segment[]): Span[] {
  let end = 0;
  return segments.map(({ text, origin }) => ({ end: (end += text.length), origin }));
}

/** Whether all text from within spans[span] to `end` is by one of these writers. */
function isWrittenBy(writers: readonly Origin[], spans: readonly Span[], span: number, end: number): boolean {
  for (let i = span; ; i++) {
    const { end: spanEnd, origin } = spans[i] as Span;
    if (!writers.includes(origin)) return false;
    if (spanEnd >= end) return true;
  }
}

function skipSpaceBefore(text: string, at: number, from: number): number {
  while (at > from && /\s/u.test(text[at - 1] as string)) at -= 1;
  return at;
}

function skipSpaceAfter(text: string, at: number): number {
  while (at < text.length && /\s/u.test(text[at] as string)) at += 1;
  return at;
}

function standsAlone(text: string, start: number, end: number): boolean {
  return (
    !/[\p{L}\p{N}_]$/u.test(text.slice(Math.max(0, start - 2), start)) &&
    !/^[\p{L}\p{N}_]/u.test(text.slice(end, end + 2))
  );
}
