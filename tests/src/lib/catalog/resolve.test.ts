/** From a name to files, asked of a hub at the moment. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bestOf, CATALOG, type CatalogEntry, describeChoice, type ModelFacts, resolveEntry } from '$lib/catalog';
import { GPU_BYTES, QUANT_BYTES } from '$lib/catalog/weight-bytes';
import type { Choice, ModelStore } from '$lib/store';
import { quantizationOf } from '$lib/store/kinds';
import { type ByteSource, memorySource } from '$lib/weights';
import { type GgufValue, text as ggufText, u32, writeGguf } from '$lib/weights/gguf-writer';
import { TENSOR_TYPES, type TensorType } from '$gpu/formats/blocks';
import { QUANT_NAMES } from '$gpu/formats/quantise';
import { bytesPerWeight, LAYOUTS, layoutOf, MATRIX_TYPES } from '$gpu/quant';
import { ensurePocket } from '../../../../scripts/pocket';
import { TINY } from '../../../support/llama';
import { tinyMetadata } from '../../../support/tiny-gguf';
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

const LLAMA = {
  ...{ model_type: 'llama', hidden_size: 64, intermediate_size: 128, num_hidden_layers: 2, num_attention_heads: 4 },
  ...{ num_key_value_heads: 2, vocab_size: 320, max_position_embeddings: 256, rms_norm_eps: 1e-5 },
  ...{ hidden_act: 'silu', tie_word_embeddings: true, rope_theta: 10000 },
};

test('safetensors count as what they become on the GPU, and foreign ways of making them smaller are refused', async () => {
  const choice = await resolve('me/tensors');
  const described = (config: object): Promise<ModelFacts> =>
    describeChoice(choice, {
      open: async (url) => memorySource(new TextEncoder().encode(JSON.stringify(config)), url),
    });
  const facts = await described(LLAMA);
  // Two layers of q, k, v, o and three matrices of 64 x 128, and the embedding, in blocks of 32 codes and a float32.
  const weights = 2 * ((64 + 2 * 32 + 64) * 64 + 3 * 64 * 128) + 320 * 64;
  expect(facts).toMatchObject({ quant: 'q8', weightBytes: weights * 1.125 });
  expect((await described({ ...LLAMA, num_hidden_layers: 64, hidden_size: 4096 })).quant).toBe('q4');
  const foreign = { ...LLAMA, quantization_config: { quant_method: 'awq', bits: 4 } };
  expect((await described(foreign)).unsupported).toMatch(/awq.*GGUF/);
});

test('GGUF files count as what they take on the GPU; what it does not compute with goes to the processor', async () => {
  const choice = await resolve('me/both');
  const gguf = (type: TensorType, name: string, metadata: Record<string, GgufValue> = {}): ByteSource => {
    const { blockBytes } = TENSOR_TYPES[type];
    const tensor = { name, type, shape: [TINY.vocab, 256], bytes: new Uint8Array(TINY.vocab * blockBytes) };
    const parts = writeGguf({ metadata: { ...tinyMetadata(TINY), ...metadata }, tensors: [tensor] });
    return memorySource(Buffer.concat([...parts]), name);
  };
  const described = (source: ByteSource): Promise<ModelFacts> => describeChoice(choice, { open: async () => source });
  const embedding = 'token_embd.weight';
  expect(await described(gguf('Q4_K', embedding))).toMatchObject({ weightBytes: TINY.vocab * 256 * GPU_BYTES.Q4_K! });
  expect((await described(gguf('IQ3_S', embedding))).notOnGpu).toMatch(/IQ3_S/);
  const adapter = gguf('Q4_K', embedding, { 'general.type': ggufText('adapter') });
  expect((await described(adapter)).unsupported).toMatch(/adapter/);
});

test('a GGUF in parts is described by all of them', async () => {
  const part = (no: number, name: string): ByteSource => {
    const split = { 'split.no': u32(no), 'split.count': u32(2) };
    const metadata = no === 0 ? { ...tinyMetadata(TINY), ...split } : split;
    const tensor = { name, type: 'F16' as const, shape: [TINY.vocab, 8], bytes: new Uint8Array(TINY.vocab * 16) };
    return memorySource(Buffer.concat([...writeGguf({ metadata, tensors: no === 0 ? [] : [tensor] })]), name);
  };
  const [choice] = (await store.look('me/split')).choices;
  const parts = [part(0, 'nothing'), part(1, 'token_embd.weight')];
  const facts = await describeChoice(choice!, { open: async (url) => parts[url.includes('00001-of') ? 0 : 1]! });
  expect(facts).toMatchObject({ weightBytes: TINY.vocab * 16, shape: { vocab: TINY.vocab } });
});

test('what weights take on the GPU is what gpu/quant has them take', () => {
  const layouts = MATRIX_TYPES.map((type) => [type, bytesPerWeight(layoutOf(type)!)]);
  expect(Object.fromEntries(layouts)).toEqual(GPU_BYTES);
  for (const name of QUANT_NAMES) expect(QUANT_BYTES[name]).toBe(bytesPerWeight(LAYOUTS[name]));
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
