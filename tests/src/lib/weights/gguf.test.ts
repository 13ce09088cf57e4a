import { describe, expect, it } from 'vitest';
import { FormatError, memorySource, openWeights, readGguf, StringTable } from '$lib/weights';
import { text, texts, u32 } from '$lib/weights/gguf-writer';
import { concat, counting, recorded, SAMPLE, sampleGguf } from './files';

describe('readGguf', () => {
  it.each([2, 3] as const)('reads what the writer wrote, version %i', async (version) => {
    const file = await readGguf(memorySource(sampleGguf({ version })));
    expect(file.format).toBe('gguf');
    expect([...file.tensors.values()].map(({ name, type, shape }) => ({ name, type, shape }))).toEqual(
      SAMPLE.tensors.map(({ name, type, shape }) => ({ name, type, shape })),
    );
    expect([...file.metadata.entries()].map(([key]) => key)).toEqual(Object.keys(SAMPLE.metadata));
  });

  it('gives every kind of value', async () => {
    const { metadata } = await readGguf(memorySource(sampleGguf()));
    expect(metadata.string('general.architecture')).toBe('llama');
    expect(metadata.count('llama.block_count')).toBe(2);
    expect(metadata.number('llama.rope.freq_base')).toBe(10000);
    expect(metadata.boolean('tokenizer.ggml.add_bos_token')).toBe(true);
    expect(metadata.strings('tokenizer.ggml.tokens').toArray()).toEqual(['<s>', 'a', '', 'ä', '\uFEFF', '😀']);
    expect(metadata.numbers('tokenizer.ggml.scores')).toEqual(new Float32Array([0, -1, -2.5, 3, 4, 5]));
    expect(metadata.number('odd.i64')).toBe(-5);
    expect(metadata.get('odd.large')).toBe(2n ** 63n + 1n);
    const [inner, words] = metadata.get('odd.nested') as [Uint8Array, StringTable];
    expect(inner).toEqual(new Uint8Array([1, 2]));
    expect([...words]).toEqual(['x']);
  });

  it("tells where each tensor's bytes are", async () => {
    const bytes = sampleGguf();
    const { tensors } = await readGguf(memorySource(bytes));
    for (const { name, bytes: expected } of SAMPLE.tensors) {
      const { offset, byteLength } = tensors.get(name)!;
      expect(offset % 32).toBe(0);
      expect(bytes.subarray(offset, offset + byteLength)).toEqual(expected);
    }
  });

  it('obeys an alignment of its own', async () => {
    const bytes = sampleGguf({ metadata: { 'general.alignment': u32(256) } });
    const { tensors } = await readGguf(memorySource(bytes));
    for (const { offset } of tensors.values()) expect(offset % 256).toBe(0);
    const norm = tensors.get('output_norm.weight')!;
    expect(bytes.subarray(norm.offset, norm.offset + 20)).toEqual(counting(20, 7));
  });

  it('reads the header in growing steps, and nothing of a large model but its header', async () => {
    const vocabulary = Array.from({ length: 150_000 }, (_, i) => `token number ${i}`);
    const tensor = { name: 'output.weight', type: 'F32', shape: [2 ** 22], bytes: new Uint8Array(2 ** 24) } as const;
    const bytes = sampleGguf({ metadata: { 'tokenizer.ggml.tokens': texts(vocabulary) }, tensors: [tensor] });
    const source = recorded(memorySource(bytes));
    const file = await readGguf(source);
    expect(file.metadata.strings('tokenizer.ggml.tokens').at(149_999)).toBe('token number 149999');
    // 4 MB of header: 256 KiB, then as much as there is already, and so on.
    expect(source.reads.map(({ length }) => length / 2 ** 18)).toEqual([1, 1, 2, 4, 8]);
    expect(source.reads.at(-1)!.offset + source.reads.at(-1)!.length).toBeLessThan(
      file.tensors.get('output.weight')!.offset + 2 ** 20,
    );
  });

  it('is done with a vocabulary of 150,000 in a moment', async () => {
    const vocabulary = Array.from({ length: 150_000 }, (_, i) => `token number ${i}`);
    const source = memorySource(sampleGguf({ metadata: { tokens: texts(vocabulary), merges: texts(vocabulary) } }));
    const start = performance.now();
    const { metadata } = await readGguf(source);
    const read = performance.now() - start;
    expect(metadata.strings('tokens').toArray()).toEqual(vocabulary);
    // Some 18 ms; the bound leaves room for a busy machine, and none for decoding every string.
    expect(read).toBeLessThan(500);
  });

  it('stops when told to', async () => {
    const stop = new AbortController();
    stop.abort(new Error('enough'));
    await expect(readGguf(memorySource(sampleGguf()), stop.signal)).rejects.toThrow('enough');
  });
});

describe('Metadata', () => {
  it('says which key is missing, or of another kind, and in which file', async () => {
    const { metadata } = await readGguf(memorySource(sampleGguf(), 'model.gguf'));
    expect(() => metadata.number('llama.vocab_size')).toThrow(
      'model.gguf: llama.vocab_size: the header does not have it; it should be a number.',
    );
    expect(() => metadata.count('general.architecture')).toThrow(
      'should be a whole number, not negative, but is the text "llama"',
    );
    expect(() => metadata.strings('tokenizer.ggml.scores')).toThrow('but is a list of 6 numbers');
    expect(() => metadata.numbers('tokenizer.ggml.tokens')).toThrow('but is a list of 6 texts');
    expect(() => metadata.number('odd.large')).toThrow(FormatError);
  });

  it('falls back only where a key is missing', async () => {
    const { metadata } = await readGguf(memorySource(sampleGguf()));
    expect(metadata.number('llama.vocab_size', undefined)).toBeUndefined();
    expect(metadata.string('general.name', 'nameless')).toBe('nameless');
    expect(() => metadata.number('general.architecture', 5)).toThrow(FormatError);
  });
});

describe('StringTable', () => {
  it('is the same from strings as from a file', () => {
    const table = StringTable.of(['', 'ä', '😀']);
    expect(table.length).toBe(3);
    expect(table.toArray()).toEqual(['', 'ä', '😀']);
    expect(() => table.at(3)).toThrow('no string 3 in a table of 3');
    expect(() => table.at(-1)).toThrow(RangeError);
  });
});

describe('writeGguf', () => {
  it('refuses a tensor whose bytes do not fit its shape', () => {
    const tensor = { name: 'w', type: 'F32', shape: [3], bytes: new Uint8Array(8) } as const;
    expect(() => sampleGguf({ tensors: [tensor] })).toThrow('w: has 8 bytes instead of 12');
  });

  it('refuses types that GGUF has not', () => {
    const tensor = { name: 'w', type: 'U8', shape: [8], bytes: new Uint8Array(8) } as const;
    expect(() => sampleGguf({ tensors: [tensor] })).toThrow('GGUF has no type U8');
  });
});

describe('openWeights', () => {
  it.each([
    ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\n', 'Git LFS pointer'],
    ['a checkpoint of PyTorch', 'PK\x03\x04archive/data.pkl......', 'PyTorch checkpoint'],
    ['a web page', '<!doctype html><html><head>', 'a web page'],
    ['old GGML', 'tjgg\x03\x00\x00\x00...............', 'old GGML format'],
    ['something else', 'nothing in particular here', 'neither GGUF nor safetensors'],
  ])('recognises %s', async (_, begins, message) => {
    const bytes = Uint8Array.from(begins, (letter) => letter.charCodeAt(0));
    await expect(openWeights(memorySource(bytes))).rejects.toThrow(message);
  });

  it('opens GGUF', async () => {
    const file = await openWeights(memorySource(sampleGguf({ metadata: { 'general.architecture': text('x') } })));
    expect(file.metadata.string('general.architecture')).toBe('x');
  });

  it('says so of an empty file', async () => {
    await expect(openWeights(memorySource(concat([]), 'empty.gguf'))).rejects.toThrow(
      'empty.gguf: file: it has only 0 bytes',
    );
  });
});
