/** Greedy choice, penalties, the law of the draws, the state, and what cannot be sampled from. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ArgumentError, LimitError, type Gpu } from '$gpu/device';
import { keepTokens } from '$gpu/generate/reference';
import { Sampler } from '$gpu/generate/sampler';
import { checkSampling } from '$gpu/generate/sampling';
import { RING_LENGTH, writeState } from '$gpu/generate/state';
import { openTestGpu } from '../../support/gpu';
import { LOGITS, SamplerUnderTest, THREADS_HERE, expectedDraws } from '../../support/generate';

const VOCAB = 6400;
let gpu: Gpu;
let under: SamplerUnderTest;
beforeAll(async () => {
  gpu = await openTestGpu();
  await gpu.preparePipelines(Sampler.specs(gpu, { threads: THREADS_HERE }));
  under = new SamplerUnderTest(gpu, VOCAB);
});
afterEach(() => {
  expect(gpu.takeErrors(), 'errors that WebGPU reported on the side').toEqual([]);
});
afterAll(() => {
  under.destroy();
  gpu.destroy();
});

/** Logits of -5 but for some. */
function logitsOf(some: Readonly<Record<number, number>>, vocab = VOCAB): Float32Array {
  const logits = new Float32Array(vocab).fill(-5);
  for (const [id, value] of Object.entries(some)) logits[Number(id)] = value;
  return logits;
}

async function greedy(logits: Float32Array): Promise<number> {
  under.begin(logits, {});
  return (await under.draw(1))[0]!;
}

describe('greedy', () => {
  test.each([
    ['the largest', { 100: 1, 6399: 2 }, 6399],
    ['the first of all', { 0: 1 }, 0],
    ['the lowest id of equals', { 4000: 3, 700: 3, 5000: 3 }, 700],
    ['-0 is 0', { 900: 0, 40: -0 }, 40],
    ['negative numbers', { 33: -4.9999995, 34: -4.999999 }, 34],
    ['one float apart', { 50: 1, 60: 1 + 2 ** -23, 70: 1 }, 60],
    ['the largest float', { 9: 3.4028234663852886e38, 8: 3.4028232635611926e38 }, 9],
    ['-inf elsewhere', { 0: -Infinity, 1: -Infinity, 2: 7 }, 2],
  ])('%s', async (_, some, expected) => {
    expect(await greedy(logitsOf(some))).toBe(expected);
  });

  test.each([1, 3, 63, 2047, 2048, 2049])('the last of %i tokens', async (vocab) => {
    const small = new SamplerUnderTest(gpu, vocab);
    small.begin(logitsOf({ [vocab - 1]: 1 }, vocab), {});
    expect(await small.draw(1)).toEqual([vocab - 1]);
    small.begin(logitsOf({ [vocab - 1]: 50 }, vocab), { sampling: { temperature: 1, topK: 2, topP: 0.9, seed: 1 } });
    expect(await small.draw(1)).toEqual([vocab - 1]);
    small.destroy();
  });
});

describe('penalties', () => {
  test('the repetition penalty divides and multiplies, for the prompt and for what is drawn', async () => {
    const logits = logitsOf({ 1: 10, 2: 9, 3: 6 });
    under.begin(logits, { sampling: { repetitionPenalty: 2 }, prompt: [1, 1] });
    expect(await under.draw(4)).toEqual([2, 3, 1, 1]);
    const negative = new Float32Array(VOCAB).fill(-9);
    negative.set([-1, -1.5, -2.5], 1);
    under.begin(negative, { sampling: { repetitionPenalty: 2 }, prompt: [] });
    expect(await under.draw(4)).toEqual([1, 2, 1, 1]);
  });

  test('the presence penalty counts once, for drawn tokens alone', async () => {
    const logits = logitsOf({ 1: 10, 2: 9, 3: 8.5 });
    under.begin(logits, { sampling: { presencePenalty: 1.25 }, prompt: [1] });
    expect(await under.draw(5)).toEqual([1, 2, 1, 1, 1]);
  });

  test('the frequency penalty counts every time', async () => {
    const logits = logitsOf({ 1: 10, 2: 9, 3: 8.5 });
    under.begin(logits, { sampling: { frequencyPenalty: 0.75 }, prompt: [1] });
    expect(await under.draw(7)).toEqual([1, 1, 2, 1, 3, 2, 1]);
  });

  test('a request without penalties leaves nothing to the next one with some', async () => {
    const logits = logitsOf({ 1: 10, 2: 9 });
    under.begin(logits, {});
    expect(await under.draw(2)).toEqual([1, 1]);
    under.begin(logits, { sampling: { frequencyPenalty: 0.4 } });
    expect(await under.draw(4)).toEqual([1, 1, 1, 2]);
  });

  test('together with draws, as the reference has it', async () => {
    const sampling = {
      ...{ temperature: 0.9, topK: 30, topP: 0.95, seed: 3 },
      ...{ repetitionPenalty: 1.3, presencePenalty: 0.6, frequencyPenalty: 0.4 },
    };
    const logits = LOGITS.peaked(VOCAB, 8);
    const prompt = [5, 6, logits.indexOf(Math.max(...logits))];
    under.begin(logits, { sampling, prompt });
    const drawn = await under.draw(64);
    const expected = expectedDraws(logits, { sampling, prompt }, 64);
    // A step in doubt would change what the later ones are penalised for.
    expect(expected.every(({ certain }) => certain)).toBe(true);
    expect(drawn).toEqual(expected.map(({ id }) => id));
  });
});

describe('draws', () => {
  const sampling = { temperature: 1.2, topK: 12, seed: 20 };

  test('come as often as they are likely', async () => {
    const small = new SamplerUnderTest(gpu, 512);
    const logits = LOGITS.peaked(512, 2);
    small.begin(logits, { sampling });
    const count = 1024;
    const drawn = await small.draw(count);
    small.destroy();
    const { ids } = keepTokens(logits, checkSampling(sampling));
    const weights = ids.map((id) => Math.exp(logits[id]! / sampling.temperature));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    let chi = 0;
    ids.forEach((id, n) => {
      const expected = (count * weights[n]!) / total;
      chi += (drawn.filter((other) => other === id).length - expected) ** 2 / expected;
    });
    // 11 degrees of freedom: above 31.3 once in a thousand seeds.
    expect(chi).toBeLessThan(31.3);
    expect(chi, 'nor are they more even than chance is').toBeGreaterThan(1.6);
  });

  test('depend on seed and place alone', async () => {
    const logits = LOGITS.peaked(VOCAB, 2);
    const from = async (place: number, count: number, seed = 20): Promise<number[]> => {
      under.begin(logits, { sampling: { ...sampling, seed } }, place);
      return under.draw(count);
    };
    const whole = await from(100, 48);
    expect(await from(100, 48)).toEqual(whole);
    expect(await from(117, 31)).toEqual(whole.slice(17));
    expect(await from(100, 48, 21)).not.toEqual(whole);
    // Beyond 2^32 a seed has a second word.
    expect(await from(100, 48, 20 + 2 ** 40)).not.toEqual(whole);
  });

  test('are the same in one pass, in many, and recorded anew', async () => {
    const logits = LOGITS.peaked(VOCAB, 4);
    under.begin(logits, { sampling });
    const whole = await under.draw(32);
    under.begin(logits, { sampling });
    const single: number[] = [];
    for (let n = 0; n < 32; n++) single.push(...(await under.draw(1)));
    expect(single).toEqual(whole);
    under.begin(logits, { sampling });
    for (let n = 0; n < 32; n++) under.sampler.record({ logits: under.logits, state: under.state });
    expect((await under.read()).token).toBe(whole[31]);
  });
});

test('the kernel has two widths, chosen by the adapter, and one result', async (context) => {
  if (THREADS_HERE === 64) context.skip('the wide kernel, for GPUs, takes this adapter seconds to compile');
  const logits = LOGITS.peaked(VOCAB, 4);
  const sampling = { temperature: 1.5, topK: 500, topP: 0.9, seed: 20 };
  const [narrow, wide] = [
    new SamplerUnderTest(gpu, VOCAB, { threads: 64 }),
    new SamplerUnderTest(gpu, VOCAB, { threads: 256 }),
  ];
  narrow.begin(logits, { sampling });
  wide.begin(logits, { sampling });
  expect(await narrow.draw(16)).toEqual(await wide.draw(16));
  narrow.destroy();
  wide.destroy();
});

describe('the state', () => {
  test('goes on by one place and one token a step; the ring holds the last', async () => {
    under.begin(logitsOf({ 11: 1 }), {}, 41);
    under.plan.run(3);
    expect(await under.read()).toEqual({ token: 11, position: 44, drawn: 3, failure: undefined });
    under.plan.run(RING_LENGTH);
    expect(await under.read()).toMatchObject({ position: 44 + RING_LENGTH, drawn: 3 + RING_LENGTH });
    expect(await under.draw(2)).toEqual([11, 11]);
  });

  test('takes the token that the host writes', async () => {
    writeState(gpu, under.state, { token: 77, position: 5 });
    expect(await under.read()).toEqual({ token: 77, position: 5, drawn: 0, failure: undefined });
  });
});

describe('what cannot be sampled from', () => {
  const nothing = new Float32Array(VOCAB).fill(-Infinity);
  test.each([
    ['NaN', logitsOf({ 4000: NaN }), 'not-a-number'],
    ['+inf', logitsOf({ 6399: Infinity }), 'not-a-number'],
    ['NaN among -inf', nothing.with(0, NaN), 'not-a-number'],
    ['-inf alone', nothing, 'nothing-allowed'],
  ])('%s fails the state, until the host writes it again', async (_, logits, failure) => {
    for (const sampling of [{}, { temperature: 1, seed: 1 }, { temperature: 1, topK: 5, topP: 0.5, seed: 1 }]) {
      under.begin(logits, { sampling: { ...sampling, repetitionPenalty: 1.5 } });
      expect(await under.draw(1)).toEqual([-1]);
      expect(await under.read()).toEqual({ token: 0, position: 1, drawn: 1, failure });
      gpu.write(under.logits, logitsOf({ 8: 1 }));
      expect(await under.draw(1)).toEqual([-1]);
      expect(await greedy(logitsOf({ 8: 1 }))).toBe(8);
    }
  });

  test('wrong tensors, vocabularies and prompts are refused by name', () => {
    const { sampler, state, logits } = under;
    expect(() => sampler.record({ logits: state, state })).toThrow(ArgumentError);
    expect(() => sampler.record({ logits, state: logits })).toThrow(/state: got f32/);
    expect(() => sampler.record({ logits, state, logprobs: logits })).toThrow(/logprobs/);
    expect(() => new Sampler(gpu, 0)).toThrow(ArgumentError);
    expect(() => new Sampler(gpu, 2 ** 19 + 1)).toThrow(LimitError);
    expect(() => sampler.begin({ sampling: { repetitionPenalty: 2 }, prompt: [VOCAB] })).toThrow(/token 6400/);
    expect(() => sampler.begin({ top: 21 })).toThrow(/top: got 21/);
  });
});
