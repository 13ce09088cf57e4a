/** The likeliest tokens and log probabilities: of rows of logits, and of the tokens drawn. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ArgumentError, type Gpu } from '$gpu/device';
import { likeliest } from '$gpu/generate/reference';
import { Sampler } from '$gpu/generate/sampler';
import { RING_LENGTH } from '$gpu/generate/state';
import { drawnLogprobs, readTop, topSpecs, topTokens, type TopTokens } from '$gpu/generate/top';
import { openTestGpu } from '../../support/gpu';
import { LOGITS, SamplerUnderTest, THREADS_HERE } from '../../support/generate';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openTestGpu();
  await gpu.preparePipelines([...topSpecs(gpu), ...Sampler.specs(gpu, { logprobs: true, threads: THREADS_HERE })]);
});
afterEach(() => {
  expect(gpu.takeErrors(), 'errors that WebGPU reported on the side').toEqual([]);
});
afterAll(() => gpu.destroy());

function expectTop(found: TopTokens | undefined, expected: TopTokens): void {
  expect(found?.map(([id]) => id)).toEqual(expected.map(([id]) => id));
  found?.forEach(([, logprob], n) => expect(logprob).toBeCloseTo(expected[n]![1], 4));
}

async function topOf(rows: readonly Float32Array[], top: number): Promise<TopTokens[]> {
  const vocab = rows[0]!.length;
  const logits = gpu.upload(Float32Array.from(rows.flatMap((row) => Array.from(row))), [rows.length, vocab]);
  const out = topTokens(gpu, logits, top);
  const found = readTop(await gpu.downloadInts(out), top);
  logits.destroy();
  out.destroy();
  return found;
}

describe('rows', () => {
  test.each([
    ['peaked', 512, 5],
    ['flat', 6400, 20],
    ['tied', 6401, 20],
    ['equal', 700, 3],
    ['peaked', 32_000, 20],
  ] as const)('%s logits, %i tokens, the first %i', async (kind, vocab, top) => {
    const rows = [1, 2, 3].map((seed) => LOGITS[kind](vocab, seed));
    const found = await topOf(rows, top);
    expect(found).toHaveLength(3);
    rows.forEach((row, n) => expectTop(found[n], likeliest(row, top)));
  });

  test('fewer tokens than asked for: those that are there', async () => {
    const row = new Float32Array(600).fill(-Infinity);
    row.set([2, 1], 300);
    const [found] = await topOf([row], 20);
    expectTop(found, [
      [300, -Math.log(1 + Math.exp(-1))],
      [301, -1 - Math.log(1 + Math.exp(-1))],
    ]);
  });

  test('a row without a distribution has none, and does not disturb the others', async () => {
    const fine = LOGITS.peaked(512, 1);
    const broken = [fine.with(7, NaN), fine.with(500, Infinity), new Float32Array(512).fill(-Infinity)];
    const found = await topOf([fine, ...broken, fine], 4);
    expect(found.slice(1, 4)).toEqual([[], [], []]);
    expectTop(found[0], likeliest(fine, 4));
    expectTop(found[4], likeliest(fine, 4));
  });

  test('none asked for, and too many', async () => {
    expect(await topOf([new Float32Array(8)], 0)).toEqual([]);
    expect(() => topTokens(gpu, gpu.empty([2, 8], 'f32'), 21)).toThrow(ArgumentError);
    expect(() => topTokens(gpu, gpu.empty([8], 'f32'), 2)).toThrow(/rows, V/);
  });
});

test('of tokens drawn: as the model has them, whatever penalties and temperature do', async () => {
  const vocab = 6400;
  const under = new SamplerUnderTest(gpu, vocab, { logprobs: true });
  const logits = LOGITS.peaked(vocab, 6);
  const all = likeliest(logits, vocab);
  const sampling = { temperature: 2, topK: 40, frequencyPenalty: 0.5, seed: 3 };
  under.begin(logits, { sampling, top: 7 });
  const tokens = await under.draw(RING_LENGTH + 5);
  const words = await gpu.downloadInts(under.logprobs);
  for (let n = 5; n < tokens.length; n++) {
    const { logprob, top } = drawnLogprobs(words, n, 7);
    expectTop(top, all.slice(0, 7));
    expect(logprob).toBeCloseTo(all.find(([id]) => id === tokens[n])![1], 4);
  }
  // The draws are those of the plan without log probabilities.
  const plain = new SamplerUnderTest(gpu, vocab);
  plain.begin(logits, { sampling });
  expect(await plain.draw(tokens.length)).toEqual(tokens);
  under.destroy();
  plain.destroy();
});
