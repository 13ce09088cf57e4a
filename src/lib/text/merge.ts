/**
 * Greedy pair merging, which is what both BPE and SentencePiece do: of all neighbours that may merge, the best ranked
 * pair becomes one symbol, the leftmost among equals, until none may merge.
 *
 *     symbols   [h] [e] [l] [l] [o]      rank of each pair with its right neighbour:  3  -  0  -
 *               [h] [e] [ll]    [o]      the pairs that touch the new symbol are ranked anew
 *
 * Symbols are numbers 0..count-1 in a doubly linked list; a merged pair lives on under the left one's number. The heap
 * holds `rank * 2^31 + left` as one double, exact below 2^53, so the order (rank, then position) is the order of the
 * numbers. What is popped is checked against the pair's present rank, so nothing is ever removed from the middle.
 *
 * Time O(n log n), proved against the quadratic definition in tests/src/lib/text/merge.test.ts.
 */

/** What the two models know about symbols; they keep the contents, this file keeps the order. */
export interface Pairs {
  /** Rank of the pair below 2^22, the best is 0; -1 if the two do not merge. */
  rank(left: number, right: number): number;
  /** The two become one, under the number `left`. */
  merge(left: number, right: number): void;
}

const POSITION = 2 ** 31;
/** Room that is kept between words; a whole book that was merged once does not stay in memory. */
const KEPT_ROOM = 1 << 16;

export class PairMerger {
  /** After run(): the next living symbol; `count` after the last. */
  next = new Int32Array(0);
  #previous = new Int32Array(0);
  /** Rank of the pair (symbol, next[symbol]); -1 where it does not merge, or the symbol is gone. */
  #rank = new Int32Array(0);
  #heap = new Float64Array(0);
  #size = 0;

  /** Merges symbols 0..count-1. Walk the result from 0 along `next`. */
  run(count: number, pairs: Pairs): void {
    this.#makeRoom(count);
    for (let i = 0; i < count; i++) {
      this.next[i] = i + 1;
      this.#previous[i] = i - 1;
    }
    for (let i = 0; i < count; i++) this.#consider(i, count, pairs);
    while (this.#size > 0) {
      const top = this.#pop();
      const rank = Math.floor(top / POSITION);
      const left = top - rank * POSITION;
      if (this.#rank[left] === rank) this.#merge(left, count, pairs);
    }
  }

  #merge(left: number, count: number, pairs: Pairs): void {
    const right = this.next[left] as number;
    pairs.merge(left, right);
    this.#rank[right] = -1;
    const after = this.next[right] as number;
    this.next[left] = after;
    if (after < count) this.#previous[after] = left;
    this.#consider(left, count, pairs);
    const before = this.#previous[left] as number;
    if (before >= 0) this.#consider(before, count, pairs);
  }

  #consider(left: number, count: number, pairs: Pairs): void {
    const right = this.next[left] as number;
    const rank = right < count ? pairs.rank(left, right) : -1;
    this.#rank[left] = rank;
    if (rank >= 0) this.#push(rank * POSITION + left);
  }

  /** Every symbol is pushed once, and each of at most count - 1 merges pushes two more. */
  #makeRoom(count: number): void {
    this.#size = 0;
    if (this.next.length >= count && this.next.length <= Math.max(count, KEPT_ROOM)) return;
    const room = Math.max(64, 2 ** Math.ceil(Math.log2(count)));
    this.next = new Int32Array(room);
    this.#previous = new Int32Array(room);
    this.#rank = new Int32Array(room);
    this.#heap = new Float64Array(3 * room);
  }

  #push(key: number): void {
    const heap = this.#heap;
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as number;
      if (above <= key) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = key;
  }

  #pop(): number {
    const heap = this.#heap;
    const top = heap[0] as number;
    const size = --this.#size;
    const key = heap[size] as number;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && (heap[child + 1] as number) < (heap[child] as number)) child += 1;
      const below = heap[child] as number;
      if (below >= key) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = key;
    return top;
  }
}
