/**
 * Every family of models, as a GGUF file and as Hugging Face's safetensors: our log-probabilities at every position
 * against llama.cpp's on the CPU.
 */
import { describe, expect, test } from 'vitest';
import { ARCHITECTURES } from '$gpu/formats/families';
import { NEUTRAL, type ModelConfig } from '$gpu/formats/model';
import { Session } from '$gpu/generate';
import type { Model } from '$gpu/model';
import { configFromGguf, memorySource, openWeights } from '$lib/weights';
import { useBareGpu } from '../../support/gpu';
import { llamaCpp } from '../../support/llama-cpp';
import { TINY, tinyOf, tinyWeights } from '../../support/llama';
import { loadModel } from '../../support/model';
import { tinyFolder } from '../../support/tiny-folder';
import { tinyGguf } from '../../support/tiny-gguf';

const gpu = useBareGpu();

/** llama.cpp itself is up to 5e-3 from float64 here, whatever its cache is kept in; we are within 1e-4. */
const TOLERANCE = 1e-2;

/** Rows of a multiple of 32 and heads of 32, since llama.cpp pads others; windows shorter than the text. */
const SIZES: Partial<ModelConfig> = { headsQ: 2, headsKv: 1, headDim: 32, vocab: 3 + 256 };
const rope = (more: Partial<ModelConfig['rope']> = {}): ModelConfig['rope'] => ({
  theta: 10000,
  dims: 32,
  pairing: 'halves',
  ...more,
});
const NEIGHBOURS = rope({ pairing: 'neighbours' });

const IDS = Array.from({ length: 40 }, (_, n) => (n * 37 + 5) % 259);

const CASES: readonly (readonly [name: string, ModelConfig])[] = [
  ['llama', tinyOf('llama', { ...SIZES, rope: NEIGHBOURS })],
  [
    'llama, frequencies divided as Llama 3.2 has it',
    tinyOf('llama', {
      ...SIZES,
      rope: {
        ...NEIGHBOURS,
        scaling: { kind: 'factors', short: 'ropeFactors', long: 'ropeFactors', original: TINY.context, magnitude: 1 },
      },
    }),
  ],
  [
    'llama, yarn',
    tinyOf('llama', {
      ...SIZES,
      rope: {
        ...NEIGHBOURS,
        scaling: { kind: 'yarn', factor: 4, fast: 32, slow: 1, original: 150, magnitude: 1 + 0.1 * Math.log(4) },
      },
    }),
  ],
  [
    'smollm3',
    tinyOf('smollm3', {
      ...SIZES,
      rope: NEIGHBOURS,
      layers: [{ rope: 'global' }, { rope: 'global' }, { rope: 'global' }, { rope: 'none' }],
    }),
  ],
  ['qwen2', tinyOf('qwen2', { ...SIZES, rope: rope(), tiedHead: true })],
  ['qwen3', tinyOf('qwen3', { ...SIZES, rope: rope({ theta: 1e6 }) })],
  [
    'gemma2',
    tinyOf('gemma2', {
      ...SIZES,
      rope: rope(),
      tiedHead: true,
      layers: [{ rope: 'global', window: 6 }, { rope: 'global' }],
      scales: { ...NEUTRAL, embedding: 8, attentionSoftcap: 2, logitSoftcap: 3 },
    }),
  ],
  [
    'gemma3',
    tinyOf('gemma3', {
      ...SIZES,
      tiedHead: true,
      layers: Array.from({ length: 6 }, (_, n) =>
        n < 5 ? ({ rope: 'local', window: 4 } as const) : ({ rope: 'global' } as const),
      ),
      rope: rope({ theta: 1e6, scaling: { kind: 'linear', factor: 8 } }),
      localRope: rope(),
      scales: { ...NEUTRAL, embedding: 8 },
    }),
  ],
  [
    'phi3, part of a head turns',
    tinyOf('phi3', {
      ...SIZES,
      rope: rope({
        dims: 24,
        scaling: {
          kind: 'factors',
          short: 'ropeFactorsShort',
          long: 'ropeFactorsLong',
          original: TINY.context,
          magnitude: 1.2,
        },
      }),
    }),
  ],
  [
    'phi3, longer than it was first trained for',
    tinyOf('phi3', {
      ...SIZES,
      rope: rope({
        dims: 24,
        scaling: { kind: 'factors', short: 'ropeFactorsShort', long: 'ropeFactorsLong', original: 64, magnitude: 1.2 },
      }),
    }),
  ],
  [
    'granite',
    tinyOf('granite', {
      ...SIZES,
      rope: NEIGHBOURS,
      scales: { ...NEUTRAL, embedding: 12, residual: 0.25, attention: 0.125, logits: 1 / 8 },
    }),
  ],
  ['olmo2', tinyOf('olmo2', { ...SIZES, rope: rope() })],
];

test('every family is here', () => {
  expect(new Set(CASES.map(([, { architecture }]) => architecture))).toEqual(new Set(ARCHITECTURES));
});

describe.each(CASES)('%s', (name, config) => {
  test('the file says what it was written from, and llama.cpp computes the same', async (context) => {
    const oracle = await llamaCpp(context);
    const weights = tinyWeights(config, 'F32');
    const bytes = tinyGguf(config, weights);
    const path = await writeTemporary(bytes);
    const wanted = await oracle.scores(path, IDS);
    await oracle.close();

    const source = memorySource(bytes, `${name}.gguf`);
    expect(inFloat32(configFromGguf(await openWeights(source)))).toEqual(inFloat32(config));
    const files = tinyFolder(config, weights, 1);
    const json = memorySource(files['config.json']!, 'config.json');
    await expectScores(await loadModel(gpu(), source, { kv: 'f32' }), wanted);
    const safetensors = memorySource(files['model.safetensors']!, 'model.safetensors');
    await expectScores(await loadModel(gpu(), safetensors, { kv: 'f32', config: json }), wanted);
  });
});

async function expectScores(model: Model, wanted: readonly ReadonlyMap<number, number>[]): Promise<void> {
  const session = new Session(model);
  let position = 0;
  for await (const row of session.score(IDS, { top: 20 })) {
    for (const [id, logprob] of row) {
      const distance = Math.abs(logprob - wanted[position]!.get(id)!);
      expect(distance, `${id} at ${position}`).toBeLessThanOrEqual(TOLERANCE);
    }
    position++;
  }
  expect(position).toBe(IDS.length);
  session.destroy();
  model.destroy();
}

/** Numbers as a file can hold them. */
function inFloat32(config: ModelConfig): unknown {
  return JSON.parse(JSON.stringify(config), (_, value: unknown) =>
    typeof value === 'number' ? Math.fround(value) : value,
  );
}

async function writeTemporary(bytes: Uint8Array): Promise<string> {
  const { mkdtemp, writeFile } = await import('node:fs/promises');
  const { tmpdir } = await import('node:os');
  const path = `${await mkdtemp(`${tmpdir()}/fireside-`)}/model.gguf`;
  await writeFile(path, bytes);
  return path;
}
