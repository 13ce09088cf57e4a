/** Top-k, top-p, min-p, temperature: the very tokens that the float64 reference draws, and none beyond the edge. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Gpu } from '$gpu/device';
import { keepTokens } from '$gpu/generate/reference';
import { Sampler } from '$gpu/generate/sampler';
import { checkSampling, type Sampling } from '$gpu/generate/sampling';
import { openTestGpu } from '../../support/gpu';
import { LOGITS, SamplerUnderTest, THREADS_HERE, expectedDraws, placeThatDraws } from '../../support/generate';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openTestGpu();
  await gpu.preparePipelines(Sampler.specs(gpu, { threads: THREADS_HERE }));
});
afterEach(() => {
  expect(gpu.takeErrors(), 'errors that WebGPU reported on the side').toEqual([]);
});
afterAll(() => gpu.destroy());

const SETTINGS: readonly Sampling[] = [
  { temperature: 1 },
  { temperature: 0.01 },
  { temperature: 1e-6 },
  { temperature: 40 },
  { temperature: 1, topK: 1 },
  { temperature: 0.8, topK: 7 },
  { temperature: 3, topK: 300 },
  { temperature: 1, topK: 511 },
  { temperature: 1, topK: 1e9 },
  { temperature: 1, topP: 0.9 },
  { temperature: 2, topP: 0.5 },
  { temperature: 1, topP: 0 },
  { temperature: 1, topP: 0.999 },
  { temperature: 1, minP: 0.1 },
  { temperature: 5, minP: 0.5 },
  { temperature: 1, minP: 1 },
  { temperature: 0.7, topK: 40, topP: 0.95 },
  { temperature: 1.5, topK: 100, topP: 0.6, minP: 0.02 },
  { temperature: 1, topP: 0.8, minP: 0.05 },
  { temperature: 1, topK: 50, minP: 0.3 },
];

const KINDS = Object.keys(LOGITS) as (keyof typeof LOGITS)[];

describe.each([
  [512, 12],
  [6400, 3],
])('%i tokens', (vocab, steps) => {
  let under: SamplerUnderTest;
  beforeAll(() => {
    under = new SamplerUnderTest(gpu, vocab);
  });
  afterAll(() => under.destroy());

  test.each(KINDS)('%s logits: the tokens of the reference, whatever the settings', async (kind) => {
    let doubtful = 0;
    for (const [n, options] of SETTINGS.entries()) {
      const sampling = { ...options, seed: 1000 + n };
      const logits = LOGITS[kind](vocab, n);
      under.begin(logits, { sampling });
      const drawn = await under.draw(steps);
      expectedDraws(logits, { sampling }, steps).forEach(({ id, certain }, step) => {
        if (!certain) doubtful += 1;
        else expect(drawn[step], `${JSON.stringify(options)}, step ${step}`).toBe(id);
      });
    }
    expect(doubtful, 'steps that float32 leaves open').toBeLessThan(SETTINGS.length * steps * 0.05);
  });
});

describe('the edge of what is kept', () => {
  let under: SamplerUnderTest;
  beforeAll(() => {
    under = new SamplerUnderTest(gpu, 512);
  });
  afterAll(() => under.destroy());

  const edges: readonly (readonly [keyof typeof LOGITS, Sampling])[] = [
    ['flat', { temperature: 1, topK: 20 }],
    ['flat', { temperature: 1, topK: 200 }],
    ['flat', { temperature: 1, topP: 0.3 }],
    ['flat', { temperature: 0.5, topP: 0.9 }],
    ['flat', { temperature: 1, minP: 0.8 }],
    ['flat', { temperature: 1, topK: 300, topP: 0.5 }],
    ['tied', { temperature: 1, topK: 60 }],
    ['tied', { temperature: 1, topK: 400 }],
    ['tied', { temperature: 3, topP: 0.4 }],
    ['tied', { temperature: 3, topK: 400, topP: 0.8 }],
    ['equal', { temperature: 1, topK: 100 }],
    ['equal', { temperature: 1, topP: 0.5 }],
    ['equal', { temperature: 1, topK: 200, topP: 0.25 }],
    ['sparse', { temperature: 2, topK: 5 }],
    ['peaked', { temperature: 2, topK: 12 }],
  ];

  // Of all places in a sequence, one whose noise is kind to the last token kept, and one where the first token cut off
  // would be drawn if it were not.
  test.each(edges)('%s %j', async (kind, options) => {
    const sampling = { ...options, seed: 5 };
    const logits = LOGITS[kind](512, 3);
    const { ids, next } = keepTokens(logits, checkSampling(sampling));
    const last = ids[ids.length - 1]!;
    expect(next, 'something is cut off').toBeDefined();
    const drawAt = async (place: number): Promise<number> => {
      under.begin(logits, { sampling }, place - 1);
      return (await under.draw(1))[0]!;
    };

    const inside = placeThatDraws(logits, ids, sampling, last, 20_000);
    expect(inside, 'a place that draws the last token kept').toBeGreaterThan(0);
    expect(await drawAt(inside)).toBe(last);

    const outside = placeThatDraws(logits, [...ids, next!], sampling, next!, 20_000);
    expect(outside, 'a place that would draw the first token cut off').toBeGreaterThan(0);
    expect(ids).toContain(await drawAt(outside));
  });
});

test.each([
  [32_000, 'peaked', { temperature: 0.8, topK: 40, topP: 0.95 }],
  [32_000, 'flat', { temperature: 1, topP: 0.9 }],
  [32_001, 'equal', { temperature: 1, topK: 20_000 }],
  [151_936, 'peaked', { temperature: 1, topK: 50, topP: 0.9, minP: 0.01 }],
  [151_936, 'flat', { temperature: 1, topP: 0.7 }],
] as const)('%i tokens, %s logits, %j', async (vocab, kind, options) => {
  const under = new SamplerUnderTest(gpu, vocab);
  const sampling = { ...options, seed: 77 };
  const logits = LOGITS[kind](vocab, 9);
  under.begin(logits, { sampling });
  const drawn = await under.draw(4);
  expect(drawn).toEqual(expectedDraws(logits, { sampling }, 4).map(({ id }) => id));
  under.destroy();
});
