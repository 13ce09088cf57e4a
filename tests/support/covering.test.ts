import { describe, expect, it } from 'vitest';
import { coveringArray, everyValue, missingPairs, product, type Row } from './covering';

const menu = {
  size: [1, 2, 3, 4, 5, 6, 7],
  colour: ['red', 'green', 'blue', 'black'],
  lid: [false, true],
  handle: ['none', 'one', 'two'],
  spout: [false, true],
} as const;

const size = (factors: Readonly<Record<string, readonly unknown[]>>): number[] =>
  Object.values(factors).map((values) => values.length);

describe('coveringArray', () => {
  it('covers every pair of values', () => {
    expect(missingPairs(menu, coveringArray(menu))).toEqual([]);
  });

  it('needs few rows: no more than a third above the two largest factors', () => {
    const [largest = 0, second = 0] = size(menu).sort((a, b) => b - a);
    const rows = coveringArray(menu).length;
    expect(rows).toBeGreaterThanOrEqual(largest * second);
    expect(rows).toBeLessThanOrEqual((largest * second * 4) / 3);
  });

  it('gives the same rows every time', () => {
    expect(coveringArray(menu)).toEqual(coveringArray(menu));
  });

  it('spreads the small factors over the rows that the large ones need', () => {
    const rows = coveringArray({ ...menu, label: [false, true], gift: [false, true] });
    const expectHalf = (isSuch: (row: (typeof rows)[number]) => boolean): void => {
      const share = rows.filter(isSuch).length / rows.length;
      expect(Math.abs(share - 0.5)).toBeLessThan(0.1);
    };
    expectHalf((row) => row.lid);
    expectHalf((row) => row.lid === row.spout);
    expectHalf((row) => row.label === row.gift);
    expectHalf((row) => row.lid === row.gift);
  });

  it('keeps what cannot be out of every row, and covers all the rest', () => {
    const isPossible = (row: Partial<Row<typeof menu>>): boolean =>
      !(row.lid === true && row.colour === 'red') && !(row.spout === true && row.handle === 'none');
    const rows = coveringArray(menu, isPossible);
    expect(rows.every(isPossible)).toBe(true);
    expect(missingPairs(menu, rows, isPossible)).toEqual([]);
  });

  it('finds its way around constraints of three factors', () => {
    const isPossible = ({ lid, spout, colour }: Partial<Row<typeof menu>>): boolean =>
      !(lid === true && spout === true && colour !== undefined && colour !== 'blue');
    const rows = coveringArray(menu, isPossible);
    expect(rows.every(isPossible)).toBe(true);
    expect(missingPairs(menu, rows, isPossible)).toEqual([]);
  });

  it('takes a single factor value by value', () => {
    expect(coveringArray({ size: [1, 2], lid: [true] })).toHaveLength(2);
  });
});

describe('missingPairs', () => {
  it('names a pair that no row covers', () => {
    const rows = [...product(menu)].filter((row) => !(row.size === 3 && row.colour === 'blue'));
    expect(missingPairs(menu, rows)).toEqual(['size = 3 with colour = "blue"']);
  });
});

describe('product', () => {
  it('enumerates every combination once', () => {
    const rows = [...product(menu)];
    expect(rows).toHaveLength(size(menu).reduce((all, each) => all * each, 1));
    expect(new Set(rows.map((row) => JSON.stringify(row))).size).toBe(rows.length);
  });

  it('leaves out what cannot be', () => {
    const rows = [...product(menu, (row) => row.lid !== true)];
    expect(rows).toHaveLength(7 * 4 * 3 * 2);
  });
});

describe('everyValue', () => {
  it('keeps every value of a covering array in fewer rows', () => {
    const rows = coveringArray(menu);
    const few = everyValue(rows);
    for (const [name, values] of Object.entries(menu)) {
      const kept = new Set(few.map((row) => (row as Record<string, unknown>)[name]));
      expect([...kept].sort()).toEqual([...values].sort());
    }
    expect(few.length).toBeLessThan(rows.length / 2);
  });
});
