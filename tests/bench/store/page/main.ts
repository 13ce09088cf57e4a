/** Writes a made-up model into the store, and reads it back: by itself, and on to the GPU. */
import { newKey, CHUNK_BYTES, PART_BYTES, type Manifest } from '$lib/store/records';
import { IdbDepot } from '$lib/store/idb-depot';
import { sha256 } from '$lib/store/hash';
import { streamTensors, type TensorEntry } from '$lib/weights';

const depot = new IdbDepot({}, 'fireside-bench');
/** As engine/gpu-open.ts lets be under way. */
const MOST_UNDER_WAY = 16 * 2 ** 20;

export interface ReadFigures {
  /** Bytes a second. */
  readonly alone: number;
  readonly toGpu: number;
  readonly adapter: string;
}

/** Bytes a second: in parts, which become chunks, durably, as a download writes them. */
async function write(bytes: number): Promise<number> {
  const key = newKey();
  const id = { key, file: 0 };
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (let at = 0; at < chunk.length; at += 65536) crypto.getRandomValues(chunk.subarray(at, at + 65536));
  const hasher = await sha256();
  hasher.update(chunk);
  const hash = hasher.digest();
  const count = bytes / CHUNK_BYTES;
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    for (let at = 0; at < CHUNK_BYTES; at += PART_BYTES) {
      await depot.addPart(id, i, at, chunk.subarray(at, at + PART_BYTES));
    }
    await depot.seal(id, i, CHUNK_BYTES, hash);
  }
  const seconds = (performance.now() - start) / 1000;
  const file = { path: 'made-up', size: bytes, sha256: hash, chunks: Array.from({ length: count }, () => hash) };
  const manifest: Manifest = {
    ...{ id: 'made-up', key, name: 'made-up', origin: { kind: 'local', address: 'made-up' }, chunkBytes: CHUNK_BYTES },
    ...{ files: [file], addedAt: 0, checkedAt: 0 },
  };
  await depot.commit(manifest);
  return bytes / seconds;
}

/** Tensors of 24 MiB one after the other, as a model's are. */
function tensorsOf(bytes: number): TensorEntry[] {
  const length = 24 * 2 ** 20;
  return Array.from({ length: Math.floor(bytes / length) }, (_, i) => ({
    ...{ name: `t${i}`, type: 'F32', shape: [length / 4 / 1024, 1024], file: 0, offset: i * length },
    byteLength: length,
  }));
}

async function read(): Promise<ReadFigures> {
  const [manifest] = await depot.manifests();
  const [file] = manifest!.files;
  const entries = tensorsOf(file!.size);
  const total = entries.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const stream = () => streamTensors(depot.source(manifest!, file!), entries);
  const alone = await secondsOf(async () => {
    let first = 0;
    for await (const { bytes } of stream()) first += bytes[0]!;
    return first;
  });
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) throw new Error('This browser has no GPU, not even one of software.');
  const device = await adapter.requestDevice();
  const usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.STORAGE;
  // Written over and over: how fast bytes get there is the question, not how many fit.
  const buffer = device.createBuffer({ size: entries[0]!.byteLength, usage });
  const toGpu = await secondsOf(async () => {
    let underWay = 0;
    let before: Promise<undefined> | undefined;
    for await (const { bytes, byteOffset } of stream()) {
      device.queue.writeBuffer(buffer, byteOffset, bytes as Uint8Array<ArrayBuffer>);
      underWay += bytes.length;
      if (underWay < MOST_UNDER_WAY / 2) continue;
      underWay = 0;
      await before;
      before = device.queue.onSubmittedWorkDone();
    }
    await device.queue.onSubmittedWorkDone();
  });
  device.destroy();
  return { alone: total / alone, toGpu: total / toGpu, adapter: adapter.info.description || adapter.info.vendor };
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

const bench = { write, read };
export type StoreBench = typeof bench;
declare global {
  var storeBench: StoreBench;
}
globalThis.storeBench = bench;
