/** A text that grows becomes blocks, of which only the last ones change. */
import { Marked, type Token } from 'marked';
import { expect, test } from 'vitest';
import { Blocks, type Block } from '$lib/chat/markdown/blocks';
import { formulas } from '$lib/chat/markdown/formulas';
import { lex } from '$lib/chat/markdown/render';

const TEXT = `# Title

A paragraph with **bold**
on two lines.

- one
- two

  still two

1. three

| a | b |
| - | - |
| c | d |

\`\`\`js title
const x = 1;

const y = 2;
\`\`\`

> quoted

$$
x^2
$$

The end.
`;

const marked = new Marked(formulas);

/** Without a page there is nothing to purify for. */
function blocks(): Blocks {
  return new Blocks((token: Token) => marked.parser([token]));
}

function shapes(list: readonly Block[]): string[] {
  return list.map(({ kind, raw }) => `${kind} ${raw.trim().slice(0, 9)}`);
}

test('letter by letter it comes to the same blocks as at once', () => {
  const growing = blocks();
  let last: readonly Block[] = [];
  for (let end = 1; end <= TEXT.length; end++) last = growing.update(TEXT.slice(0, end), true);
  expect(shapes(last)).toEqual(shapes(blocks().update(TEXT, false)));
  expect(shapes(growing.update(TEXT, false))).toEqual(shapes(last));
});

test('what is final stays the very same block, so that nothing is painted anew', () => {
  const growing = blocks();
  const half = growing.update(TEXT.slice(0, TEXT.indexOf('> quoted')), true);
  const whole = growing.update(TEXT, true);
  expect(half.length).toBeGreaterThan(4);
  half.slice(0, -1).forEach((block, i) => expect(whole[i]).toBe(block));
  const end = growing.update(TEXT, false);
  whole.slice(0, -1).forEach((block, i) => expect(end[i]).toBe(block));
});

test('code is text with a language, also while its fence is open', () => {
  const [code] = blocks().update('```py extra\nx = "<b>"', true);
  expect(code).toMatchObject({ kind: 'code', language: 'py', text: 'x = "<b>"', settled: false });
});

test('marks that are still open are closed for now', () => {
  const [open] = blocks().update('Some **bold', true);
  expect(open).toMatchObject({ html: '<p>Some <strong>bold</strong></p>\n', settled: false });
});

test('a text that is replaced begins anew', () => {
  const changing = blocks();
  changing.update('one\n\ntwo\n\nthree', true);
  expect(shapes(changing.update('other', true))).toEqual(['html other']);
});

test.each([TEXT, 'a\r\nb\r\n\r\nc', '\n\n  x', '\tcode\n\nx', '- a\n\n\n- b', '[a]: http://b\n\n[a]'])(
  'the letters of all blocks are the text again: %j',
  (text) => {
    const plain = text.replace(/\r\n/g, '\n');
    expect(
      lex(plain)
        .map(({ raw }) => raw)
        .join(''),
    ).toBe(plain);
  },
);
