/** Byte pair encoding of one word, over bytes (GPT-2 and after) or over characters with bytes as a last resort. */
import { SPELLING } from './byte-level';
import { TokenizerError } from './errors';
import { PairMerger, type Pairs } from './merge';
import { MergeTable, type Merges } from './merge-table';
import { Kind, type Vocabulary } from './vocabulary';

/** Turns one word, as the pre-tokenizer cut it, into ids, which it appends to `into`. */
export interface WordModel {
  encode(word: string, into: number[]): void;
}

export interface BpeOptions {
  /** Symbols are the bytes of UTF-8, not characters. */
  readonly byteLevel: boolean;
  /** A word that is a token as a whole is not merged together (Llama 3). */
  readonly ignoreMerges: boolean;
  /** Token for what cannot be spelt; -1 for none. */
  readonly unknown: number;
  /** What the file calls its list of merges. */
  readonly field: string;
}

/** Longer words are rare, and would fill the cache. */
const LONGEST_CACHED = 48;
const CACHED_WORDS = 8192;

export class BpeModel implements WordModel, Pairs {
  readonly #table: MergeTable;
  readonly #merger = new PairMerger();
  readonly #cache = new Map<string, readonly number[]>();
  readonly #bytes: ByteTokens;
  readonly #encoder = new TextEncoder();
  /** Token of each symbol, -1 for a character that is no token. */
  #ids = new Int32Array(64);

  constructor(
    readonly vocabulary: Vocabulary,
    merges: Merges,
    readonly options: BpeOptions,
  ) {
    this.#table = new MergeTable(merges, vocabulary, options.field);
    this.#bytes = options.byteLevel ? spelledBytes(vocabulary) : fallbackBytes(vocabulary);
  }

  encode(word: string, into: number[]): void {
    const cached = this.#cache.get(word);
    if (cached) {
      for (const id of cached) into.push(id);
      return;
    }
    const from = into.length;
    if (!this.options.ignoreMerges || !this.#encodeWhole(word, into)) this.#encodeParts(word, into);
    if (word.length <= LONGEST_CACHED) this.#remember(word, into.slice(from));
  }

  rank(left: number, right: number): number {
    return this.#table.rank(this.#ids[left] as number, this.#ids[right] as number);
  }

  merge(left: number, right: number): void {
    this.#ids[left] = this.#table.merged[this.rank(left, right)] as number;
  }

  #remember(word: string, ids: readonly number[]): void {
    if (this.#cache.size >= CACHED_WORDS) this.#cache.clear();
    this.#cache.set(word, ids);
  }

  #encodeWhole(word: string, into: number[]): boolean {
    const token = this.options.byteLevel ? this.#spell(word) : word;
    const id = this.vocabulary.idOf(token);
    if (id < 0 || this.vocabulary.kindOf(id) !== Kind.normal) return false;
    into.push(id);
    return true;
  }

  #spell(word: string): string {
    let spelled = '';
    for (const byte of this.#encoder.encode(word)) spelled += SPELLING[byte];
    return spelled;
  }

  #encodeParts(word: string, into: number[]): void {
    if (this.options.byteLevel) this.#encodeBytes(word, into);
    else this.#encodeCharacters(word, into);
  }

  #encodeBytes(word: string, into: number[]): void {
    const bytes = this.#encoder.encode(word);
    this.#makeRoom(bytes.length);
    for (let i = 0; i < bytes.length; i++) this.#ids[i] = this.#bytes.idOf(bytes[i] as number, this.options.unknown);
    this.#merger.run(bytes.length, this);
    for (let i = 0; i < bytes.length; i = this.#merger.next[i] as number) into.push(this.#ids[i] as number);
  }

  #encodeCharacters(word: string, into: number[]): void {
    const characters = Array.from(word);
    this.#makeRoom(characters.length);
    for (let i = 0; i < characters.length; i++) this.#ids[i] = this.vocabulary.idOf(characters[i] as string);
    this.#merger.run(characters.length, this);
    for (let i = 0; i < characters.length; i = this.#merger.next[i] as number) {
      const id = this.#ids[i] as number;
      if (id >= 0) into.push(id);
      else this.#bytes.spellOut(characters[i] as string, this.options.unknown, into);
    }
  }

  #makeRoom(count: number): void {
    if (this.#ids.length < count) this.#ids = new Int32Array(2 * count);
  }
}

/** The tokens for single bytes. */
export class ByteTokens {
  readonly #encoder = new TextEncoder();

  /** @param ids token of each of 256 bytes, -1 where there is none */
  constructor(
    readonly ids: Int32Array,
    readonly field: string,
  ) {}

  idOf(byte: number, unknown: number): number {
    const id = this.ids[byte] as number;
    if (id >= 0) return id;
    if (unknown >= 0) return unknown;
    throw new TokenizerError(
      this.field,
      `has no token for byte 0x${byte.toString(16).padStart(2, '0')} and none for the unknown, so this text cannot be written`,
    );
  }

  /** Appends a character that is no token: its bytes, or the unknown token, once for a run of such characters. */
  spellOut(character: string, unknown: number, into: number[]): void {
    const bytes = this.#encoder.encode(character);
    if (bytes.every((byte) => (this.ids[byte] as number) >= 0)) {
      for (const byte of bytes) into.push(this.ids[byte] as number);
    } else if (unknown < 0) {
      this.idOf(bytes.find((byte) => (this.ids[byte] as number) < 0) as number, unknown);
    } else if (into.at(-1) !== unknown) {
      into.push(unknown);
    }
  }
}

function spelledBytes(vocabulary: Vocabulary): ByteTokens {
  return new ByteTokens(
    Int32Array.from(SPELLING, (character) => vocabulary.idOf(character)),
    'vocabulary',
  );
}

/** `<0x00>` to `<0xFF>`. */
export function fallbackBytes(vocabulary: Vocabulary): ByteTokens {
  const ids = new Int32Array(256).fill(-1);
  for (let byte = 0; byte < 256; byte++) {
    const id = vocabulary.idOf(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
    if (id >= 0 && vocabulary.kindOf(id) === Kind.byte) ids[byte] = id;
  }
  return new ByteTokens(ids, 'vocabulary');
}
