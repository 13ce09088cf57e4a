/** Opening a model's files: a GGUF file, a folder as models lie on a hub, an address; and saying what is missing. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { type ModelFolder, openModel } from '$lib/engine/open-model';
import { urlPlace } from '$lib/engine/url-place';
import { memorySource } from '$lib/weights';
import { openFile } from '$lib/weights/node-source';
import { type GgufValue, u32, writeGguf } from '$lib/weights/gguf-writer';
import { ensurePocket } from '../../../../scripts/pocket';
import { serve } from '../../../../scripts/serve.js';
import { pocketFile } from '../../../support/text/tokenizers';
import { TINY } from '../../../support/llama';
import { tinyMetadata } from '../../../support/tiny-gguf';
import { concat, safetensors, sampleGguf } from '../weights/files';

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** A folder with a model that has a real tokenizer, and weights of two small tensors. */
function files(changes: Readonly<Record<string, Uint8Array | undefined>> = {}): Record<string, Uint8Array | undefined> {
  return {
    'model.safetensors': safetensors(),
    'config.json': json({ model_type: 'llama', eos_token_id: 2 }),
    'tokenizer.json': json(pocketFile('tokenizer.json')),
    'tokenizer_config.json': json(pocketFile('tokenizer_config.json')),
    ...changes,
  };
}

function folder(contents = files()): ModelFolder & { readonly open_: Set<string> } {
  const open_ = new Set<string>();
  return {
    name: 'models/small',
    open_,
    async open(file) {
      const bytes = contents[file];
      if (!bytes) return undefined;
      open_.add(file);
      return { ...memorySource(bytes, file), close: async () => void open_.delete(file) };
    },
  };
}

test('a GGUF file says everything itself', async () => {
  const { path, bytes } = await ensurePocket();
  const model = await openModel({ file: await openFile(path) });
  expect(model.name).toBe('MiniMind2-Small');
  expect(model.weights.files[0]!.size).toBe(bytes);
  expect(model.tokenizer.roles.ends).toContain(2);
  expect(model.template?.render([{ role: 'user', content: 'Hi' }]).text).toContain('<|im_start|>user\nHi<|im_end|>');
  expect(model.config).toBeUndefined();
  await model.close();
});

test('a folder has it in files of their own, all of which are given back', async () => {
  const place = folder();
  const model = await openModel({ folder: place });
  expect(model.name).toBe('small');
  expect([...model.weights.tensors.keys()]).toHaveLength(2);
  expect(model.config).toMatchObject({ model_type: 'llama' });
  expect(model.template?.render([{ role: 'user', content: 'Hi' }]).text).toContain('Hi');
  await model.close();
  expect(place.open_.size).toBe(0);
});

test('ends of an answer stand in config.json and in generation_config.json; a template may have a file', async () => {
  const model = await openModel({
    folder: folder(
      files({
        'config.json': json({ eos_token_id: 5 }),
        'generation_config.json': json({ eos_token_id: [6, 7] }),
        'chat_template.jinja': new TextEncoder().encode('{{ messages[0].content }}!'),
      }),
    ),
  });
  expect([...model.tokenizer.roles.ends]).toEqual(expect.arrayContaining([2, 5, 6, 7]));
  expect(model.template?.render([{ role: 'user', content: 'Hi' }]).text).toBe('Hi!');
});

test('a model without a chat template opens, and has none', async () => {
  const config = { ...pocketFile('tokenizer_config.json'), chat_template: undefined };
  const model = await openModel({ folder: folder(files({ 'tokenizer_config.json': json(config) })) });
  expect(model.template).toBeUndefined();
});

test('shards are one model', async () => {
  const shard = (name: string): Uint8Array =>
    safetensors({ [name]: { dtype: 'F32', shape: [5], data_offsets: [0, 20] } }, 20);
  const sharded = files({
    'model.safetensors': undefined,
    'model.safetensors.index.json': json({ weight_map: { a: 'one.safetensors', b: 'two.safetensors' } }),
    'one.safetensors': shard('a'),
    'two.safetensors': shard('b'),
  });
  const model = await openModel({ folder: folder(sharded) });
  expect([...model.weights.tensors.values()].map(({ name, file }) => [name, file])).toEqual([
    ['a', 0],
    ['b', 1],
  ]);
  await expect(openModel({ folder: folder({ ...sharded, 'two.safetensors': undefined }) })).rejects.toMatchObject({
    code: 'files',
    message: expect.stringContaining('two.safetensors') as string,
  });
});

test.each([
  ['model.safetensors', 'model.safetensors.index.json'],
  ['config.json', 'config.json'],
  ['tokenizer.json', 'tokenizer.json'],
])('without %s it says what is missing, and leaves nothing open', async (missing, told) => {
  const place = folder(files({ [missing]: undefined }));
  await expect(openModel({ folder: place })).rejects.toMatchObject({
    code: 'files',
    message: expect.stringMatching(new RegExp(`models/small: .*${told}`)) as string,
  });
  expect(place.open_.size).toBe(0);
});

test('a file of safetensors by itself is refused with advice', async () => {
  await expect(openModel({ file: memorySource(safetensors(), 'model.safetensors') })).rejects.toMatchObject({
    code: 'files',
    message: expect.stringContaining('folder') as string,
  });
});

/** A tiny model's header in two parts, with a tensor in each. */
function splitModel(): Record<string, Uint8Array> {
  const part = (no: number, metadata: Record<string, GgufValue>): Uint8Array => {
    const bytes = new Uint8Array(4);
    const tensors = [{ name: `part${no}`, type: 'F32', shape: [1], bytes }] as const;
    return concat(writeGguf({ metadata: { ...metadata, 'split.no': u32(no), 'split.count': u32(2) }, tensors }));
  };
  return { 'm-00001-of-00002.gguf': part(0, tinyMetadata(TINY)), 'm-00002-of-00002.gguf': part(1, {}) };
}

test('a split GGUF is one model, whichever part is named; a part that is not there is named', async () => {
  const parts = splitModel();
  for (const name of Object.keys(parts)) {
    const beside = folder(parts);
    const model = await openModel({ file: memorySource(parts[name]!, `models/${name}`), beside });
    expect([...model.weights.tensors.keys()]).toEqual(['part0', 'part1']);
    expect(model.tokenizer.roles.ends).toContain(2);
    expect(beside.open_.size).toBe(1);
    await model.close();
    expect(beside.open_.size).toBe(0);
  }
  const file = memorySource(parts['m-00001-of-00002.gguf']!, 'models/m-00001-of-00002.gguf');
  await expect(openModel({ file, beside: folder({}) })).rejects.toMatchObject({
    code: 'files',
    message: "models/small: there is no m-00002-of-00002.gguf, one of the model's 2 parts.",
  });
  await expect(openModel({ file })).rejects.toMatchObject({
    code: 'files',
    message: expect.stringContaining('one of 2 parts') as string,
  });
});

// ---- at an address ---------------------------------------------------------------------------------------------

const root = mkdtempSync(join(tmpdir(), 'fireside-models-'));
let origin: string;
let stop: () => void;

beforeAll(async () => {
  mkdirSync(join(root, 'small'));
  for (const [name, bytes] of Object.entries(files())) if (bytes) writeFileSync(join(root, 'small', name), bytes);
  const server = await serve({ folder: root, port: 0, host: '127.0.0.1' });
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  stop = () => {
    server.closeAllConnections();
    server.close();
  };
});
afterAll(() => {
  stop();
  rmSync(root, { recursive: true });
});

test.each(['/small', '/small/'])('a folder at an address, «%s»', async (path) => {
  const model = await openModel(await urlPlace(origin + path));
  expect(model.name).toBe('small');
  expect(model.weights.tensors.size).toBe(2);
});

test('a file at an address; what is not there is told by its address', async () => {
  writeFileSync(join(root, 'sample.gguf'), sampleGguf());
  expect(await urlPlace(`${origin}/sample.gguf?download=1`)).toHaveProperty('file.size');
  await expect(urlPlace(`${origin}/none.gguf`)).rejects.toMatchObject({ status: 404, file: `${origin}/none.gguf` });
});

afterEach(() => vi.unstubAllGlobals());

test('from a server that knows no ranges a file is taken whole, if it is our own', async () => {
  const server = createServer((_, response) => response.end(sampleGguf()));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await expect(urlPlace(`${address}/a.gguf`)).rejects.toMatchObject({ problem: 'no-range' });
  vi.stubGlobal('location', { origin: address });
  expect(await urlPlace(`${address}/a.gguf`)).toMatchObject({ file: { size: sampleGguf().length } });
  vi.stubGlobal('location', { origin: 'https://elsewhere.test' });
  await expect(urlPlace(`${address}/a.gguf`)).rejects.toMatchObject({ problem: 'no-range' });
  server.closeAllConnections();
  server.close();
});
