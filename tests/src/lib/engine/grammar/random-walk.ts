/**
 * A model that knows nothing but what it may write: draws tokens at random from a grammar's masks until the answer ends.
 * What such a model writes is what any model might.
 */
import { Grammars } from '$lib/engine/grammar/masks';
import { loadXgrammarInNode } from '$lib/engine/grammar/xgrammar-node';
import type { GrammarSpec } from '$lib/engine/protocol';
import type { Tokenizer } from '$lib/text';
import { random } from '../../../../support/gpu';

export interface Walk {
  readonly text: string;
  /** Whether it came to its end, or was cut off. */
  readonly ended: boolean;
  readonly tokens: number;
}

/** Tokens after which it prefers whatever brings the end nearer: quotes, brackets, ends. */
const PATIENCE = 60;
const MOST = 1500;

export class RandomWalker {
  readonly #grammars: Grammars;
  readonly #closing: readonly number[];

  constructor(
    readonly tokenizer: Tokenizer,
    readonly vocab = tokenizer.vocabulary.size,
  ) {
    this.#grammars = new Grammars(tokenizer, vocab, loadXgrammarInNode);
    const closing = ['"', '}', ']', '"}', '"]', '}}', '\\n'].map((text) => tokenizer.encode(text));
    this.#closing = closing.filter((ids) => ids.length === 1).map(([id]) => id!);
  }

  /** @param begin what is written already */
  async walk(grammar: GrammarSpec, seed: number, most = MOST, begin = ''): Promise<Walk> {
    const { tokenizer } = this;
    const next = random(seed);
    const { mask, close } = await this.#grammars.open(grammar);
    const drawn: number[] = [...tokenizer.encode(begin)];
    try {
      while (drawn.length < most) {
        const words = await mask(drawn);
        const id = words && this.#choose(words, drawn.length, next);
        if (id === undefined) throw new Error(`nothing is allowed after «${tokenizer.decode(drawn)}»`);
        if (tokenizer.roles.ends.has(id))
          return {
            text: tokenizer.decode(drawn, { continues: true, special: 'show' }),
            ended: true,
            tokens: drawn.length,
          };
        drawn.push(id);
      }
      return { text: tokenizer.decode(drawn, { continues: true }), ended: false, tokens: drawn.length };
    } finally {
      close();
    }
  }

  close(): void {
    this.#grammars.close();
  }

  #choose(words: Uint32Array, drawn: number, next: () => number): number | undefined {
    const tired = drawn > PATIENCE || next() < 0.2;
    const end = [...this.tokenizer.roles.ends].find((id) => isSet(words, id));
    if (end !== undefined && (tired || next() < 0.3)) return end;
    const closing = tired ? this.#closing.filter((id) => isSet(words, id)) : [];
    if (closing.length > 0) return closing[Math.floor(next() * closing.length)];
    // Where much is allowed, one that is comes up soon; a list of all would take longer than the mask.
    for (let tries = 0; tries < 64; tries++) {
      const id = Math.floor(next() * this.vocab);
      if (isSet(words, id)) return id;
    }
    const allowed = idsIn(words);
    return allowed[Math.floor(next() * allowed.length)];
  }
}

function isSet(words: Uint32Array, id: number): boolean {
  return ((words[id >>> 5]! >>> (id & 31)) & 1) === 1;
}

function idsIn(words: Uint32Array): number[] {
  const ids: number[] = [];
  for (const [i, word] of words.entries()) {
    for (let bit = 0; word >>> bit > 0 && bit < 32; bit++) if ((word >>> bit) & 1) ids.push(32 * i + bit);
  }
  return ids;
}
