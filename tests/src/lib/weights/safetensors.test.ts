import { describe, expect, it } from 'vitest';
import { memorySource, openWeights, readSafetensors, readShardIndex } from '$lib/weights';
import { counting, recorded, safetensors } from './files';

describe('readSafetensors', () => {
  it('gives names, types, shapes and places', async () => {
    const bytes = safetensors();
    const file = await readSafetensors(memorySource(bytes));
    const dataStart = bytes.length - 44;
    expect(file.format).toBe('safetensors');
    expect([...file.tensors.values()]).toEqual([
      { name: 'model.norm.weight', type: 'F32', shape: [5], file: 0, offset: dataStart, byteLength: 20 },
      {
        name: 'model.embed_tokens.weight',
        type: 'BF16',
        shape: [4, 3],
        file: 0,
        offset: dataStart + 20,
        byteLength: 24,
      },
    ]);
    expect(bytes.subarray(dataStart)).toEqual(counting(44));
    expect(file.metadata.string('format')).toBe('pt');
  });

  it('does without __metadata__, with spaces behind the JSON, and with a scalar', async () => {
    const header = '{"s":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}   ';
    const { tensors, metadata } = await openWeights(memorySource(safetensors(header, 4)));
    expect(tensors.get('s')).toMatchObject({ shape: [], byteLength: 4 });
    expect(metadata.size).toBe(0);
  });

  it('reads nothing behind the header of a large file', async () => {
    const header = { w: { dtype: 'F16', shape: [1024, 1024], data_offsets: [0, 2 ** 21] } };
    const source = recorded(memorySource(safetensors(header, 2 ** 21)));
    await readSafetensors(source);
    expect(source.reads).toEqual([{ offset: 0, length: 2 ** 18 }]);
  });
});

describe('readShardIndex', () => {
  const index = (weightMap: object) => ({ metadata: { total_size: 5 }, weight_map: weightMap }) as never;

  it('gives the files once each, and which holds a tensor', () => {
    const map = {
      a: 'model-00001-of-00002.safetensors',
      b: 'model-00002-of-00002.safetensors',
      c: 'model-00001-of-00002.safetensors',
    };
    const { files, fileOf } = readShardIndex(index(map), 'index.json');
    expect(files).toEqual([map.a, map.b]);
    expect([...fileOf]).toEqual([
      ['a', 0],
      ['b', 1],
      ['c', 0],
    ]);
  });

  it.each(['../../secrets', '/etc/passwd', 'folder/file', 'C:\\file', '', '.hidden', 5, null])(
    'refuses the file name %j',
    (name) => {
      expect(() => readShardIndex(index({ a: name }), 'index.json')).toThrow('is no plain file name');
    },
  );

  it('refuses an index without a map', () => {
    expect(() => readShardIndex({ metadata: {} }, 'index.json')).toThrow('index.json: weight_map: should be an object');
  });
});
