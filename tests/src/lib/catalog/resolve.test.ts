/** From a name to files, asked of a hub at the moment. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bestOf, CATALOG, type CatalogEntry, describeChoice, resolveEntry } from '$lib/catalog';
import type { Choice, ModelStore } from '$lib/store';
import { quantizationOf } from '$lib/store/kinds';
import { ensurePocket } from '../../../../scripts/pocket';
import { memoryContent } from '../../../hub/content.js';
import { type Hub, startHub } from '../../../hub/hub.js';
import { type Bench, openBench, text } from '../store/support';

let hub: Hub;
let bench: Bench;
let store: ModelStore;
beforeAll(async () => {
  const pocket = memoryContent(readFileSync((await ensurePocket()).path));
  const tensors = {
    'config.json': text(JSON.stringify({ model_type: 'bert' })),
    'tokenizer.json': text('{}'),
    'model.safetensors': text('weights'),
    'onnx/model.onnx': text('other'),
  };
  hub = await startHub({
    repos: {
      'me/both': { files: tensors },
      'me/both-GGUF': { files: { 'both-q4_k_m.gguf': pocket, 'both-q8_0.gguf': pocket, 'mmproj-f16.gguf': pocket } },
      'me/tensors': { files: tensors },
      'me/odd': { files: tensors },
      'me/odd-qat-gguf': { files: { 'odd-q4_0.gguf': pocket }, gated: true },
      'me/split': { files: { 'q4_0/x-00001-of-00002.gguf': pocket, 'q4_0/x-00002-of-00002.gguf': pocket } },
      'me/part': { files: { 'x-00001-of-00003.gguf': pocket, 'x-00002-of-00003.gguf': pocket } },
      'me/pieces': { files: { 'mmproj-f16.gguf': pocket, 'imatrix.gguf': pocket, 'style-lora.gguf': pocket } },
    },
  });
  bench = await openBench();
  store = bench.open({ hub: { hub: hub.url, keep: 'page' } });
});
afterAll(async () => {
  await bench.close();
  hub.close();
});

const entry = (repo: string, ggufRepo?: string): CatalogEntry => ({
  ...CATALOG[0]!,
  repo,
  ...(ggufRepo && { ggufRepo }),
});
const resolve = (repo: string, ggufRepo?: string): Promise<Choice> =>
  resolveEntry(entry(repo, ggufRepo), (address, signal) => store.offer(address, signal));

test('the publisher’s GGUF where there is one, else the safetensors', async () => {
  expect(await resolve('me/both')).toMatchObject({
    format: 'gguf',
    quantization: 'Q8_0',
    origin: { repo: 'me/both-GGUF' },
  });
  expect(await resolve('me/tensors')).toMatchObject({ format: 'safetensors', origin: { repo: 'me/tensors' } });
  expect(await resolve('me/odd', 'me/odd-qat-gguf')).toMatchObject({ quantization: 'Q4_0' });
});

test('what is gone, lacks a part, or is no model by itself says so', async () => {
  await expect(resolve('me/gone')).rejects.toMatchObject({ problem: 'not-found' });
  await expect(resolve('me/part')).rejects.toThrow(/one of 3 parts, of which 1 are missing/);
  await expect(resolve('me/pieces')).rejects.toThrow(/pictures or sounds.*importance matrix.*LoRA/);
});

test('a model in parts is one', async () => {
  const { choices } = await store.look('me/split/q4_0/x-00002-of-00002.gguf');
  expect(choices).toHaveLength(1);
  expect(choices[0]).toMatchObject({ name: 'x', quantization: 'Q4_0', bytes: 2 * choices[0]!.files[0]!.size });
});

test('a header tells what a model needs, before it is downloaded', async () => {
  hub.log.clear();
  const facts = await describeChoice(await resolve('me/both'));
  expect(facts.shape).toMatchObject({ layers: 8, width: 512, vocab: 6400 });
  expect(hub.log.sent()).toBeLessThan(2 * 2 ** 20);
  expect((await describeChoice(await resolve('me/tensors'))).unsupported).toMatch(/bert/);
});

test.each([
  ['qwen2.5-0.5b-instruct-q4_k_m.gguf', 'Q4_K_M'],
  ['Qwen3-0.6B-Q8_0.gguf', 'Q8_0'],
  ['gemma-3-1b-it-q4_0.gguf', 'Q4_0'],
  ['model.IQ4_XS.gguf', 'IQ4_XS'],
  ['model-bf16.gguf', 'BF16'],
  ['Model-fp16.gguf', 'F16'],
  ['model.gguf', undefined],
])('%s is %s', (path, quantization) => {
  expect(quantizationOf(path)).toBe(quantization);
});

test('Q8_0 of small models, Q4_K_M of larger ones, and what is nearest', () => {
  const choices = (...list: readonly (readonly [quantization: string | undefined, gib: number])[]): Choice[] =>
    list.map(([quantization, gib]) => ({
      ...{ id: 'x', name: 'x', files: [], origin: { kind: 'hub', address: 'x' } },
      format: quantization === undefined ? 'safetensors' : 'gguf',
      bytes: gib * 2 ** 30,
      ...(quantization !== undefined && { quantization }),
    }));
  expect(bestOf(choices(['Q4_K_M', 0.4], ['Q8_0', 0.7]))?.quantization).toBe('Q8_0');
  expect(bestOf(choices(['Q4_K_M', 1], ['Q8_0', 1.8]))?.quantization).toBe('Q4_K_M');
  expect(bestOf(choices(['Q2_K', 0.4], [undefined, 2]))?.quantization).toBe('Q2_K');
  expect(bestOf(choices([undefined, 2]))?.format).toBe('safetensors');
  expect(bestOf([])).toBeUndefined();
});
