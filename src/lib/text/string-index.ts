/**
 * Where a string stands in a list, found without cutting anything out: vocabularies are looked into for every stretch
 * of a text and for every half of 300,000 merges, and a Map would want a string of its own each time.
 *
 * Open addressing over one Int32Array. The hash has a random factor, so that no file can be made to collide.
 */

/** Odd, and different every time: a file cannot know it. */
export const RANDOM_FACTOR = (Math.floor(Math.random() * 2 ** 31) << 1) | 1;

export class StringIndex {
  readonly #slots: Int32Array;
  readonly #mask: number;

  /** Of equal strings the first is the one that is found; empty ones are not. */
  constructor(readonly strings: readonly string[]) {
    const capacity = 2 ** Math.ceil(Math.log2(strings.length * 2 + 2));
    this.#slots = new Int32Array(capacity).fill(-1);
    this.#mask = capacity - 1;
    strings.forEach((text, index) => {
      const slot = text === '' ? -1 : this.#slot(text, 0, text.length);
      if (slot >= 0 && this.#slots[slot] === -1) this.#slots[slot] = index;
    });
  }

  /** Index of `text.slice(start, end)`, or -1. */
  find(text: string, start = 0, end = text.length): number {
    return start < end ? (this.#slots[this.#slot(text, start, end)] as number) : -1;
  }

  /** Where the string stands, or the free slot where it would. */
  #slot(text: string, start: number, end: number): number {
    let hash = end - start;
    for (let i = start; i < end; i++) hash = mix(hash, text.charCodeAt(i));
    let slot = hash & this.#mask;
    for (;;) {
      const index = this.#slots[slot] as number;
      if (index === -1 || this.#equals(index, text, start, end)) return slot;
      slot = (slot + 1) & this.#mask;
    }
  }

  #equals(index: number, text: string, start: number, end: number): boolean {
    const found = this.strings[index] as string;
    return found.length === end - start && text.startsWith(found, start);
  }
}

/** One step of a hash over whole numbers. */
export function mix(hash: number, value: number): number {
  const product = Math.imul(hash ^ value, RANDOM_FACTOR);
  return product ^ (product >>> 15);
}
