/** Bias and mask: what the host asks of single tokens, in greedy choice and in draws. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ArgumentError } from '$gpu/device';
import { Sampler } from '$gpu/generate/sampler';
import { maskWords } from '$gpu/generate/sampling';
import { useBareGpu } from '../../support/gpu';
import { LOGITS, SamplerUnderTest, THREADS_HERE, expectedDraws } from '../../support/generate';

const gpu = useBareGpu();
const VOCAB = 2111;
let under: SamplerUnderTest;
beforeAll(async () => {
  await gpu().preparePipelines(Sampler.specs(gpu(), { threads: THREADS_HERE, ruled: true, logprobs: true }));
  under = new SamplerUnderTest(gpu(), VOCAB, { ruled: true, logprobs: true });
});
afterAll(() => under.destroy());

function maskOf(...ids: number[]): Uint32Array {
  const words = new Uint32Array(maskWords(VOCAB));
  for (const id of ids) words[id >> 5]! |= 1 << (id & 31);
  return words;
}

/** Logits of -5 but for some. */
function logitsOf(some: Readonly<Record<number, number>>): Float32Array {
  const logits = new Float32Array(VOCAB).fill(-5);
  for (const [id, value] of Object.entries(some)) logits[Number(id)] = value;
  return logits;
}

describe('bias', () => {
  test('is added before the penalties', async () => {
    const logits = logitsOf({ 10: 3, 20: 2 });
    under.begin(logits, { sampling: { logitBias: { 20: 1.5 } } });
    expect(await under.draw(1)).toEqual([20]);
    // (2 + 1.5) / 1.2 is less than 3; 2 / 1.2 + 1.5 would be more.
    under.begin(logits, { sampling: { logitBias: { 20: 1.5 }, repetitionPenalty: 1.2 }, prompt: [20] });
    expect(await under.draw(1)).toEqual([10]);
  });

  test('of 100 wins, of -100 loses, of -Infinity forbids', async () => {
    const logits = logitsOf({ 10: 30 });
    under.begin(logits, { sampling: { logitBias: { 2110: 100 } } });
    expect(await under.draw(1)).toEqual([2110]);
    under.begin(logits, { sampling: { logitBias: { 10: -100 } } });
    expect(await under.draw(1)).toEqual([0]);
    under.begin(new Float32Array(VOCAB).fill(-Infinity).with(10, 1), { sampling: { logitBias: { 10: -100 } } });
    expect(await under.draw(1)).toEqual([10]);
    under.begin(logits, { sampling: { temperature: 100, seed: 4, logitBias: { 10: -Infinity, 0: -Infinity } } });
    const drawn = await under.draw(64);
    expect(drawn.filter((id) => id === 10 || id === 0)).toEqual([]);
  });

  test('leaves nothing to the next request', async () => {
    const logits = logitsOf({ 10: 3 });
    under.begin(logits, { sampling: { logitBias: { 20: 50 } } });
    expect(await under.draw(1)).toEqual([20]);
    under.begin(logits, {});
    expect(await under.draw(1)).toEqual([10]);
  });

  test.each([
    [{ [VOCAB]: 1 }, /token 2111, expected ids below 2111/],
    [{ [-1]: 1 }, /«-1», expected token ids/],
    [{ 4: 101 }, /101 for token 4/],
    [{ 4: Infinity }, /Infinity for token 4/],
    [{ 4: NaN }, /NaN for token 4/],
  ])('%j is refused by name', (logitBias, message) => {
    expect(() => under.sampler.begin({ sampling: { logitBias } })).toThrow(ArgumentError);
    expect(() => under.sampler.begin({ sampling: { logitBias } })).toThrow(message);
  });
});

describe('a mask', () => {
  test('leaves the likeliest of what it allows, for as long as it stands', async () => {
    const logits = logitsOf({ 10: 9, 31: 5, 32: 6, 2110: 7 });
    under.begin(logits, {});
    under.sampler.mask(maskOf(31, 32, 2110));
    expect(await under.draw(2)).toEqual([2110, 2110]);
    under.sampler.mask(maskOf(31, 32));
    expect(await under.draw(1)).toEqual([32]);
    under.sampler.mask(maskOf(31));
    expect(await under.draw(1)).toEqual([31]);
    under.sampler.mask(undefined);
    expect(await under.draw(1)).toEqual([10]);
    under.sampler.mask(maskOf(31));
    under.begin(logits, {});
    expect(await under.draw(1)).toEqual([10]);
  });

  test('comes before all cuts: the draws are those of the logits without the rest', async () => {
    const sampling = { temperature: 1.3, topK: 30, topP: 0.9, repetitionPenalty: 1.1, seed: 77 };
    const logits = LOGITS.peaked(VOCAB, 12);
    const allowed = Array.from({ length: VOCAB }, (_, id) => id).filter((id) => id % 3 !== 0);
    const left = logits.map((z, id) => (id % 3 === 0 ? -Infinity : z));
    const expected = expectedDraws(left, { sampling }, 32);
    expect(expected.every(({ certain }) => certain)).toBe(true);
    under.begin(logits, { sampling });
    under.sampler.mask(maskOf(...allowed));
    expect(await under.draw(32)).toEqual(expected.map(({ id }) => id));
  });

  test('that allows nothing fails the state, alone or with the bias', async () => {
    under.begin(logitsOf({ 10: 9 }), {});
    under.sampler.mask(maskOf());
    expect(await under.draw(1)).toEqual([-1]);
    expect((await under.read()).failure).toBe('nothing-allowed');
    under.begin(logitsOf({ 10: 9 }), { sampling: { logitBias: { 10: -Infinity } } });
    under.sampler.mask(maskOf(10));
    expect(await under.draw(1)).toEqual([-1]);
    expect((await under.read()).failure).toBe('nothing-allowed');
  });

  test('does not hide a logit that is no number', async () => {
    under.begin(logitsOf({ 10: NaN, 11: 2 }), {});
    under.sampler.mask(maskOf(11));
    expect(await under.draw(1)).toEqual([-1]);
    expect((await under.read()).failure).toBe('not-a-number');
  });

  test('of another length is refused', () => {
    expect(() => under.sampler.mask(new Uint32Array(65))).toThrow(/mask: got 65 words, expected 66/);
  });
});
