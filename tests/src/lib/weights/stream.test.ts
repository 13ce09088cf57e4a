import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ByteSource, joinWeights, memorySource, openWeights, streamTensors, type TensorEntry } from '$lib/weights';
import { openFile } from '$lib/weights/node-source';
import { counting, safetensors, SAFETENSORS_SAMPLE, SAMPLE, sampleGguf } from './files';

/** Pieces put together again, in the order in which tensors began. */
async function collect(
  files: ByteSource | readonly ByteSource[],
  entries: Iterable<TensorEntry>,
  chunkBytes?: number,
): Promise<Map<string, Uint8Array>> {
  const tensors = new Map<string, Uint8Array>();
  for await (const { tensor, byteOffset, bytes, last } of streamTensors(
    files,
    entries,
    chunkBytes ? { chunkBytes } : {},
  )) {
    const whole = tensors.get(tensor.name) ?? new Uint8Array(tensor.byteLength);
    expect(byteOffset % 4).toBe(0);
    expect(last).toBe(byteOffset + bytes.length === tensor.byteLength);
    whole.set(bytes, byteOffset);
    tensors.set(tensor.name, whole);
  }
  return tensors;
}

const entry = (
  name: string,
  offset: number,
  shape: number[],
  type: 'F32' | 'F16' | 'Q8_0' | 'U8' = 'U8',
): TensorEntry => {
  const elements = shape.reduce((product, size) => product * size, 1);
  const byteLength = type === 'Q8_0' ? (elements / 32) * 34 : elements * { F32: 4, F16: 2, U8: 1 }[type];
  return { name, type, shape, file: 0, offset, byteLength };
};

describe('streamTensors', () => {
  it.each([68, 100, 1000, undefined])('gives every byte of a file in chunks of %s', async (chunkBytes) => {
    const source = memorySource(sampleGguf());
    const { tensors } = await openWeights(source);
    const streamed = await collect(source, tensors.values(), chunkBytes);
    expect([...streamed]).toEqual(SAMPLE.tensors.map(({ name, bytes }) => [name, bytes]));
  });

  it('goes through shards in order', async () => {
    const parts = [safetensors(), sampleGguf()].map((bytes, i) => memorySource(bytes, `part ${i}`));
    const joined = joinWeights([await openWeights(parts[0]!), await openWeights(parts[1]!)]);
    const streamed = await collect(joined.files, [...joined.tensors.values()].reverse());
    const names = [...Object.keys(SAFETENSORS_SAMPLE).slice(1), ...SAMPLE.tensors.map(({ name }) => name)];
    expect([...streamed.keys()]).toEqual(names);
    expect(streamed.get('output_norm.weight')).toEqual(counting(20, 7));
  });

  it('cuts large tensors between rows', async () => {
    const source = memorySource(counting(7 * 120));
    const offsets: number[] = [];
    const wide = entry('w', 0, [7, 30], 'F32');
    for await (const piece of streamTensors(source, [wide], { chunkBytes: 300 })) offsets.push(piece.byteOffset);
    expect(offsets).toEqual([0, 240, 480, 720]);
  });

  it('cuts between blocks, and where uploads may begin, where not even a row fits', async () => {
    const source = memorySource(counting(20 * 34));
    const offsets: number[] = [];
    const row = entry('w', 0, [640], 'Q8_0');
    for await (const piece of streamTensors(source, [row], { chunkBytes: 150 })) offsets.push(piece.byteOffset);
    expect(offsets).toEqual([0, 136, 272, 408, 544]);
  });

  it('reads neighbours at once, and jumps over what is not wanted', async () => {
    const reads: [number, number][] = [];
    const source: ByteSource = {
      name: 'counted',
      size: 10_000_000,
      async read(offset, length) {
        reads.push([offset, length]);
        return new Uint8Array(length);
      },
    };
    const entries = [
      entry('a', 0, [100]),
      entry('b', 128, [100]),
      entry('c', 5_000_000, [100]),
      entry('d', 5_000_100, [50]),
    ];
    for await (const { bytes } of streamTensors(source, entries)) expect(bytes.length).toBeGreaterThan(0);
    expect(reads).toEqual([
      [0, 228],
      [5_000_000, 150],
    ]);
  });

  it('has no more than two chunks in memory, and reads one ahead', async () => {
    let begun = 0;
    const source: ByteSource = {
      name: 'counted',
      size: 1000,
      async read(_, length) {
        begun += 1;
        return new Uint8Array(length);
      },
    };
    let seen = 0;
    for await (const piece of streamTensors(source, [entry('w', 0, [10, 100])], { chunkBytes: 100 })) {
      seen += 1;
      expect(piece.bytes.length).toBe(100);
      expect(begun).toBe(Math.min(seen + 1, 10));
    }
    expect(seen).toBe(10);
  });

  it('uses the same two pieces of memory again where the source lets it', async () => {
    const source = memorySource(counting(1000));
    const memory = new Set<ArrayBufferLike>();
    for await (const { bytes } of streamTensors(source, [entry('w', 0, [10, 100])], { chunkBytes: 100 })) {
      memory.add(bytes.buffer);
    }
    expect(memory.size).toBe(2);
  });

  it('stops when told to, and stops reading ahead when nobody listens any more', async () => {
    const signals: AbortSignal[] = [];
    const source: ByteSource = {
      name: 'watched',
      size: 1000,
      async read(_, length, signal) {
        signals.push(signal!);
        signal!.throwIfAborted();
        return new Uint8Array(length);
      },
    };
    const all = [entry('w', 0, [10, 100])];
    for await (const piece of streamTensors(source, all, { chunkBytes: 100 })) if (piece.byteOffset === 100) break;
    expect(signals.every((signal) => signal.aborted)).toBe(true);

    const stop = new AbortController();
    const reason = new Error('enough');
    const stream = streamTensors(source, all, { chunkBytes: 100, signal: stop.signal });
    await stream.next();
    stop.abort(reason);
    // What was read ahead before still comes; then it ends.
    await expect(stream.next().then(() => stream.next())).rejects.toBe(reason);
  });

  it('passes on what goes wrong', async () => {
    const source: ByteSource = {
      name: 'broken',
      size: 1000,
      read: () => Promise.reject(new Error('the disk is gone')),
    };
    await expect(collect(source, [entry('w', 0, [10])])).rejects.toThrow('the disk is gone');
  });

  it('takes 64 MB at most, whatever the size of the model', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fireside-stream-'));
    const path = join(folder, 'large.bin');
    const size = 2 ** 30;
    // A file with a hole: a gigabyte that takes no space.
    const handle = await open(path, 'w');
    await handle.truncate(size);
    await handle.close();
    const source = await openFile(path);
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    let streamed = 0;
    for await (const { bytes } of streamTensors(source, [entry('w', 0, [size / 4096, 4096])])) {
      streamed += bytes.length;
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    await source.close();
    await rm(folder, { recursive: true });
    expect(streamed).toBe(size);
    expect(most).toBeLessThanOrEqual(64e6);
    // In fact two chunks of 8 MiB, and nothing else.
    expect(most).toBeLessThanOrEqual(18 * 2 ** 20);
  });
});

describe('joinWeights', () => {
  it('refuses a tensor that two parts have', async () => {
    const part = await openWeights(memorySource(safetensors(), 'part.safetensors'));
    expect(() => joinWeights([part, part])).toThrow(
      'part.safetensors: model.norm.weight: another part has the tensor too',
    );
  });
});
