/**
 * The merges of a BPE vocabulary by token ids: (left, right) -> (rank, merged). Open addressing over Int32Arrays:
 * Llama 3's 280,147 merges take 9.5 MB, where a Map with string keys takes 50 (README, «Measured»).
 */
import { TokenizerError } from './errors';
import { mix } from './string-index';
import type { Vocabulary } from './vocabulary';

/** What merge.ts can rank; the largest vocabularies in use have 600,000. */
const MOST_MERGES = 2 ** 22 - 1;

/** The list in a file, unchecked, the first merge the best. */
export interface Merges extends Iterable<unknown> {
  readonly length: number;
}

export class MergeTable {
  readonly #left: Int32Array;
  readonly #right: Int32Array;
  readonly #rank: Int32Array;
  /** rank -> the token that the merge makes */
  readonly merged: Int32Array;
  readonly #mask: number;

  /** @param field what the file calls the list, for errors */
  constructor(merges: Merges, vocabulary: Vocabulary, field: string) {
    if (merges.length > MOST_MERGES) throw new TokenizerError(field, `holds more than ${MOST_MERGES} merges`);
    const capacity = 2 ** Math.ceil(Math.log2(merges.length * 1.5 + 2));
    this.#mask = capacity - 1;
    this.#left = new Int32Array(capacity);
    this.#right = new Int32Array(capacity);
    this.#rank = new Int32Array(capacity).fill(-1);
    this.merged = new Int32Array(merges.length);
    let rank = 0;
    for (const merge of merges) {
      const { text, cut, resume } = readMerge(merge, field, rank);
      const left = vocabulary.idAt(text, 0, cut);
      const right = vocabulary.idAt(text, resume, text.length);
      this.#add(
        left,
        right,
        vocabulary.idOf(resume === cut ? text : text.slice(0, cut) + text.slice(resume)),
        rank,
        field,
      );
      rank += 1;
    }
  }

  /** Rank of the merge; -1 if the two do not merge, or one of them is no token (-1). */
  rank(left: number, right: number): number {
    return this.#rank[this.#slot(left, right)] as number;
  }

  #add(left: number, right: number, merged: number, rank: number, field: string): void {
    if (left < 0 || right < 0 || merged < 0) {
      throw new TokenizerError(`${field}[${rank}]`, 'merges what is not in the vocabulary, or makes what is not');
    }
    const slot = this.#slot(left, right);
    if (this.#rank[slot] !== -1) return; // Said twice: the first counts.
    this.#left[slot] = left;
    this.#right[slot] = right;
    this.#rank[slot] = rank;
    this.merged[rank] = merged;
  }

  /** Where the pair stands, or the free slot where it would. */
  #slot(left: number, right: number): number {
    let slot = mix(mix(0, left), right) & this.#mask;
    while (this.#rank[slot] !== -1 && (this.#left[slot] !== left || this.#right[slot] !== right)) {
      slot = (slot + 1) & this.#mask;
    }
    return slot;
  }
}

/** Two tokens in one text: the left one up to `cut`, the right one from `resume` on. */
interface Merge {
  readonly text: string;
  readonly cut: number;
  readonly resume: number;
}

/** `"l o"`, or `["l", "o"]` where tokens hold spaces. */
function readMerge(merge: unknown, field: string, rank: number): Merge {
  if (typeof merge === 'string') {
    const cut = merge.indexOf(' ', 1); // The first token may itself begin with a space.
    if (cut > 0) return { text: merge, cut, resume: cut + 1 };
  } else if (Array.isArray(merge) && merge.length === 2) {
    const [left, right] = merge as unknown[];
    if (typeof left === 'string' && typeof right === 'string') {
      return { text: left + right, cut: left.length, resume: left.length };
    }
  }
  throw new TokenizerError(`${field}[${rank}]`, 'is no pair of tokens');
}
