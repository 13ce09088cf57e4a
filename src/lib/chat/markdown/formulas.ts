/** Formulas in Markdown: `$x$`, `$$x$$`, `\(x\)` and `\[x\]`. They become elements that hold the TeX, for math.ts to draw. */
import type { MarkedExtension, Tokens } from 'marked';
import { escapeHtml } from './escape';

interface Formula extends Tokens.Generic {
  readonly tex: string;
  readonly display: boolean;
}

/** A dollar is money where a space or a digit follows the closing one, as in «$5 and $10». */
const INLINE = [
  { pattern: /^\$\$((?:\\[^]|[^\\$])+?)\$\$/, display: true },
  { pattern: /^\$(?!\s)((?:\\[^\n]|[^\\$\n])+?)(?<!\s)\$(?![\w$])/, display: false },
  { pattern: /^\\\(([^]+?)\\\)/, display: false },
  { pattern: /^\\\[([^]+?)\\\]/, display: true },
] as const;

const BLOCK = [/^\$\$((?:\\[^]|[^\\$])+?)\$\$[ \t]*(?:\n|$)/, /^\\\[([^]+?)\\\][ \t]*(?:\n|$)/] as const;

export const formulas: MarkedExtension = {
  extensions: [
    {
      name: 'formula',
      level: 'inline',
      start: (source) => source.search(/\$|\\[([]/),
      tokenizer(source) {
        for (const { pattern, display } of INLINE) {
          const match = pattern.exec(source);
          if (match) return { type: 'formula', raw: match[0], tex: match[1]!.trim(), display };
        }
        return undefined;
      },
      renderer: (token) => elementFor(token as Formula),
    },
    {
      name: 'formulaBlock',
      level: 'block',
      start: (source) => source.search(/(?:^|\n)(?:\$\$|\\\[)/),
      tokenizer(source) {
        for (const pattern of BLOCK) {
          const match = pattern.exec(source);
          if (match) return { type: 'formulaBlock', raw: match[0], tex: match[1]!.trim(), display: true };
        }
        return undefined;
      },
      renderer: (token) => `<p>${elementFor(token as Formula)}</p>`,
    },
  ],
};

function elementFor({ tex, display }: Formula): string {
  return `<span class="${display ? 'formula display' : 'formula'}">${escapeHtml(tex)}</span>`;
}
