/**
 * SentencePiece's BPE of a whole text: neighbours merge whenever together they are a piece, the piece with the best
 * score first. GGUF stores these vocabularies (`tokenizer.ggml.model` = `llama`) with scores and without merges.
 *
 * A converted tokenizer.json ranks pairs instead, 580,000 of them for Gemma's 256,000 pieces. Here no list of pairs has
 * to be made up: whether two symbols merge is one look into the vocabulary.
 */
import { fallbackBytes, type ByteTokens, type WordModel } from './bpe';
import { TokenizerError } from './errors';
import { PairMerger, type Pairs } from './merge';
import { Kind, type Vocabulary } from './vocabulary';

export class SpmModel implements WordModel, Pairs {
  /** Order of each token's score, 0 the best, equal for equal scores; -1 if nothing merges into it. */
  readonly #ranks: Int32Array;
  readonly #longest: number;
  readonly #bytes: ByteTokens;
  readonly #merger = new PairMerger();
  #text = '';
  /** Symbol -> where it begins and ends in the text, in code units. */
  #starts = new Int32Array(64);
  #ends = new Int32Array(64);

  /**
   * @param scores one a token
   * @param unknown token for what has no bytes either; -1 for none
   */
  constructor(
    readonly vocabulary: Vocabulary,
    scores: ArrayLike<number>,
    readonly unknown: number,
  ) {
    this.#ranks = rankScores(vocabulary, scores);
    this.#bytes = fallbackBytes(vocabulary);
    this.#longest = vocabulary.tokens.reduce((longest, token) => Math.max(longest, token.length), 0);
  }

  encode(text: string, into: number[]): void {
    const count = this.#cut(text);
    this.#merger.run(count, this);
    for (let i = 0; i < count; i = this.#merger.next[i] as number) {
      const piece = text.slice(this.#starts[i], this.#ends[i]);
      const id = this.vocabulary.idOf(piece);
      if (id >= 0 && this.#ranks[id] !== -1) into.push(id);
      else this.#bytes.spellOut(piece, this.unknown, into);
    }
    this.#text = '';
  }

  rank(left: number, right: number): number {
    const start = this.#starts[left] as number;
    const end = this.#ends[right] as number;
    if (end - start > this.#longest) return -1;
    const id = this.vocabulary.idAt(this.#text, start, end);
    return id < 0 ? -1 : (this.#ranks[id] as number);
  }

  merge(left: number, right: number): void {
    this.#ends[left] = this.#ends[right] as number;
  }

  /** Every character becomes a symbol. */
  #cut(text: string): number {
    if (this.#starts.length < text.length) {
      this.#starts = new Int32Array(2 * text.length);
      this.#ends = new Int32Array(2 * text.length);
    }
    this.#text = text;
    let count = 0;
    for (let at = 0; at < text.length; count++) {
      this.#starts[count] = at;
      at += (text.codePointAt(at) as number) > 0xffff ? 2 : 1;
      this.#ends[count] = at;
    }
    return count;
  }
}

function rankScores(vocabulary: Vocabulary, scores: ArrayLike<number>): Int32Array {
  const ranks = new Int32Array(vocabulary.size).fill(-1);
  const pieces: number[] = [];
  for (let id = 0; id < vocabulary.size; id++) {
    const kind = vocabulary.kindOf(id);
    if (Number.isNaN(scores[id])) throw new TokenizerError(`tokenizer.ggml.scores[${id}]`, 'is not a number');
    if (kind === Kind.normal || kind === Kind.user || kind === Kind.unused) pieces.push(id);
  }
  pieces.sort((a, b) => (scores[b] as number) - (scores[a] as number));
  let rank = 0;
  pieces.forEach((id, order) => {
    if (order > 0 && scores[id] !== scores[pieces[order - 1] as number]) rank += 1;
    ranks[id] = rank;
  });
  return ranks;
}
