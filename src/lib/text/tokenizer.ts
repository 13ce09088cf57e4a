/**
 * Text to ids and back. Whole tokens are found first (specials.ts), what lies between them is rewritten and cut into
 * words (normalizer.ts, pre-tokenizer.ts), and each word is merged (bpe.ts, spm.ts):
 *
 *     «<|im_start|>user\nHi there»  ->  <|im_start|>, «user\nHi there»  ->  user, \n, Hi, ␣there  ->  1, 320, 275, ...
 */
import type { WordModel } from './bpe';
import { Detokenizer, type Decoding, type DetokenizerOptions } from './detokenizer';
import { pieceOf } from './pieces';
import type { Segment, SpecialTokens } from './specials';
import type { Vocabulary } from './vocabulary';

export interface EncodeOptions {
  /** Put the tokens around the text that the model wants there, such as one that begins every text. Default false. */
  readonly addSpecial?: boolean;
}

export interface TextOptions extends EncodeOptions {
  /** `text` (default): nothing in it steers the model. `parse`: control tokens spelt out in it are control tokens. */
  readonly special?: 'text' | 'parse';
}

/** What the two readers (from-json.ts, from-gguf.ts) make out of a file. */
export interface TokenizerParts {
  readonly vocabulary: Vocabulary;
  readonly specials: SpecialTokens;
  readonly model: WordModel;
  /** Rewrites a stretch of text without whole tokens and cuts it into words. `first`: it begins the input. */
  readonly prepare: (text: string, first: boolean) => readonly string[];
  readonly decoding: Decoding;
  /** What `addSpecial` puts before and after a text. */
  readonly begin: readonly number[];
  readonly end: readonly number[];
  readonly roles: TokenRoles;
}

/** Tokens with a part to play, where the model has them. */
export interface TokenRoles {
  readonly bos?: number;
  readonly eos?: number;
  readonly unknown?: number;
  readonly pad?: number;
  /** Any of these ends an answer. */
  readonly ends: ReadonlySet<number>;
}

const encoder = new TextEncoder();

export class Tokenizer {
  readonly vocabulary: Vocabulary;
  readonly roles: TokenRoles;
  readonly #parts: TokenizerParts;

  constructor(parts: TokenizerParts) {
    this.#parts = parts;
    this.vocabulary = parts.vocabulary;
    this.roles = parts.roles;
  }

  /** One text; by default one that a person wrote. */
  encode(text: string, { special = 'text', ...options }: TextOptions = {}): number[] {
    return this.encodeSegments([{ text, origin: special === 'parse' ? 'template' : 'text' }], options);
  }

  /**
   * A prompt of stretches by different writers, as a chat template renders it. It is encoded as one text, merged
   * across the seams, but a token counts only if all of it is by somebody who may write it.
   */
  encodeSegments(segments: readonly Segment[], { addSpecial = false }: EncodeOptions = {}): number[] {
    const text = segments.map((segment) => segment.text).join('');
    const ids: number[] = [];
    let at = 0;
    for (const found of this.#parts.specials.find(text, segments)) {
      this.#encodeStretch(text, at, found.start, ids);
      ids.push(found.id);
      at = found.end;
    }
    this.#encodeStretch(text, at, text.length, ids);
    return addSpecial ? this.#surround(ids) : ids;
  }

  /** A rendered chat prompt: begins with BOS where the model wants it, even if the template forgot it. */
  encodePrompt(segments: readonly Segment[]): number[] {
    const ids = this.encodeSegments(segments);
    return this.#begins(ids) ? ids : [...this.#parts.begin, ...ids];
  }

  /**
   * The same prompt as one text, for an engine that tokenizes by itself and reads control tokens wherever they are
   * spelt: those that do not count here are broken up, and BOS is spelt out where the model wants it.
   */
  promptText(segments: readonly Segment[]): string {
    const text = this.#parts.specials.defuse(segments);
    if (this.#begins(this.encodeSegments(segments))) return text;
    return this.#parts.begin.map((id) => this.vocabulary.tokenOf(id)).join('') + text;
  }

  /** What chat templates know as `bos_token` and so on; '' for what this model has not. */
  specialTexts(): Readonly<Record<'bos_token' | 'eos_token' | 'unk_token' | 'pad_token', string>> {
    const text = (id: number | undefined): string => (id === undefined ? '' : this.vocabulary.tokenOf(id));
    const { bos, eos, unknown, pad } = this.roles;
    return { bos_token: text(bos), eos_token: text(eos), unk_token: text(unknown), pad_token: text(pad) };
  }

  /** All at once; `stop` and `continues` as in `detokenizer`. */
  decode(ids: Iterable<number>, options: DetokenizerOptions = {}): string {
    const detokenizer = this.detokenizer(options);
    let text = '';
    for (const id of ids) text += detokenizer.push(id);
    return text + detokenizer.finish();
  }

  /** What a token reads as, control tokens as they are spelt; it may be a part of a character. */
  bytesOf(id: number): Uint8Array {
    const piece = pieceOf(this.vocabulary, id, this.#parts.decoding.spelling);
    return 'bytes' in piece ? piece.bytes : encoder.encode(piece.whole);
  }

  /** For ids that arrive one by one. */
  detokenizer(options: DetokenizerOptions = {}): Detokenizer {
    return new Detokenizer(this.vocabulary, this.#parts.decoding, options);
  }

  #encodeStretch(text: string, start: number, end: number, into: number[]): void {
    if (start === end) return;
    for (const word of this.#parts.prepare(text.slice(start, end), start === 0)) {
      if (word !== '') this.#parts.model.encode(word, into);
    }
  }

  #surround(ids: readonly number[]): number[] {
    return [...(this.#begins(ids) ? [] : this.#parts.begin), ...ids, ...this.#parts.end];
  }

  /** Whether the text itself begins as the model wants; it is not said twice. */
  #begins(ids: readonly number[]): boolean {
    const { begin } = this.#parts;
    return begin.length > 0 && begin.every((id, i) => ids[i] === id);
  }
}
