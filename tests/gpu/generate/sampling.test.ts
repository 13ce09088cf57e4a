import { expect, test } from 'vitest';
import { ArgumentError } from '$gpu/device';
import { checkSampling, type Sampling } from '$gpu/generate/sampling';

test('the defaults are greedy, without penalties', () => {
  expect(checkSampling({ seed: 4 })).toEqual({
    ...{ temperature: 0, topK: 0, topP: 1, minP: 0, typicalP: 1, logitBias: {}, seed: 4 },
    ...{ repetitionPenalty: 1, presencePenalty: 0, frequencyPenalty: 0 },
  });
});

test('seeds differ where none is given', () => {
  const seeds = Array.from({ length: 10 }, () => checkSampling().seed);
  expect(new Set(seeds).size).toBe(10);
});

test.each<Sampling>([
  { temperature: -1 },
  { temperature: NaN },
  { temperature: Infinity },
  { topK: -1 },
  { topK: 1.5 },
  { topP: 1.1 },
  { topP: -0.1 },
  { minP: 2 },
  { minP: NaN },
  { typicalP: 1.5 },
  { typicalP: -0.5 },
  { repetitionPenalty: 0 },
  { repetitionPenalty: Infinity },
  { presencePenalty: NaN },
  { frequencyPenalty: 1e9 },
  { seed: -1 },
  { seed: 2 ** 60 },
])('%j is refused by name', (sampling) => {
  const name = Object.keys(sampling)[0]!;
  expect(() => checkSampling(sampling)).toThrow(ArgumentError);
  expect(() => checkSampling(sampling)).toThrow(`sampling.${name}: got`);
});
