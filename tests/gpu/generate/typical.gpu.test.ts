/** Typical-p: the very tokens that its definition draws in float64, and what it keeps when there is nothing to choose. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keepTokens } from '$gpu/generate/reference';
import { Sampler } from '$gpu/generate/sampler';
import { checkSampling, type Sampling } from '$gpu/generate/sampling';
import { useBareGpu } from '../../support/gpu';
import { LOGITS, SamplerUnderTest, THREADS_HERE, expectedDraws } from '../../support/generate';

const gpu = useBareGpu();
const VOCAB = 2500;
let under: SamplerUnderTest;
beforeAll(async () => {
  await gpu().preparePipelines(Sampler.specs(gpu(), { threads: THREADS_HERE, typical: true }));
  under = new SamplerUnderTest(gpu(), VOCAB, { typical: true });
});
afterAll(() => under.destroy());

const SETTINGS: readonly Sampling[] = [
  { temperature: 1, typicalP: 0.9 },
  { temperature: 1, typicalP: 0.2 },
  { temperature: 0.5, typicalP: 0.95 },
  { temperature: 3, typicalP: 0.5 },
  { temperature: 1, typicalP: 0 },
  { temperature: 1, typicalP: 0.9999 },
  { temperature: 1, topK: 40, typicalP: 0.6 },
  { temperature: 2, topK: 200, topP: 0.9, minP: 0.01, typicalP: 0.7 },
  { temperature: 0.01, typicalP: 0.5 },
  // Without it the same kernel draws as ever.
  { temperature: 1, topK: 40, topP: 0.9 },
  { typicalP: 0.5 },
];

test.each(Object.keys(LOGITS) as (keyof typeof LOGITS)[])('%s logits', async (kind) => {
  let doubtful = 0;
  for (const [n, options] of SETTINGS.entries()) {
    const sampling = { ...options, seed: 400 + n };
    const logits = LOGITS[kind](VOCAB, n);
    under.begin(logits, { sampling });
    const drawn = await under.draw(6);
    expectedDraws(logits, { sampling }, 6).forEach(({ id, certain }, step) => {
      if (!certain) doubtful += 1;
      else expect(drawn[step], `${JSON.stringify(options)}, step ${step}`).toBe(id);
    });
  }
  expect(doubtful, 'steps that float32 leaves open').toBeLessThan(SETTINGS.length * 6 * 0.1);
});

test('the likeliest token is left out where it says less than is to be expected', async () => {
  // One token has half of the mass, 2000 share the rest: the surprise to be expected lies nearer to theirs.
  const logits = new Float32Array(VOCAB).fill(-Infinity);
  logits.fill(0, 0, 2000);
  logits[7] = Math.log(1500);
  const sampling = { temperature: 1, typicalP: 0.4, seed: 9 };
  const { ids } = keepTokens(logits, checkSampling(sampling));
  expect(ids).toHaveLength(1999);
  expect(ids).not.toContain(7);
  under.begin(logits, { sampling });
  const drawn = await under.draw(96);
  expect(drawn.filter((id) => !ids.includes(id))).toEqual([]);
  under.begin(logits, { sampling: { ...sampling, typicalP: 1 } });
  const free = await under.draw(96);
  expect(free.filter((id) => id === 7).length).toBeGreaterThan(20);
});

test('a large vocabulary', async () => {
  const large = new SamplerUnderTest(gpu(), 151_936, { typical: true });
  for (const kind of ['peaked', 'flat'] as const) {
    const logits = LOGITS[kind](151_936, 5);
    const sampling = { temperature: 1, typicalP: 0.8, seed: 31 };
    large.begin(logits, { sampling });
    const expected = expectedDraws(logits, { sampling }, 3);
    const drawn = await large.draw(3);
    expected.forEach(({ id, certain }, n) => {
      if (certain) expect(drawn[n], `${kind}, step ${n}`).toBe(id);
    });
    expect(expected.some(({ certain }) => certain)).toBe(true);
  }
  large.destroy();
});
