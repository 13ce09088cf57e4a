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

  async walk(grammar: GrammarSpec, seed: number, most = MOST): Promise<Walk> {
    const { tokenizer } = this;
    const next = random(seed);
    const { mask, close } = await this.#grammars.open(grammar);
    const drawn: number[] = [];
    try {
      while (drawn.length < most) {
        const words = await mask(drawn);
        const allowed = words ? this.#allowed(words) : [];
        if (allowed.length === 0) throw new Error(`nothing is allowed after «${tokenizer.decode(drawn)}»`);
        const id = this.#choose(allowed, drawn.length, next);
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

  #allowed(words: Uint32Array): number[] {
    const ids: number[] = [];
    for (let id = 0; id < this.vocab; id++) if ((words[id >>> 5]! >>> (id & 31)) & 1) ids.push(id);
    return ids;
  }

  #choose(allowed: readonly number[], drawn: number, next: () => number): number {
    const ends = allowed.filter((id) => this.tokenizer.roles.ends.has(id));
    const closing = this.#closing.filter((id) => allowed.includes(id));
    const tired = drawn > PATIENCE || next() < 0.2;
    if (ends.length > 0 && (tired || next() < 0.3)) return ends[0]!;
    const from = tired && closing.length > 0 ? closing : allowed;
    return from[Math.floor(next() * from.length)]!;
  }
}
