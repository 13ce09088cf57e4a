/**
 * A text that grows, as blocks of which only the last ones change: paragraphs, lists, tables, code. What stands before the
 * last block is final, so each step reads the end of the text alone, and the page repaints nothing but what is new.
 */
import remend from 'remend';
import type { Token, Tokens } from 'marked';
import { lex, renderToken } from './render';

export type Block =
  | {
      readonly kind: 'html';
      readonly raw: string;
      readonly html: string;
      /** Nothing will be added to it. */
      readonly settled: boolean;
    }
  | {
      readonly kind: 'code';
      readonly raw: string;
      readonly language: string;
      readonly text: string;
      readonly settled: boolean;
    };

export class Blocks {
  #text = '';
  /** Final, with the letters they were made of. */
  #final: Block[] = [];
  #finalLength = 0;
  /** What came out last. */
  #shown: readonly Block[] = [];
  readonly #render: (token: Token) => string;

  /** @param render to HTML that may be put into the page */
  constructor(render = renderToken) {
    this.#render = render;
  }

  /** @param live the text may grow */
  update(source: string, live: boolean): readonly Block[] {
    // As marked does, whose blocks are counted in letters below.
    const text = source.replace(/\r\n?/g, '\n');
    if (!live) return (this.#shown = this.#whole(text));
    if (!text.startsWith(this.#text)) this.#restart();
    this.#text = text;
    const tokens = lex(text.slice(this.#finalLength));
    const last = tokens.findLastIndex(({ type }) => type !== 'space');
    tokens.slice(0, Math.max(0, last)).forEach((token) => {
      this.#finalLength += token.raw.length;
      if (token.type !== 'space') this.#final.push(this.#blockFor(token, this.#final.length, true));
    });
    const growing = tokens[last];
    const end = growing ? [this.#blockFor(growing, this.#final.length, false)] : [];
    return (this.#shown = [...this.#final, ...end]);
  }

  /** All at once: what refers to something further down is known now. */
  #whole(text: string): Block[] {
    this.#restart();
    return lex(text)
      .filter(({ type }) => type !== 'space')
      .map((token, i) => this.#blockFor(token, i, true));
  }

  #restart(): void {
    this.#text = '';
    this.#final = [];
    this.#finalLength = 0;
  }

  /** The block that is there already, where it was made of the same. */
  #blockFor(token: Token, i: number, settled: boolean): Block {
    const { raw } = token;
    const before = this.#shown[i];
    if (before?.raw === raw && before.settled === settled) return before;
    if (isCode(token)) {
      return { kind: 'code', raw, language: (token.lang ?? '').split(/\s/)[0]!, text: token.text, settled };
    }
    // Marks that are still open are closed for now.
    const html = settled
      ? this.#render(token)
      : lex(remend(raw, { linkMode: 'text-only' }))
          .map(this.#render)
          .join('');
    return { kind: 'html', raw, html, settled };
  }
}

function isCode(token: Token): token is Tokens.Code {
  return token.type === 'code';
}
