/** Small files to read, and a source that keeps book. */
import type { ByteSource } from '$lib/weights';
import { array, bool, f32, type GgufContents, numbers, text, texts, u32, writeGguf } from '$lib/weights/gguf-writer';

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** 0, 1, 2, ... 250, 0, 1, ...: neighbours differ, and no power of two is a period. */
export function counting(length: number, from = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i + from) % 251);
}

/** A header with a bit of everything, and three tensors. */
export const SAMPLE: GgufContents = {
  metadata: {
    'general.architecture': text('llama'),
    'llama.block_count': u32(2),
    'llama.rope.freq_base': f32(10000),
    'tokenizer.ggml.add_bos_token': bool(true),
    'tokenizer.ggml.tokens': texts(['<s>', 'a', '', 'ä', '\uFEFF', '😀']),
    'tokenizer.ggml.scores': numbers('f32', [0, -1, -2.5, 3, 4, 5]),
    'odd.i64': { type: 'i64', value: -5n },
    'odd.large': { type: 'u64', value: 2n ** 63n + 1n },
    'odd.nested': array('array', [numbers('u8', [1, 2]), texts(['x'])]),
  },
  tensors: [
    { name: 'token_embd.weight', type: 'Q8_0', shape: [6, 64], bytes: counting(6 * 68) },
    { name: 'output_norm.weight', type: 'F32', shape: [5], bytes: counting(20, 7) },
    { name: 'blk.0.attn_q.weight', type: 'F16', shape: [2, 3, 5], bytes: counting(60, 90) },
  ],
};

export function sampleGguf(contents: Partial<GgufContents> = {}): Uint8Array {
  return concat(writeGguf({ ...SAMPLE, ...contents }));
}

export interface SafetensorsEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly number[];
}

export const SAFETENSORS_SAMPLE: Readonly<Record<string, SafetensorsEntry | Readonly<Record<string, string>>>> = {
  __metadata__: { format: 'pt' },
  'model.norm.weight': { dtype: 'F32', shape: [5], data_offsets: [0, 20] },
  'model.embed_tokens.weight': { dtype: 'BF16', shape: [4, 3], data_offsets: [20, 44] },
};

/** @param header JSON as text, or what becomes it */
export function safetensors(header: object | string = SAFETENSORS_SAMPLE, dataBytes = 44): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(json.length), true);
  return concat([length, json, counting(dataBytes)]);
}

/** Passes reads on, and keeps them in a list. */
export function recorded(source: ByteSource): ByteSource & { readonly reads: { offset: number; length: number }[] } {
  const reads: { offset: number; length: number }[] = [];
  return {
    name: source.name,
    size: source.size,
    reads,
    read(offset, length, signal) {
      reads.push({ offset, length });
      return source.read(offset, length, signal);
    },
  };
}
