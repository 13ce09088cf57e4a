/**
 * Classes of characters, as xgrammar reads what is written here: nothing gets through that is not in them, and all of ASCII
 * that is; beyond it, all or what could be listed.
 */
import { afterAll, expect, test } from 'vitest';
import { charClass, complement, type Range } from '$lib/engine/grammar/ebnf';
import { Grammars } from '$lib/engine/grammar/masks';
import { loadXgrammarInNode } from '$lib/engine/grammar/xgrammar-node';
import { random } from '../../../../support/gpu';
import { spmTokenizer } from '../../../../support/text/tokenizers';

/** Has a token for every byte, from 3 on. */
const tokenizer = spmTokenizer();
const grammars = new Grammars(tokenizer, tokenizer.vocabulary.size, loadXgrammarInNode);
afterAll(() => grammars.close());

/** Whether the grammar takes this character, byte by byte, and nothing after it. */
async function takes(grammar: string, code: number): Promise<boolean> {
  const { mask, close } = await grammars.open(grammar);
  const drawn: number[] = [];
  try {
    for (const byte of new TextEncoder().encode(String.fromCodePoint(code))) {
      const words = (await mask(drawn))!;
      const id = 3 + byte;
      if (((words[id >>> 5]! >>> (id & 31)) & 1) === 0) return false;
      drawn.push(id);
    }
    const words = (await mask(drawn))!;
    const [end = 0] = tokenizer.roles.ends;
    return ((words[end >>> 5]! >>> (end & 31)) & 1) === 1;
  } finally {
    close();
  }
}

const EDGES = [
  0, 0x1f, 0x20, 0x61, 0x7f, 0x80, 0xff, 0x7ff, 0x800, 0x0fff, 0x1000, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x3ffff,
  0x40000, 0xfffff, 0x100000, 0x10ffff,
];

test('ranges of every width, and what is not in them', async () => {
  const next = random(7);
  const any = (): number => EDGES[Math.floor(next() * EDGES.length)]!;
  for (let i = 0; i < 60; i++) {
    const ranges = Array.from({ length: 1 + (i % 3) }, (): Range => {
      const [a, b] = [any(), any()];
      return [Math.min(a, b), Math.max(a, b)];
    });
    const chosen = i % 2 === 0 ? complement(complement(ranges)) : complement(ranges);
    if (chosen.length === 0) continue;
    const all =
      chosen.some(([, to]) => to === 0x10ffff) &&
      !complement(chosen).some(([, to]) => to > 0x7f && (to < 0xd800 || to > 0xdfff));
    const grammar = `root ::= ${charClass(chosen)}`;
    for (const edge of EDGES) {
      for (const code of [edge - 1, edge, edge + 1]) {
        if (code < 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) continue;
        const isIn = chosen.some(([from, to]) => code >= from && code <= to);
        const taken = await takes(grammar, code);
        const isCertain = !isIn || code < 0x80 || all;
        if (isCertain && code > 0) expect(taken, `${code.toString(16)} by ${grammar}`).toBe(isIn);
      }
    }
  }
});
