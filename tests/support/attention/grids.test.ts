/** The covering arrays cover: all pairs of flashAttention's grid, and of the others what that one does not have. */
import { describe, expect, it } from 'vitest';
import { coveringArray, missingPairs, type Factors, type IsPossible } from '../covering';
import type { Grid } from './grid';
import { CACHE_GRID, FLASH_GRID, VARLEN_GRID } from './grids';

const anything = (): boolean => true;

function missingOf<F extends Factors>({ factors, isPossible = anything, isWorthIt = anything }: Grid<F>): string[] {
  const both: IsPossible<F> = (row) => isPossible(row) && isWorthIt(row);
  return missingPairs(factors, coveringArray(factors, both), isPossible);
}

describe('covering arrays', () => {
  it("flashAttention's covers every pair", () => {
    expect(missingOf(FLASH_GRID)).toEqual([]);
  });

  /** Pairs of what both grids have: the kernel's own traits, which flashAttention's grid covers. */
  const isTraitPair = (pair: string): boolean =>
    pair
      .split(' with ')
      .every((side) => ['headDim', 'dtype', 'alibi', 'softcap', 'sinks'].includes(side.split(' ')[0]!));

  it('those of the cache and of varlen cover every other pair', () => {
    expect(missingOf(CACHE_GRID).filter((pair) => !isTraitPair(pair))).toEqual([]);
    expect(missingOf(VARLEN_GRID).filter((pair) => !isTraitPair(pair))).toEqual([]);
  });
});
