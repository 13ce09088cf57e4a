/** A model in several files: parts of a GGUF by their names, shards of safetensors by their index; and parts that lie. */
import { describe, expect, it } from 'vitest';
import {
  joinShards,
  joinSplit,
  memorySource,
  openWeights,
  readShardIndex,
  splitNames,
  type WeightsFile,
} from '$lib/weights';
import { type GgufTensor, type GgufValue, text, u32, writeGguf } from '$lib/weights/gguf-writer';
import { concat, counting, safetensors } from './files';

const tensor = (name: string): GgufTensor => ({ name, type: 'F32', shape: [5], bytes: counting(20) });

async function part(
  no: number,
  count: number,
  more: Record<string, GgufValue> = {},
  name?: string,
): Promise<WeightsFile> {
  const split = { 'split.no': u32(no), 'split.count': u32(count), ...more };
  const metadata = no === 0 ? { 'general.architecture': text('llama'), ...split } : split;
  const file = name ?? `models/m-0000${no + 1}-of-0000${count}.gguf`;
  return openWeights(memorySource(concat(writeGguf({ metadata, tensors: [tensor(`t${no}`)] })), file));
}

describe('a split GGUF', () => {
  it('names its parts, whichever of them is opened', async () => {
    const names = ['m-00001-of-00003.gguf', 'm-00002-of-00003.gguf', 'm-00003-of-00003.gguf'];
    expect(splitNames(await part(0, 3))).toEqual(names);
    expect(splitNames(await part(2, 3, {}, 'https://a.test/b/m-00003-of-00003.gguf?download=1'))).toEqual(names);
    expect(splitNames(await part(0, 1))).toBeUndefined();
  });

  it('is one model: the metadata of the first, the tensors of all, each knowing its file', async () => {
    const total = { 'split.tensors.count': u32(2) };
    const joined = joinSplit([await part(0, 2, total), await part(1, 2, total)]);
    expect(joined.metadata.string('general.architecture')).toBe('llama');
    expect([...joined.tensors.values()].map(({ name, file }) => [name, file])).toEqual([
      ['t0', 0],
      ['t1', 1],
    ]);
    expect(joined.files).toHaveLength(2);
  });

  it('under another name says which names are looked for', async () => {
    const renamed = await part(0, 2, {}, 'model.gguf');
    expect(() => splitNames(renamed)).toThrow(/NAME-00001-of-00002\.gguf to NAME-00002-of-00002\.gguf/);
    expect(() => splitNames(renamed)).toThrow(
      expect.objectContaining({ problem: 'missing', field: 'split.count' }) as Error,
    );
    const miscounted = await part(0, 3, {}, 'm-00001-of-00002.gguf');
    expect(() => splitNames(miscounted)).toThrow(/one of 3 parts/);
  });

  it('of a million parts is refused before any is looked for', async () => {
    const many = await part(0, 1_000_000, {}, 'm-00001-of-00002.gguf');
    expect(() => splitNames(many)).toThrow(
      expect.objectContaining({ problem: 'limit', field: 'split.count' }) as Error,
    );
  });

  it.each([
    [
      'another part under its name',
      async () => [await part(0, 2), await part(0, 2)],
      'split.no',
      /says that it is part 1/,
    ],
    ['a part of another split', async () => [await part(0, 2), await part(1, 5)], 'split.no', /part 2 of 5/],
    ['a whole model for a part', async () => [await part(0, 2), await part(0, 1)], 'split.no', /part 1 of 1/],
    [
      'fewer tensors than it says',
      async () => [await part(0, 2, { 'split.tensors.count': u32(3) }), await part(1, 2)],
      'split.tensors.count',
      /has 3 tensors, its 2 parts have 2/,
    ],
  ])('with %s is refused', async (_, parts, field, message) => {
    const all = await parts();
    expect(() => joinSplit(all)).toThrow(message);
    expect(() => joinSplit(all)).toThrow(expect.objectContaining({ field }) as Error);
  });
});

describe('shards of safetensors', () => {
  const shard = (name: string, file: string): Promise<WeightsFile> =>
    openWeights(memorySource(safetensors({ [name]: { dtype: 'F32', shape: [5], data_offsets: [0, 20] } }, 20), file));
  const index = readShardIndex({ weight_map: { a: 'one.safetensors', b: 'two.safetensors' } }, 'index.json');

  it('are one model', async () => {
    const joined = joinShards(index, [await shard('a', 'one'), await shard('b', 'two')]);
    expect([...joined.tensors.keys()]).toEqual(['a', 'b']);
  });

  it('must hold what the index says, and each tensor once', async () => {
    const swapped = [await shard('a', 'one'), await shard('c', 'two')];
    expect(() => joinShards(index, swapped)).toThrow(/^two: b: the tensor is not in two\.safetensors/);
    const twice = [await shard('a', 'one'), await shard('a', 'two')];
    expect(() => joinShards(index, twice)).toThrow(/two: a: another part has the tensor too/);
  });

  it.each([
    ['a folder', { weight_map: { a: '../secret.safetensors' } }, 'a', /no plain file name/],
    ['an address', { weight_map: { a: 'https://a.test/x.safetensors' } }, 'a', /no plain file name/],
    ['a hidden file', { weight_map: { a: '.netrc' } }, 'a', /no plain file name/],
    ['a number', { weight_map: { a: 3 } }, 'a', /its shard 3/],
    ['no map', { metadata: {} }, 'weight_map', /an object of file names/],
    [
      'two thousand shards',
      { weight_map: Object.fromEntries(Array.from({ length: 2000 }, (_, n) => [`t${n}`, `s${n}.safetensors`])) },
      'weight_map',
      /2000 shards are more than 1024/,
    ],
  ])('with %s in the index are refused', (_, json, field, message) => {
    expect(() => readShardIndex(json, 'index.json')).toThrow(message);
    expect(() => readShardIndex(json, 'index.json')).toThrow(
      expect.objectContaining({ field, file: 'index.json' }) as Error,
    );
  });
});
