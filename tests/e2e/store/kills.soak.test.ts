/** A hundred kills, over several downloads. */
import { expect, test } from 'vitest';
import { MIB, surviveKills } from './kills';

test.each([1, 2, 3, 4, 5])('twenty kills, seed %i', async (seed) => {
  const { kills, again } = await surviveKills(20, 160 * MIB, seed);
  expect(Object.values(kills).reduce((sum, count) => sum + count, 0)).toBe(20);
  console.log(`seed ${seed}: ${JSON.stringify(kills)}; ${(again / MIB).toFixed(1)} MiB of 160 came twice`);
});
