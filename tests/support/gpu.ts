/**
 * What every GPU test starts from: the GPU of the environment it runs in, poisoned memory, and seeded numbers.
 *
 * A GPU test is written once and runs in every environment: `lavapipe` and `swiftshader` (Dawn in Node), `reduced`
 * (lavapipe with all that is optional taken away) and `chromium` (a real page). What depends on the width of subgroups
 * runs in `wide` as well: lavapipe with vectors as wide as the processor's, twice those of `lavapipe`; and, in the full
 * run, in `wide32`, with subgroups of 32.
 */
import { afterAll, afterEach, beforeAll, expect, inject } from 'vitest';
import { openGpu, type DType, type Gpu, type OpenGpuOptions, type Tensor } from '../../gpu/device';

export type EnvironmentName =
  'unit' | 'lavapipe' | 'wide' | 'wide32' | 'reduced' | 'swiftshader' | 'chromium' | 'native' | 'e2e';

declare module 'vitest' {
  interface ProvidedContext {
    environment: EnvironmentName;
    large: boolean;
  }
}

/** The environment this file runs in now. */
export const environment: EnvironmentName = inject('environment');

/** Whether the full grids were asked for (`npm run test:large`). */
export const large: boolean = inject('large');

/** Where Safari, Firefox and phones live: no f16, no subgroups, WebGPU's default limits. */
const EVERYTHING_REDUCED = {
  f16: false,
  subgroups: false,
  timestamps: false,
  experimental: false,
  limits: 'default',
} as const;

/** Opens the environment's GPU; `options.reduce` is added to what the environment takes away. */
export async function openTestGpu(options: OpenGpuOptions = {}): Promise<Gpu> {
  if (environment !== 'reduced') return openGpu(options);
  return openGpu({ ...options, reduce: { ...EVERYTHING_REDUCED, ...options.reduce } });
}

/** One GPU for a group of tests. Errors that WebGPU reports on the side fail the test they come in. */
export function useBareGpu(options: OpenGpuOptions = {}): () => Gpu {
  let gpu: Gpu | undefined;
  const opened = (): Gpu => {
    if (!gpu) throw new Error('the GPU is opened before the first test');
    return gpu;
  };
  beforeAll(async () => {
    gpu = await openTestGpu(options);
  });
  afterEach(() => {
    expect(opened().takeErrors(), 'errors that WebGPU reported on the side').toEqual([]);
  });
  afterAll(() => {
    gpu?.destroy();
  });
  return opened;
}

/** A quiet NaN as f32, and the same as two f16 or two bf16. */
const POISON = 0x7fc07fc0;

/** Memory in which every element is NaN: an output that is not wholly written shows. */
export function poisoned(gpu: Gpu, shape: readonly number[], dtype: DType): Tensor {
  const tensor = gpu.empty(shape, dtype);
  gpu.fill(tensor, POISON);
  return tensor;
}

/** Uniform numbers in [0, 1), the same for the same seed everywhere (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}
