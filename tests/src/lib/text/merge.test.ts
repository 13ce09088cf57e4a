/** The heap merges what the definition merges: the best ranked pair of all, the leftmost among equals, again and again. */
import { expect, test } from 'vitest';
import { PairMerger, type Pairs } from '$lib/text/merge';
import { random } from '../../../support/text/random';

/** Symbols are texts; a pair merges if the table ranks the joined text. */
class Texts implements Pairs {
  constructor(
    readonly texts: string[],
    readonly ranks: ReadonlyMap<string, number>,
  ) {}

  rank(left: number, right: number): number {
    return this.ranks.get(`${this.texts[left]}${this.texts[right]}`) ?? -1;
  }

  merge(left: number, right: number): void {
    this.texts[left] = `${this.texts[left]}${this.texts[right]}`;
  }
}

function byHeap(merger: PairMerger, text: string, ranks: ReadonlyMap<string, number>): string[] {
  const pairs = new Texts(Array.from(text), ranks);
  merger.run(text.length, pairs);
  const merged: string[] = [];
  for (let i = 0; i < text.length; i = merger.next[i] ?? text.length) merged.push(pairs.texts[i] ?? '');
  return merged;
}

function byDefinition(text: string, ranks: ReadonlyMap<string, number>): string[] {
  const symbols = Array.from(text);
  for (;;) {
    const pairs = symbols.slice(1).map((right, i) => ranks.get(`${symbols[i]}${right}`) ?? Infinity);
    const best = Math.min(...pairs);
    if (best === Infinity) return symbols;
    const left = pairs.indexOf(best);
    symbols.splice(left, 2, `${symbols[left]}${symbols[left + 1]}`);
  }
}

test('merges in the order of rank, then from the left', () => {
  const ranks = new Map([
    ['aa', 0],
    ['ab', 1],
    ['aab', 2],
  ]);
  const merger = new PairMerger();
  expect(byHeap(merger, 'aaab', ranks)).toEqual(['aa', 'ab']);
  expect(byHeap(merger, 'aab', ranks)).toEqual(['aab']);
  expect(byHeap(merger, '', ranks)).toEqual([]);
  expect(byHeap(merger, 'a', ranks)).toEqual(['a']);
});

test('agrees with the definition on 2,000 random texts, ties among them', () => {
  const next = random(1);
  const merger = new PairMerger();
  for (let round = 0; round < 2000; round++) {
    const text = Array.from({ length: next(24) }, () => 'abc'[next(3)]).join('');
    const ranks = new Map<string, number>();
    for (let i = 0; i < 12; i++) {
      ranks.set(Array.from({ length: 2 + next(4) }, () => 'abc'[next(3)]).join(''), next(6));
    }
    expect(byHeap(merger, text, ranks), `${text} ${JSON.stringify([...ranks])}`).toEqual(byDefinition(text, ranks));
  }
});
