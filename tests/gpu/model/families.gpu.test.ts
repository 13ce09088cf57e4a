/** Every family of models: a tiny one of random weights, log-probabilities at every position against float64. */
import { describe, expect, test } from 'vitest';
import type { ModelConfig } from '$gpu/formats/model';
import { NEUTRAL } from '$gpu/formats/model';
import { ARCHITECTURES } from '$gpu/formats/families';
import { Session } from '$gpu/generate';
import { tinyModel, tinyOf, tinyWeights } from '../../support/llama';
import { tinyReference } from '../../support/transformer';
import { useBareGpu } from '../../support/gpu';

const gpu = useBareGpu();

/** What each family's models say besides what the family says; windows shorter than the text. */
const CASES: readonly (readonly [name: string, ModelConfig])[] = [
  ['llama', tinyOf('llama')],
  [
    'llama, positions in half of a head, scaled',
    tinyOf('llama', {
      rope: { theta: 5e5, dims: 8, pairing: 'halves', scaling: { kind: 'linear', factor: 4 } },
      layers: [{ rope: 'global', window: 5 }, { rope: 'global' }],
    }),
  ],
  ['smollm3', tinyOf('smollm3', { layers: [{ rope: 'global' }, { rope: 'none' }] })],
  ['qwen2', tinyOf('qwen2', { tiedHead: true })],
  ['qwen3', tinyOf('qwen3', { headDim: 32, rope: { theta: 1e6, dims: 32, pairing: 'halves' } })],
  [
    'gemma2',
    tinyOf('gemma2', {
      tiedHead: true,
      layers: [{ rope: 'global', window: 6 }, { rope: 'global' }],
      scales: { ...NEUTRAL, embedding: 8, attention: 0.2, attentionSoftcap: 2, logitSoftcap: 3 },
    }),
  ],
  [
    'gemma3, gains as safetensors have them',
    tinyOf('gemma3', {
      tiedHead: true,
      gainOffset: 1,
      layers: [{ rope: 'local', window: 4 }, { rope: 'global' }],
      rope: { theta: 1e6, dims: 16, pairing: 'halves', scaling: { kind: 'linear', factor: 8 } },
      localRope: { theta: 10000, dims: 16, pairing: 'halves' },
      scales: { ...NEUTRAL, embedding: 8 },
    }),
  ],
  [
    'phi3',
    tinyOf('phi3', {
      rope: {
        theta: 10000,
        dims: 12,
        pairing: 'halves',
        scaling: { kind: 'factors', short: 'ropeFactorsShort', long: 'ropeFactorsLong', original: 600, magnitude: 1.2 },
      },
    }),
  ],
  [
    'granite',
    tinyOf('granite', {
      scales: { ...NEUTRAL, embedding: 12, residual: 0.22, attention: 0.1, logits: 1 / 8 },
    }),
  ],
  ['olmo2', tinyOf('olmo2')],
];

test('every family is here', () => {
  expect(new Set(CASES.map(([, { architecture }]) => architecture))).toEqual(new Set(ARCHITECTURES));
});

describe.each(CASES)('%s', (_, config) => {
  test('log-probabilities at every position, and a step more as decode has it', async () => {
    const weights = tinyWeights(config, 'F32');
    const ids = Array.from({ length: 21 }, (_, n) => (n * 37 + 5) % config.vocab);
    const wanted = tinyReference(config, weights, ids);

    const model = await tinyModel(gpu(), config, weights, { kv: 'f32' });
    const session = new Session(model);
    let position = 0;
    for await (const row of session.score(ids, { top: 20 })) {
      for (const [id, logprob] of row) {
        expect(Math.abs(logprob - wanted[position]![id]!), `${id} at ${position}`).toBeLessThanOrEqual(1e-4);
      }
      position++;
    }
    expect(position).toBe(ids.length);

    // Two tokens drawn: the second one is of a decode step, one query on the cache.
    const drawn = [];
    for await (const one of session.generate(ids, { maxTokens: 2, logprobs: 1 })) drawn.push(one);
    const [after] = tinyReference(config, weights, [...ids, drawn[0]!.id]).slice(-1);
    expect(Math.abs(drawn[1]!.logprob! - after![drawn[1]!.id]!)).toBeLessThanOrEqual(1e-4);
    session.destroy();
    model.destroy();
  });
});
