import { expect, test } from 'vitest';
import { growth, packRounds } from './open-close/run';

const ROUNDS = 200;
/** Resident memory moves by megabytes from run to run, whoever runs: the least of some runs is what a leak adds to. */
const RUNS = 3;
const RESIDENT_NOISE = 4 * 2 ** 20;
/** What JavaScript holds is exact: 2 KiB a round would show. */
const JAVASCRIPT_NOISE = 2 ** 19;

test(`${ROUNDS} rounds of open and close grow no more than Dawn alone does`, async () => {
  const script = await packRounds();
  const least = {
    bare: { resident: Infinity, javascript: Infinity },
    ours: { resident: Infinity, javascript: Infinity },
  };
  for (let run = 0; run < RUNS; run++) {
    for (const who of ['bare', 'ours'] as const) {
      const grown = await growth(script, who, ROUNDS);
      least[who].resident = Math.min(least[who].resident, grown.resident);
      least[who].javascript = Math.min(least[who].javascript, grown.javascript);
    }
  }
  const kibibytes = (bytes: number): string => `${Math.round(bytes / 1024)} KiB`;
  for (const [who, { resident, javascript }] of Object.entries(least)) {
    console.log(`${who}: grown by ${kibibytes(resident)} resident, ${kibibytes(javascript)} of it JavaScript's`);
  }
  expect(least.ours.resident).toBeLessThanOrEqual(Math.max(least.bare.resident, 0) + RESIDENT_NOISE);
  expect(least.ours.javascript).toBeLessThanOrEqual(Math.max(least.bare.javascript, 0) + JAVASCRIPT_NOISE);
});
