/**
 * Markdown to HTML that may be put into the page, though a model wrote it: what is HTML in it is shown as text, images
 * become links (nothing is fetched), and DOMPurify lets through a short list of elements and nothing that runs.
 */
import DOMPurify from 'dompurify';
import { Marked, type Token, type Tokens } from 'marked';
import { escapeHtml } from './escape';
import { formulas } from './formulas';

/** Elements without attributes, which models use for what Markdown has no marks for. */
const HARMLESS = /^<\/?(?:br|sub|sup|kbd|mark|u|s|b|i|em|strong|small)\s*\/?>$/i;

const TAGS = [
  ...['p', 'br', 'hr', 'h3', 'h4', 'h5', 'h6', 'blockquote', 'ul', 'ol', 'li', 'pre', 'code', 'div', 'span', 'a'],
  ...['strong', 'em', 'del', 'sub', 'sup', 'kbd', 'mark', 'u', 's', 'b', 'i', 'small'],
  ...['table', 'thead', 'tbody', 'tr', 'th', 'td'],
];
const ATTRIBUTES = ['href', 'title', 'class', 'start', 'align', 'tabindex', 'target', 'rel'];
const ADDRESS = /^(?:https?:\/\/|mailto:)/i;
const CLASS = /^(?:language-[\w+#.-]{1,40}|formula(?: display)?|table|box)$/;

const marked = new Marked(formulas, {
  gfm: true,
  breaks: true,
  renderer: {
    html: ({ text }) => (HARMLESS.test(text.trim()) ? text : escapeHtml(text)),
    // The page's own headings are above these.
    heading({ tokens, depth }) {
      const level = Math.min(6, depth + 2);
      return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>\n`;
    },
    link({ href, tokens }) {
      const words = this.parser.parseInline(tokens);
      return ADDRESS.test(href)
        ? `<a href="${escapeHtml(href)}" target="_blank" rel="noopener noreferrer nofollow">${words}</a>`
        : words;
    },
    image({ href, text }) {
      const words = escapeHtml(text || href);
      return ADDRESS.test(href)
        ? `<a href="${escapeHtml(href)}" target="_blank" rel="noopener noreferrer nofollow">${words}</a>`
        : words;
    },
    checkbox: ({ checked }) => `<span class="box">${checked ? '☑' : '☐'}</span> `,
    table({ header, rows }) {
      const row = (cells: Tokens.TableCell[]): string =>
        this.tablerow({ text: cells.map((cell) => this.tablecell(cell)).join('') });
      // Wide tables are scrolled, by keyboard too.
      const body = rows.length > 0 ? `<tbody>${rows.map(row).join('')}</tbody>` : '';
      return `<div class="table" tabindex="0"><table><thead>${row(header)}</thead>${body}</table></div>\n`;
    },
  },
});

/** The blocks of a text, each with what it was made of in `raw`; together these are the text again. */
export function lex(text: string): Token[] {
  return marked.lexer(text);
}

export function renderToken(token: Token): string {
  return purify(marked.parser([token]));
}

/** A whole text at once. */
export function renderMarkdown(text: string): string {
  return purify(marked.parse(text, { async: false }));
}

let guarded = false;

function purify(html: string): string {
  if (!guarded) {
    guarded = true;
    DOMPurify.addHook('uponSanitizeAttribute', (_, data) => {
      if (data.attrName === 'class' && !CLASS.test(data.attrValue)) data.keepAttr = false;
    });
  }
  return DOMPurify.sanitize(html, {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ATTRIBUTES,
    ALLOWED_URI_REGEXP: ADDRESS,
    // Of these the value is no address.
    ADD_URI_SAFE_ATTR: ['align', 'start', 'tabindex', 'target', 'rel'],
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    SANITIZE_NAMED_PROPS: true,
  });
}
