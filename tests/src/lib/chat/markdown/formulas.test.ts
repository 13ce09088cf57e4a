/** What is a formula, and what is money. */
import { Marked } from 'marked';
import { expect, test } from 'vitest';
import { formulas } from '$lib/chat/markdown/formulas';

const marked = new Marked(formulas);

function html(text: string): string {
  return marked.parse(text, { async: false }).trim();
}

test.each([
  ['$x^2$', '<p><span class="formula">x^2</span></p>'],
  ['\\(a < b\\)', '<p><span class="formula">a &lt; b</span></p>'],
  ['so \\[x\\]', '<p>so <span class="formula display">x</span></p>'],
  ['$$\n\\frac12\n$$', '<p><span class="formula display">\\frac12</span></p>'],
  ['\\[\na\n\\]', '<p><span class="formula display">a</span></p>'],
  ['a $\\text{50\\$}$ b', '<p>a <span class="formula">\\text{50\\$}</span> b</p>'],
])('%j is a formula', (text, expected) => {
  expect(html(text)).toBe(expected);
});

test.each(['It costs $5 and $10.', 'US$ and A$', '$ x $', '$5', '$$', '`$x$`'])('%j has none', (text) => {
  expect(html(text)).not.toContain('formula');
});
