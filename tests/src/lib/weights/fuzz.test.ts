/**
 * Real headers with seeded damage: every one must be read, or refused with an error of this room; none may crash,
 * hang or allocate much. 2,000 in `npm test`, 100,000 in `npm run test:large`.
 */
import { open } from 'node:fs/promises';
import { afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import {
  type ByteSource,
  configFromGguf,
  memorySource,
  openWeights,
  readJson,
  readShardIndex,
  splitNames,
  StringTable,
  WeightsError,
  type WeightsFile,
} from '$lib/weights';
import { TextError, tokenizerFromGguf } from '$lib/text';
import { u32, writeGguf } from '$lib/weights/gguf-writer';
import { random } from '../../../support/gpu';
import { tinyOf, tinyWeights } from '../../../support/llama';
import { tinyMetadata, tinyTensors } from '../../../support/tiny-gguf';
import { ensurePocket } from '../../../../scripts/pocket';
import { ArgumentError } from '../../../../gpu/device';
import { TENSOR_TYPES, type TensorType } from '../../../../gpu/formats/blocks';
import { tensorsOf } from '../../../../gpu/model/shape';
import { concat, SAMPLE, safetensors, sampleGguf } from './files';

const ROUNDS = inject('large') ? 100_000 : 2_000;
const LARGEST_ALLOCATION = 64 * 2 ** 20;
/**
 * Milliseconds of processor time, which a busy machine does not stretch. The longest that is allowed at all, 16 MiB of
 * JSON or 32 MiB of vocabulary, takes half a second.
 */
const LONGEST_READ = 5_000;

/** Bytes from the start of a file, and how long the file is: what lies beyond reads as zeros. */
interface Header {
  readonly bytes: Uint8Array;
  readonly size: number;
}

const headers = new Map<string, Header>();

beforeAll(async () => {
  const { path, bytes: size } = await ensurePocket();
  const file = await open(path);
  const bytes = new Uint8Array(240_000);
  await file.read(bytes, 0, bytes.length, 0);
  await file.close();
  headers.set('the pocket model', { bytes, size });
  headers.set('a GGUF with every kind of value', { bytes: sampleGguf(), size: 2 ** 20 });
  headers.set('a GGUF with every type of tensor', { bytes: everyType(), size: 2 ** 20 });
  headers.set("a model's safetensors", { bytes: safetensors(llamaHeader(8), 0), size: 2 ** 26 });
}, 120_000);

/** A header of one part of a split model, with four tensors of each type that there is. */
function everyType(): Uint8Array {
  const tensors = Object.entries(TENSOR_TYPES).flatMap(([type, info]) => {
    if (!('ggml' in info)) return [];
    const bytes = new Uint8Array(info.blockBytes * 2);
    const shape = [2, info.blockElements];
    return Array.from({ length: 4 }, (_, n) => ({ name: `${type}.${n}`, type: type as TensorType, shape, bytes }));
  });
  const split = { 'split.no': u32(0), 'split.count': u32(3), 'split.tensors.count': u32(400) };
  return concat(writeGguf({ metadata: { ...SAMPLE.metadata, ...split }, tensors }));
}

/** What Hugging Face's Llama of some layers has. */
function llamaHeader(layers: number): Record<string, object> {
  const header: Record<string, object> = { __metadata__: { format: 'pt' } };
  let offset = 0;
  const add = (name: string, shape: number[]) => {
    const end = offset + 2 * shape.reduce((product, size) => product * size, 1);
    header[`model.${name}.weight`] = { dtype: 'F16', shape, data_offsets: [offset, end] };
    offset = end;
  };
  add('embed_tokens', [6400, 512]);
  for (let layer = 0; layer < layers; layer++) {
    for (const name of ['q_proj', 'o_proj']) add(`layers.${layer}.self_attn.${name}`, [512, 512]);
    for (const name of ['k_proj', 'v_proj']) add(`layers.${layer}.self_attn.${name}`, [128, 512]);
    for (const name of ['gate_proj', 'up_proj']) add(`layers.${layer}.mlp.${name}`, [1408, 512]);
    add(`layers.${layer}.mlp.down_proj`, [512, 1408]);
  }
  return header;
}

function sourceOf({ bytes, size }: Header): ByteSource {
  return {
    name: 'mutant-00001-of-00003.gguf',
    size,
    async read(offset, length) {
      const out = new Uint8Array(length);
      out.set(bytes.subarray(offset, offset + length));
      return out;
    },
  };
}

// ---- damage ----------------------------------------------------------------------------------------------------

type Dice = (below: number) => number;

/** Numbers that overflow, wrap or are just one too many. */
const EVIL = [0n, 1n, 0x7fn, 0xffn, 0x7fffn, 0xffffn, 0x7fffffffn, 0xffffffffn, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];

const DAMAGES: readonly ((bytes: Uint8Array, at: number, dice: Dice) => Uint8Array)[] = [
  function flipBit(bytes, at, dice) {
    bytes[at]! ^= 1 << dice(8);
    return bytes;
  },
  function setByte(bytes, at, dice) {
    bytes[at] = dice(256);
    return bytes;
  },
  function setNumber(bytes, at, dice) {
    const width = [1, 2, 4, 8][dice(4)]!;
    let value = EVIL[dice(EVIL.length)]!;
    for (let i = 0; i < width && at + i < bytes.length; i++, value >>= 8n) bytes[at + i] = Number(value & 255n);
    return bytes;
  },
  function removeBytes(bytes, at, dice) {
    const length = 1 + dice(40);
    bytes.copyWithin(at, at + length);
    return bytes.subarray(0, Math.max(at, bytes.length - length));
  },
  function repeatBytes(bytes, at, dice) {
    bytes.copyWithin(at, dice(bytes.length), bytes.length - dice(40));
    return bytes;
  },
  function cut(bytes, at) {
    return bytes.subarray(0, at);
  },
];

function mutant({ bytes, size }: Header, seed: number): Header {
  const next = random(seed);
  const dice: Dice = (below) => Math.floor(next() * below);
  let out: Uint8Array = bytes.slice();
  let damage: (typeof DAMAGES)[number] | undefined;
  for (let i = 1 + dice(3); i > 0 && out.length > 0; i--) {
    damage = DAMAGES[dice(DAMAGES.length)]!;
    out = damage(out, place(out.length, dice), dice);
  }
  // A file that was cut ends there; else what follows the header is as long as before, or is not.
  const end = damage?.name === 'cut' || dice(8) === 0 ? out.length : size;
  return { bytes: out, size: dice(16) === 0 ? 2 ** 40 : end };
}

/** Most of a real header is vocabulary: counts and keys at its start and the tensors at its end get their share. */
function place(length: number, dice: Dice): number {
  const zone = dice(3);
  if (zone === 0) return dice(length);
  if (zone === 1) return dice(Math.min(length, 2000));
  return length - 1 - dice(Math.min(length, 12_000));
}

// ---- what must hold --------------------------------------------------------------------------------------------

function expectSound(file: WeightsFile): void {
  const size = file.files[0]!.size;
  const inOrder = [...file.tensors.values()].sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  let end = 0;
  for (const tensor of inOrder) {
    expect(tensor.offset).toBeGreaterThanOrEqual(end);
    end = tensor.offset + tensor.byteLength;
    expect(end).toBeLessThanOrEqual(size);
  }
  for (const [, value] of file.metadata.entries()) {
    if (value instanceof StringTable && value.length > 0) value.at(value.length - 1);
  }
}

const largest = { bytes: 0 };

/** Notes how much memory is asked for by every `new Uint8Array(...)` and its like. Views ask for none. */
function watchAllocations(): void {
  largest.bytes = 0;
  for (const name of ['Uint8Array', 'Uint32Array', 'Int32Array', 'Float32Array', 'Float64Array'] as const) {
    const watched = new Proxy(globalThis[name], {
      construct(original, args: unknown[]) {
        const array = Reflect.construct(original, args) as ArrayBufferView;
        if (!(args[0] instanceof ArrayBuffer)) largest.bytes = Math.max(largest.bytes, array.byteLength);
        return array;
      },
    });
    vi.stubGlobal(name, watched);
  }
}

function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

afterEach(() => vi.unstubAllGlobals());

describe.each([
  'the pocket model',
  'a GGUF with every kind of value',
  'a GGUF with every type of tensor',
  "a model's safetensors",
])('%s', (name) => {
  it('is sound as it is', async () => {
    expectSound(await openWeights(sourceOf(headers.get(name)!)));
  });

  it(`is read or refused after each of ${ROUNDS} damages`, async () => {
    const header = headers.get(name)!;
    watchAllocations();
    const outcomes = new Map<string, number>();
    for (let seed = 0; seed < ROUNDS; seed++) {
      const source = sourceOf(mutant(header, seed));
      const start = processorTime();
      const result = await openWeights(source)
        .then((file) => (splitNames(file), file))
        .catch((error: unknown) => error);
      const took = processorTime() - start;
      if (took > LONGEST_READ) expect.fail(`Seed ${seed} took ${took} ms.`);
      if (result instanceof WeightsError) {
        count(outcomes, 'problem' in result ? String(result.problem) : result.name);
      } else if (result instanceof Error) {
        throw new Error(`Seed ${seed}: an error of another kind.`, { cause: result });
      } else {
        expectSound(result as WeightsFile);
        count(outcomes, 'read');
      }
    }
    expect(largest.bytes).toBeGreaterThan(header.bytes.length / 2);
    expect(largest.bytes).toBeLessThanOrEqual(LARGEST_ALLOCATION);
    // Damage that is never refused, or always, tests nothing.
    expect(outcomes.get('read')).toBeGreaterThan(ROUNDS / 100);
    expect([...outcomes.keys()].length).toBeGreaterThanOrEqual(5);
    expect(outcomes.has('outside')).toBe(false);
  });
});

describe('an index of shards', () => {
  const shards = Array.from({ length: 300 }, (_, n) => [
    `layers.${n}.weight`,
    `model-0000${n % 9}-of-00009.safetensors`,
  ]);
  const text = JSON.stringify({ metadata: { total_size: 1e9 }, weight_map: Object.fromEntries(shards) as object });
  const header = { bytes: new TextEncoder().encode(text), size: text.length };

  it(`is read or refused after each of ${ROUNDS} damages, and leads nowhere else`, async () => {
    const outcomes = new Map<string, number>();
    for (let seed = 0; seed < ROUNDS; seed++) {
      const source = memorySource(mutant(header, seed).bytes, 'index.json');
      try {
        const { files } = readShardIndex(await readJson(source), source.name);
        for (const file of files) expect(file).toMatch(/^\w[\w.-]*$/);
        count(outcomes, 'read');
      } catch (error) {
        if (!(error instanceof WeightsError))
          throw new Error(`Seed ${seed}: an error of another kind.`, { cause: error });
        count(outcomes, 'refused');
      }
    }
    expect(outcomes.get('read')).toBeGreaterThan(ROUNDS / 100);
    expect(outcomes.get('refused')).toBeGreaterThan(ROUNDS / 100);
  });
});

describe('what a header that can be read says of its model', () => {
  const config = tinyOf('gemma3', {
    tiedHead: true,
    layers: [{ rope: 'local', window: 4 }, { rope: 'global' }],
    localRope: { theta: 10000, dims: 16, pairing: 'halves' },
  });
  const tensors = tinyTensors(tinyWeights(config, 'F32'));
  const bytes = concat(writeGguf({ metadata: tinyMetadata(config), tensors }));

  it(`is a model and a tokenizer, or refused, after each of ${ROUNDS} damages`, async () => {
    const outcomes = new Map<string, number>();
    for (let seed = 0; seed < ROUNDS; seed++) {
      const source = sourceOf(mutant({ bytes: bytes.slice(0, 12_000), size: bytes.length }, seed));
      const start = processorTime();
      try {
        const file = await openWeights(source);
        tensorsOf(configFromGguf(file), file.tensors.values());
        tokenizerFromGguf(file.metadata).encode('Once upon a <s> time');
        count(outcomes, 'read');
      } catch (error) {
        const isTyped = [WeightsError, ArgumentError, TextError].some((type) => error instanceof type);
        if (!isTyped) throw new Error(`Seed ${seed}: an error of another kind.`, { cause: error });
        count(outcomes, (error as Error).name);
      }
      if (processorTime() - start > LONGEST_READ) expect.fail(`Seed ${seed} took too long.`);
    }
    expect(outcomes.get('read')).toBeGreaterThan(ROUNDS / 100);
    expect([...outcomes.keys()]).toEqual(expect.arrayContaining(['FormatError', 'ArgumentError', 'TokenizerError']));
  });
});

function count(outcomes: Map<string, number>, outcome: string): void {
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
}
