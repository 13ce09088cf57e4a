/**
 * Ids in, text out, a token at a time. Bytes that begin a character wait for the rest of it; bytes that turn out to be
 * no character become U+FFFD. Joined together, the portions are what decoding all ids at once gives.
 */
import { pieceOf, type Spelling } from './pieces';
import { StopMatcher } from './stop';
import type { Vocabulary } from './vocabulary';

export interface DetokenizerOptions {
  /** Whether control tokens and the one for the unknown are left out, which is usual, or shown as they are spelt. */
  readonly special?: 'skip' | 'show';
  /** Text at which the answer ends; it is not part of it. */
  readonly stop?: readonly string[];
  /**
   * These ids go on with a text, they do not begin one. SentencePiece models write a space before the first word of a
   * text, which is not part of it; in the middle of a text it is.
   */
  readonly continues?: boolean;
}

export interface Decoding {
  readonly spelling: Spelling;
  /** The space that begins a decoded text stands for nothing. */
  readonly stripsFirstSpace: boolean;
}

export class Detokenizer {
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  readonly #stops: StopMatcher;
  /** Bytes were given to the decoder that it may not have written yet. */
  #pending = false;
  #stripSpace: boolean;

  constructor(
    readonly vocabulary: Vocabulary,
    readonly decoding: Decoding,
    readonly options: DetokenizerOptions = {},
  ) {
    this.#stops = new StopMatcher(options.stop ?? []);
    this.#stripSpace = decoding.stripsFirstSpace && !options.continues;
  }

  /** The stop string at which the text ended; nothing is returned after it. */
  get stopped(): string | undefined {
    return this.#stops.found;
  }

  /** The next id; returns the text that is now certain, often '' in the middle of a character or a stop string. */
  push(id: number): string {
    if (this.options.special !== 'show' && this.vocabulary.isSpecial(id)) return '';
    const piece = pieceOf(this.vocabulary, id, this.decoding.spelling);
    if ('whole' in piece) return this.#emit(this.#endBytes() + piece.whole);
    this.#pending = true;
    return this.#emit(this.#decoder.decode(piece.bytes, { stream: true }));
  }

  /** No more ids: what was held back. A character that was never completed becomes U+FFFD. */
  finish(): string {
    const text = this.#emit(this.#endBytes());
    return this.stopped === undefined ? text + this.#stops.finish() : text;
  }

  /** U+FFFD for bytes that are still waiting, else ''. */
  #endBytes(): string {
    if (!this.#pending) return '';
    this.#pending = false;
    return this.#decoder.decode();
  }

  #emit(text: string): string {
    if (text === '') return '';
    const kept = this.#stripSpace && text.startsWith(' ') ? text.slice(1) : text;
    this.#stripSpace = false;
    return this.#stops.push(kept);
  }
}
