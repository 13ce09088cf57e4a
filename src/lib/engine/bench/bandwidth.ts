/**
 * How fast this GPU reads its memory. One token of a model reads all its weights, so this bounds tokens a second.
 */
import { shaderSources, type Gpu, type PipelineSpec, type Plan, type Tensor } from '$gpu/device';
import type { Figure } from './statistics';
import { stopwatchTime, type Clock } from './stopwatch';

export interface ReadRate {
  /** Of the buffer that was read. */
  readonly bytes: number;
  readonly ms: Figure;
  /** By the median; 10^9 bytes. */
  readonly gigabytesPerSecond: number;
}

/** Larger than the caches of GPUs. */
const BYTES = 256 * 2 ** 20;
/** On a software adapter: larger than most processors' caches, and soon read. */
const SOFTWARE_BYTES = 64 * 2 ** 20;

const WORKGROUP = 256;
const WORKGROUPS = 1024;
const THREADS = WORKGROUP * WORKGROUPS;
const VECTOR_BYTES = 16;

const sources = [
  shaderSources('bench', import.meta.glob<string>('./*.wesl', { query: '?raw', import: 'default', eager: true })),
] as const;

/** `patience`: milliseconds of measuring that the figure is worth. Throws where the GPU reads wrongly. */
export async function timeReading(gpu: Gpu, clock: Clock, patience: number): Promise<ReadRate> {
  const bytes = Math.min(gpu.info.isFallback ? SOFTWARE_BYTES : BYTES, gpu.limits.maxStorageBufferBindingSize);
  const vectors = Math.floor(bytes / VECTOR_BYTES / THREADS) * THREADS;
  const memory = gpu.empty([vectors * 4], 'f32');
  const out = gpu.empty([THREADS], 'f32');
  const fill = record(gpu, vectors, [memory]);
  const read = record(gpu, vectors, [memory, out]);
  try {
    fill.run();
    read.run();
    checkSums(vectors, await gpu.download(out));
    const ms = await stopwatchTime(gpu, (pass) => read.encode(pass), clock, patience);
    const size = vectors * VECTOR_BYTES;
    return { bytes: size, ms, gigabytesPerSecond: size / ms.median / 1e6 };
  } finally {
    [fill, read].forEach((plan) => plan.destroy());
    [memory, out].forEach((tensor) => tensor.destroy());
  }
}

/** Fills with one binding, reads with two. */
function record(gpu: Gpu, vectors: number, bindings: readonly Tensor[]): Plan {
  const fill = bindings.length === 1;
  const spec: PipelineSpec = {
    label: `bench/bandwidth ${fill ? 'fill' : 'read'}`,
    module: 'bench/bandwidth',
    sources,
    conditions: { FILL: fill },
    constants: { VECTORS: `${vectors}u`, STRIDE: `${THREADS}u` },
    bindings: fill ? ['write'] : ['read', 'write'],
  };
  const pipeline = gpu.pipeline(spec);
  return gpu.record(() => gpu.dispatch({ pipeline, bindings, workgroups: [WORKGROUPS] }));
}

const SAMPLES = 16;

/** Whole numbers below 64, a few hundred of them: exact in float32. */
function checkSums(vectors: number, sums: Float32Array): void {
  for (let n = 0; n < SAMPLES; n++) {
    const thread = (n * 16_411) % THREADS;
    let expected = 0;
    for (let at = thread; at < vectors; at += THREADS) {
      for (let lane = 0; lane < 4; lane++) expected += Math.imul(4 * at + lane, 2654435761) >>> 26;
    }
    if (sums[thread] === expected) continue;
    throw new Error(`This GPU reads memory wrongly: a sum is ${sums[thread]} instead of ${expected}.`);
  }
}
