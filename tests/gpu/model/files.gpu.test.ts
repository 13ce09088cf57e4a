/** Models as their files come, through the whole path to the GPU: shards, parts, and weights made smaller on the way. */
import { beforeEach, expect, test } from 'vitest';
import { openOnGpu, type ModelOnGpu } from '$lib/engine/gpu-open';
import type { ModelFolder, ModelPlace } from '$lib/engine/open-model';
import type { ModelConfig } from '$gpu/formats/model';
import { Session } from '$gpu/generate';
import { memorySource } from '$lib/weights';
import { u32, writeGguf } from '$lib/weights/gguf-writer';
import { concat } from '../../src/lib/weights/files';
import { isSlow } from '../../support/attention/grid';
import { openTestGpu } from '../../support/gpu';
import { TINY, tinyWeights, type TinyWeights } from '../../support/llama';
import { tinyReference } from '../../support/transformer';
import { tinyFolder } from '../../support/tiny-folder';
import { tinyMetadata, tinyTensors } from '../../support/tiny-gguf';

const HALVES: ModelConfig = { ...TINY, rope: { ...TINY.rope, pairing: 'halves' } };
const IDS = Array.from({ length: 20 }, (_, n) => (n * 37 + 5) % TINY.vocab);

beforeEach((context) => {
  context.skip(isSlow, 'twenty seconds on a narrow software GPU, for what is no matter of GPUs: npm run test:large');
});

async function opened(place: ModelPlace, more: { quant?: 'q8' | 'auto' } = {}): Promise<ModelOnGpu> {
  const gpu = await openTestGpu({ prepare: [], selfTest: false });
  try {
    return await openOnGpu(gpu, place, { ...more, signal: new AbortController().signal, progress: () => {} });
  } catch (error) {
    gpu.destroy();
    throw error;
  }
}

function folderOf(files: Record<string, Uint8Array>): ModelFolder {
  return { name: 'tiny', open: async (file) => files[file] && memorySource(files[file], file) };
}

async function largestError({ network }: ModelOnGpu, config: ModelConfig, weights: TinyWeights): Promise<number> {
  const session = new Session(network);
  const wanted = tinyReference(config, weights, IDS);
  let [worst, position] = [0, 0];
  for await (const row of session.score(IDS, { top: 20 })) {
    for (const [id, logprob] of row) worst = Math.max(worst, Math.abs(logprob - wanted[position]![id]!));
    position++;
  }
  expect(position).toBe(IDS.length);
  session.destroy();
  return worst;
}

test('safetensors in three shards', async () => {
  const weights = tinyWeights(HALVES, 'F32');
  const files = tinyFolder(HALVES, weights, 3);
  const one = await opened({ folder: folderOf(files) });
  expect(await largestError(one, HALVES, weights)).toBeLessThanOrEqual(1e-4);
  expect(one.quantised).toEqual([]);
  one.model.close();

  const incomplete = { ...files };
  delete incomplete['model-00002-of-00003.safetensors'];
  await expect(opened({ folder: folderOf(incomplete) })).rejects.toThrow(
    'tiny: there is no model-00002-of-00003.safetensors, which model.safetensors.index.json names.',
  );
});

test('the same made smaller on the way, with what each tensor loses', async () => {
  const weights = tinyWeights(HALVES, 'F32');
  const files = tinyFolder(HALVES, weights, 1);
  // What a tiny model becomes by itself is what 'q8' makes of it.
  const one = await opened({ folder: folderOf(files) }, { quant: 'auto' });
  const error = await largestError(one, HALVES, weights);
  expect(error).toBeLessThanOrEqual(0.2);
  expect(error).toBeGreaterThan(1e-3);
  expect(one.quantised).toHaveLength(2 + 7 * HALVES.layers.length);
  one.model.close();
});

test('a GGUF in two parts; one with a NaN among its numbers is refused by tensor and element', async () => {
  const weights = tinyWeights(TINY, 'F32');
  const parts = splitGguf(weights);
  const names = Object.keys(parts);
  const place = { file: memorySource(parts[names[0]!]!, names[0]), beside: folderOf(parts) };
  const one = await opened(place, { quant: 'auto' });
  expect(one.quantised).toEqual([]);
  expect(await largestError(one, TINY, weights)).toBeLessThanOrEqual(1e-4);
  one.model.close();

  const bad = parts[names[1]!]!.slice();
  new DataView(bad.buffer).setFloat32(bad.length - 4, NaN, true);
  const beside = folderOf({ ...parts, [names[1]!]: bad });
  const [name, { values }] = [...weights].at(-1)!;
  await expect(opened({ ...place, beside })).rejects.toThrow(
    `${names[1]}: ${name}: element ${values.length - 1} is infinite or no number.`,
  );
});

function splitGguf(weights: TinyWeights): Record<string, Uint8Array> {
  const tensors = tinyTensors(weights);
  const middle = Math.floor(tensors.length / 2);
  const halves = [tensors.slice(0, middle), tensors.slice(middle)];
  return Object.fromEntries(
    halves.map((some, no) => {
      const split = { 'split.no': u32(no), 'split.count': u32(2), 'split.tensors.count': u32(tensors.length) };
      const metadata = no === 0 ? { ...tinyMetadata(TINY), ...split } : split;
      return [`m-0000${no + 1}-of-00002.gguf`, concat(writeGguf({ metadata, tensors: some }))];
    }),
  );
}
