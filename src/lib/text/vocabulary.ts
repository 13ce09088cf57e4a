/** The tokens of a model: their texts as the file spells them, and what kind each is. */
import { ArgumentError } from './errors';
import { StringIndex } from './string-index';

/**
 * Kinds of token, numbered as GGUF's `tokenizer.ggml.token_type` does.
 *
 * - `normal`: made by the model's merges out of ordinary text
 * - `unknown`: stands for text that cannot be spelt
 * - `control`: steers the model (end of turn, start of a role); never made out of text that a person wrote
 * - `user`: added by the model's makers, found as a whole before anything is merged (`<think>`, runs of spaces)
 * - `unused`: a row without a meaning
 * - `byte`: `<0x0A>`, one byte of a character that has no token of its own
 */
export const Kind = { normal: 1, unknown: 2, control: 3, user: 4, unused: 5, byte: 6 } as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

export class Vocabulary {
  readonly #index: StringIndex;

  constructor(
    readonly tokens: readonly string[],
    /** One `Kind` a token. */
    readonly kinds: Uint8Array,
  ) {
    this.#index = new StringIndex(tokens);
  }

  get size(): number {
    return this.tokens.length;
  }

  /** The token spelt exactly so, or -1. */
  idOf(token: string): number {
    return this.#index.find(token);
  }

  /** The token spelt as this stretch of a text, or -1. */
  idAt(text: string, start: number, end: number): number {
    return this.#index.find(text, start, end);
  }

  /** As the file spells it: `Ġthe`, `▁the`, `<0x0A>`. See pieces.ts for what it reads as. */
  tokenOf(id: number): string {
    return this.tokens[this.check(id)] as string;
  }

  kindOf(id: number): Kind {
    return this.kinds[this.check(id)] as Kind;
  }

  /** Neither read nor shown as text: control tokens and the one for the unknown. */
  isSpecial(id: number): boolean {
    const kind = this.kindOf(id);
    return kind === Kind.control || kind === Kind.unknown;
  }

  check(id: number): number {
    if (Number.isInteger(id) && id >= 0 && id < this.size) return id;
    throw new ArgumentError('id', `${id} is no token; this vocabulary has ids 0 to ${this.size - 1}`);
  }
}
