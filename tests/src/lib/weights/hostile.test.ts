/**
 * Files that lie. Each must be refused with a typed error that names the file and the field, before anything large is
 * allocated; `fuzz.test.ts` tries what nobody thought of.
 */
import { describe, expect, it } from 'vitest';
import { type ByteSource, FormatError, memorySource, openWeights, readJson, requireFinite } from '$lib/weights';
import { array, type GgufValue, numbers, text, texts, u32, writeGguf } from '$lib/weights/gguf-writer';
import { concat, SAFETENSORS_SAMPLE, safetensors, sampleGguf } from './files';

async function refusal(source: ByteSource): Promise<FormatError> {
  const error: unknown = await openWeights(source).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(FormatError);
  return error as FormatError;
}

async function expectRefusal(bytes: Uint8Array, problem: string, field: string, message: string): Promise<void> {
  const error = await refusal(memorySource(bytes, 'bad.gguf'));
  expect(error).toMatchObject({ problem, field, file: 'bad.gguf' });
  expect(error.message).toContain(message);
}

/** The sample with some bytes changed: `at` from the start, or behind the first place where the text is. */
function changed(at: number | string, change: (view: DataView) => void, bytes = sampleGguf()): Uint8Array {
  const text = String.fromCharCode(...bytes);
  const offset = typeof at === 'number' ? at : text.indexOf(at) + at.length;
  change(new DataView(bytes.buffer, offset));
  return bytes;
}

const setU64 = (value: bigint) => (view: DataView) => view.setBigUint64(0, value, true);
const setU32 = (value: number) => (view: DataView) => view.setUint32(0, value, true);

describe('a GGUF header', () => {
  it.each([
    ['version 1', changed(4, setU32(1)), 'unsupported', 'version', 'this is version 1'],
    ['version 4', changed(4, setU32(4)), 'unsupported', 'version', 'this is version 4'],
    ['big-endian', changed(4, setU32(0x03000000)), 'unsupported', 'version', 'big-endian'],
    [
      '2^64 - 1 tensors',
      changed(8, setU64(2n ** 64n - 1n)),
      'malformed',
      'tensor count',
      '18446744073709551615 is more',
    ],
    ['2^40 tensors', changed(8, setU64(2n ** 40n)), 'limit', 'tensor count', '1099511627776 is more'],
    ['60,000 tensors', changed(8, setU64(60_000n)), 'truncated', 'tensor count', 'needs 1440000 bytes'],
    ['2^63 keys', changed(16, setU64(2n ** 63n)), 'malformed', 'key count', '9223372036854775808 is more'],
    ['60,000 keys', changed(16, setU64(60_000n)), 'truncated', 'key count', 'needs 780000 bytes'],
    ['a key of 2^62 bytes', changed(24, setU64(2n ** 62n)), 'malformed', 'key 0', 'more than can be'],
    ['a key of 2^20 bytes', changed(24, setU64(2n ** 20n)), 'limit', 'key 0', 'longer than 65535'],
    ['a key that is no UTF-8', changed(32, setU32(0xfffefdfc)), 'malformed', 'key 0', 'no UTF-8'],
    ['a value type 13', changed('llama.block_count', setU32(13)), 'malformed', 'llama.block_count', 'no value type 13'],
    [
      'a text beyond the end',
      changed('general.architecture\x08\0\0\0', setU64(2n ** 20n)),
      'truncated',
      'general.architecture',
      'needs 1048576 bytes',
    ],
    [
      'a text of 16 MB',
      changed('general.architecture\x08\0\0\0', setU64(2n ** 24n)),
      'limit',
      'general.architecture',
      'longer than 4194304',
    ],
    [
      '2^50 strings',
      changed('tokenizer.ggml.tokens\x09\0\0\0\x08\0\0\0', setU64(2n ** 50n)),
      'truncated',
      'tokenizer.ggml.tokens',
      'Download it again',
    ],
    [
      '2^50 scores',
      changed('tokenizer.ggml.scores\x09\0\0\0\x06\0\0\0', setU64(2n ** 50n)),
      'truncated',
      'tokenizer.ggml.scores',
      'Download it again',
    ],
    [
      '5000 lists in a list',
      changed('odd.nested\x09\0\0\0\x09\0\0\0', setU64(5000n)),
      'limit',
      'odd.nested',
      '4096 members at most',
    ],
  ])('with %s is refused', async (_, bytes, problem, field, message) => {
    await expectRefusal(bytes, problem, field, message);
  });

  it('with lists in lists without end is refused', async () => {
    let value: GgufValue = numbers('u8', [1]);
    for (let i = 0; i < 8; i++) value = array('array', [value]);
    await expectRefusal(sampleGguf({ metadata: { deep: value } }), 'limit', 'deep', 'arrays in arrays go 4 deep');
  });

  it('with a key twice is refused', async () => {
    const bytes = sampleGguf({ metadata: { 'key.one': u32(1), 'key.two': u32(2) } });
    const twice = changed(
      'key.t',
      (view) => new Uint8Array(view.buffer, view.byteOffset - 1).set([111, 110, 101]),
      bytes,
    );
    await expectRefusal(twice, 'duplicate', 'key.one', 'the key is there twice');
  });

  it.each([0, 3, 48, 2 ** 20])('with an alignment of %i is refused', async (alignment) => {
    const bytes = sampleGguf({ metadata: { 'general.alignment': u32(32) } });
    await expectRefusal(
      changed('general.alignment\x04\0\0\0', setU32(alignment), bytes),
      'malformed',
      'general.alignment',
      'no power of two',
    );
  });

  it('that is cut off is refused wherever the cut is', async () => {
    const bytes = sampleGguf();
    for (let length = 8; length < bytes.length - 4; length += 5) {
      const error = await refusal(memorySource(bytes.subarray(0, length), 'cut.gguf'));
      expect(error.problem).toBe('truncated');
      expect(error.message).toMatch(/^cut\.gguf: /);
    }
  });
});

describe('a GGUF table of tensors', () => {
  /** Behind a tensor's name: dimension count, dimensions, type, offset. */
  const NORM = 'output_norm.weight';
  const at = (offset: number, change: (view: DataView) => void) =>
    changed(NORM, (view) => change(new DataView(view.buffer, view.byteOffset + offset)));

  it.each([
    ['2^31 dimensions', at(0, setU32(2 ** 31)), 'limit', '2147483648 dimensions'],
    ['a dimension of 2^60', at(4, setU64(2n ** 60n)), 'malformed', 'more than can be'],
    ['a dimension of 2^52', at(4, setU64(2n ** 52n)), 'malformed', '[4503599627370496] of F32 has no size'],
    ['a dimension of 2^40', at(4, setU64(2n ** 40n)), 'truncated', 'end after the file'],
    ['a type of the future', at(12, setU32(99)), 'unsupported', 'its type has number 99'],
    ['a removed type', at(12, setU32(4)), 'unsupported', 'its type has number 4'],
    ['part of a block', at(12, setU32(8)), 'malformed', 'rows of 5 elements cannot be Q8_0'],
    ['an offset of 2^63', at(16, setU64(2n ** 63n)), 'malformed', 'more than can be'],
    ['an offset of 2^53 - 32', at(16, setU64(2n ** 53n - 32n)), 'malformed', 'lies outside the data'],
    ['an offset beyond the end', at(16, setU64(2n ** 30n)), 'truncated', 'end after the file'],
    ['an offset that is not aligned', at(16, setU64(417n)), 'malformed', 'no multiple of the alignment 32'],
    ["another's bytes", at(16, setU64(32n)), 'overlap', 'shares bytes with the tensor token_embd.weight'],
  ])('with %s is refused', async (_, bytes, problem, message) => {
    await expectRefusal(bytes, problem, NORM, message);
  });

  it('with dimensions that overflow together is refused', async () => {
    const bytes = changed('blk.0.attn_q.weight', (view) => {
      for (let i = 0; i < 3; i++) view.setBigUint64(4 + 8 * i, 2n ** 30n, true);
    });
    await expectRefusal(bytes, 'malformed', 'blk.0.attn_q.weight', 'more elements than can be');
  });

  it('with a tensor twice is refused', async () => {
    const tensor = { name: 'twice', type: 'F32', shape: [1], bytes: new Uint8Array(4) } as const;
    await expectRefusal(sampleGguf({ tensors: [tensor, tensor] }), 'duplicate', 'twice', 'the tensor is there twice');
  });

  it('with a name of 2 KB is refused', async () => {
    const tensor = { name: 'x'.repeat(2048), type: 'F32', shape: [1], bytes: new Uint8Array(4) } as const;
    await expectRefusal(
      sampleGguf({ tensors: [tensor] }),
      'limit',
      'name of tensor 0',
      '2048 bytes is longer than 1024',
    );
  });

  it('is no mine field for zero: empty tensors are legal', async () => {
    const empty = { name: 'empty', type: 'F32', shape: [0, 7], bytes: new Uint8Array(0) } as const;
    const { tensors } = await openWeights(memorySource(sampleGguf({ tensors: [empty] })));
    expect(tensors.get('empty')).toMatchObject({ shape: [0, 7], byteLength: 0 });
  });
});

describe('a file that claims to be larger than any header', () => {
  /** 8 GB that are never there: zeros behind a beginning. */
  function endless(beginning: Uint8Array, size = 2 ** 33): ByteSource & { largest: number } {
    const source = {
      name: 'endless',
      size,
      largest: 0,
      async read(offset: number, length: number) {
        source.largest = Math.max(source.largest, length);
        const bytes = new Uint8Array(length);
        if (offset < beginning.length) bytes.set(beginning.subarray(offset, offset + length));
        return bytes;
      },
    };
    return source;
  }

  it('is not read whole for 2^28 strings', async () => {
    const bytes = changed('tokenizer.ggml.tokens\x09\0\0\0\x08\0\0\0', setU64(2n ** 28n));
    const source = endless(bytes);
    expect(await refusal(source)).toMatchObject({ problem: 'limit', field: 'tokenizer.ggml.tokens' });
    expect(source.largest).toBeLessThanOrEqual(2 ** 18);
  });

  it('is read in steps of 8 MiB where it has the longest header that is allowed, and no further', async () => {
    const strings = (count: bigint) =>
      changed('list\x09\0\0\0\x08\0\0\0', setU64(count), sampleGguf({ metadata: { list: texts([]) }, tensors: [] }));
    const longest = endless(strings(2n ** 22n - 16n));
    expect((await openWeights(longest)).metadata.strings('list').length).toBe(2 ** 22 - 16);
    expect(longest.largest).toBe(2 ** 23);
    expect(await refusal(endless(strings(2n ** 22n)))).toMatchObject({ problem: 'limit', field: 'list' });
  });

  it('is not read whole for a JSON of 4 GB', async () => {
    const bytes = safetensors('{');
    new DataView(bytes.buffer).setBigUint64(0, 2n ** 32n, true);
    const source = endless(bytes);
    expect(await refusal(source)).toMatchObject({ problem: 'limit', field: 'header' });
    expect(source.largest).toBeLessThanOrEqual(2 ** 18);
  });
});

describe('a safetensors header', () => {
  const NAME = 'model.norm.weight';
  const withNorm = (entry: object) => safetensors({ ...SAFETENSORS_SAMPLE, [NAME]: entry });
  const norm = SAFETENSORS_SAMPLE[NAME] as object;

  it.each([
    ['an unknown dtype', withNorm({ ...norm, dtype: 'F4' }), 'unsupported', NAME, 'its dtype "F4" is unknown'],
    ['no dtype', withNorm({ shape: [5], data_offsets: [0, 20] }), 'unsupported', NAME, 'unknown here'],
    ['the wrong dtype', withNorm({ ...norm, dtype: 'F16' }), 'malformed', NAME, 'F16 [5] has 10 bytes'],
    ['a negative size', withNorm({ ...norm, shape: [-5] }), 'malformed', NAME, 'its shape should be a list'],
    ['half an element', withNorm({ ...norm, shape: [2.5] }), 'malformed', NAME, 'its shape should be a list'],
    ['sizes that overflow', withNorm({ ...norm, shape: [2 ** 40, 2 ** 40] }), 'malformed', NAME, 'more elements'],
    ['a shape that is none', withNorm({ ...norm, shape: 'wide' }), 'malformed', NAME, 'its shape should be a list'],
    ['nine dimensions', withNorm({ ...norm, shape: Array(9).fill(1) }), 'limit', NAME, '9 dimensions'],
    ['offsets backwards', withNorm({ ...norm, data_offsets: [20, 0] }), 'malformed', NAME, 'which its data_offsets'],
    ['three offsets', withNorm({ ...norm, data_offsets: [0, 20, 40] }), 'malformed', NAME, 'which its data_offsets'],
    ['offsets beyond the end', withNorm({ ...norm, data_offsets: [40, 60] }), 'truncated', NAME, 'end after the file'],
    ["another's bytes", withNorm({ ...norm, data_offsets: [4, 24] }), 'overlap', 'model.embed_tokens.weight', 'shares'],
    ['a list for a tensor', withNorm([1]), 'malformed', NAME, 'should be an object'],
    ['numbers as metadata', safetensors({ __metadata__: { a: 1 } }), 'malformed', '__metadata__', 'an object of texts'],
    ['a list', safetensors('{"a":1}'.replace('{', '[').replace('}', ']')), 'format', 'file', 'neither GGUF nor'],
    ['half its JSON', safetensors('{"a":'), 'malformed', 'header', 'no JSON'],
    ['a tensor twice', safetensors('{"a":{},"a":{}}'), 'duplicate', 'header', 'a key is there twice'],
    [
      'a dtype twice',
      safetensors('{"a":{"dtype":"F32","dtype":"F16"}}'),
      'duplicate',
      'header',
      'a key is there twice',
    ],
    ['too deep a nest', safetensors(`{"a":${'['.repeat(100)}`), 'limit', 'header', 'deeper than 64'],
    ['a million lists', safetensors(`{"a":[${'[],'.repeat(600_000)}[]]}`), 'limit', 'header', 'more than 1000000'],
  ])('with %s is refused', async (_, bytes, problem, field, message) => {
    await expectRefusal(bytes, problem, field, message);
  });

  it('with a long name is refused, and the name not shown whole', async () => {
    const bytes = safetensors({ ['x'.repeat(5000)]: norm });
    const error = await refusal(memorySource(bytes));
    expect(error).toMatchObject({ problem: 'limit' });
    expect(error.message.length).toBeLessThan(200);
  });

  it('may have a tensor called __proto__: it is a name like any other', async () => {
    const bytes = safetensors('{"__proto__":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}');
    const { tensors } = await openWeights(memorySource(bytes));
    expect(tensors.get('__proto__')).toMatchObject({ type: 'U8', byteLength: 4 });
  });

  it('that is cut off is refused wherever the cut is', async () => {
    const bytes = safetensors();
    for (let length = 9; length < bytes.length; length++) {
      expect((await refusal(memorySource(bytes.subarray(0, length)))).problem).toBe('truncated');
    }
  });
});

describe('numbers that are none', () => {
  const named = { name: 'blk.0.attn_q.weight' } as const;

  it('are refused by file, tensor and block, wherever the piece began', () => {
    const bytes = new Uint8Array(3 * 144);
    bytes[144 + 3] = 0x7e;
    const check = () => requireFinite('bad.gguf', { ...named, type: 'Q4_K' }, 10 * 144, bytes);
    expect(check).toThrow(FormatError);
    expect(check).toThrow(/^bad\.gguf: blk\.0\.attn_q\.weight: the scale of block 11 is infinite or no number\./);
    bytes[144 + 3] = 0;
    expect(check).not.toThrow();
  });

  it('are refused among plain numbers too', () => {
    const bytes = new Uint8Array(Float32Array.of(1, Infinity).buffer);
    const check = () => requireFinite('model.safetensors', { ...named, type: 'F32' }, 400, bytes);
    expect(check).toThrow(/element 101 is infinite/);
  });
});

describe('readJson', () => {
  it('refuses a file that is too long for JSON', async () => {
    const read = () => Promise.reject(new Error('must not be read'));
    await expect(readJson({ name: 'config.json', size: 2 ** 30, read })).rejects.toMatchObject({ problem: 'limit' });
  });

  it('counts keys in strings and escapes right', async () => {
    const json = '{"a: \\" b": ":,{[", "c": [{"d": "\\\\"}]}';
    const source = memorySource(new TextEncoder().encode(json));
    expect(await readJson(source)).toEqual({ 'a: " b': ':,{[', c: [{ d: '\\' }] });
  });
});

it('the writer writes what these tests change', async () => {
  const bytes = concat(writeGguf({ metadata: { a: text('b') }, tensors: [] }));
  expect((await openWeights(memorySource(bytes))).metadata.string('a')).toBe('b');
});
