/** Running attention on the GPU under test: tensors that are cleaned up, poisoned outputs, options with tensors. */
import { expect } from 'vitest';
import {
  attention,
  PREFILL_VARIANTS,
  type AttentionOptions,
  type flashAttention,
  type standardAttention,
  type Variant,
} from '$gpu/attention';
import type { DType, Gpu, OpenGpuOptions, Tensor } from '$gpu/device';
import type { ReferenceOptions } from '$gpu/attention/reference';
import { environment, poisoned, useBareGpu, type EnvironmentName } from '../gpu';
import type { Inputs, Problem } from './problem';

/**
 * The prefill kernel that the grids run in each environment: of those that fit the one that compiles in the least time.
 * `reduced` finds what lavapipe has compiled. variants.gpu.test.ts runs every kernel.
 */
const KERNEL_HERE: Partial<Record<EnvironmentName, string>> = {
  lavapipe: 'tile 32x32/4',
  reduced: 'tile 32x32/4',
  swiftshader: 'broadcast 128/4 looped',
  chromium: 'broadcast 128/4 looped',
};

/** All variants, the one that the grids run here first. */
export const VARIANTS_HERE: readonly Variant[] = preferring(KERNEL_HERE[environment]);

/** The tests judge the kernels; the self-test would do so once more, and has tests of its own. */
const GRID_OPTIONS: OpenGpuOptions = {
  selfTest: false,
  prepare: [attention({ headDims: [], variants: VARIANTS_HERE })],
};

/** That of the given name first. */
function preferring(name: string | undefined): Variant[] {
  return [...PREFILL_VARIANTS].sort((a, b) => Number(b.name === name) - Number(a.name === name));
}

/** One GPU for a group of tests, with the kernel that the grids run here. */
export function useGpu(options: OpenGpuOptions = {}): () => Gpu {
  return useBareGpu({ ...GRID_OPTIONS, ...options });
}

type Values = Parameters<Gpu['upload']>[0];

/** Tensors of one test; all go back to the arena at its end. */
export class Tensors {
  private readonly made: Tensor[] = [];

  constructor(readonly gpu: Gpu) {}

  upload(values: Values, shape: readonly number[], dtype?: DType): Tensor {
    return this.keep(this.gpu.upload(values, shape, dtype));
  }

  ints(values: Int32Array, shape: readonly number[] = [values.length]): Tensor {
    return this.upload(values, shape, 'i32');
  }

  poisoned(shape: readonly number[], dtype: DType): Tensor {
    return this.keep(poisoned(this.gpu, shape, dtype));
  }

  keep(tensor: Tensor): Tensor {
    this.made.push(tensor);
    return tensor;
  }

  destroy(): void {
    for (const tensor of this.made) if (!tensor.destroyed) tensor.destroy();
  }
}

export async function withTensors<T>(gpu: Gpu, body: (tensors: Tensors) => Promise<T>): Promise<T> {
  const tensors = new Tensors(gpu);
  try {
    return await body(tensors);
  } finally {
    tensors.destroy();
  }
}

/** Options of the reference as options of the kernels: slopes and sinks uploaded, the LSE asked for. */
export function deviceOptions(tensors: Tensors, options: ReferenceOptions, headsQ: number): AttentionOptions {
  const { softmaxScale, causal, windowSize, softcap, alibiSlopes: slopes, sinks } = options;
  const slopesShape = slopes && slopes.length === headsQ ? [headsQ] : [(slopes?.length ?? 0) / headsQ, headsQ];
  return {
    returnLse: true,
    ...(softmaxScale !== undefined && { softmaxScale }),
    ...(causal !== undefined && { causal }),
    ...(windowSize !== undefined && { windowSize }),
    ...(softcap !== undefined && { softcap }),
    ...(slopes && { alibiSlopes: tensors.upload(Float32Array.from(slopes), slopesShape) }),
    ...(sinks && { sinks: tensors.upload(Float32Array.from(sinks), [headsQ]) }),
  };
}

export interface Downloaded {
  readonly out: Float32Array;
  readonly lse: Float32Array;
}

/** Downloads a result whose `out` may be the caller's; the LSE is the call's own and goes back to the arena. */
export async function downloadResult(gpu: Gpu, result: { out: Tensor; lse?: Tensor }): Promise<Downloaded> {
  if (!result.lse) throw new Error('the LSE was asked for, and is not there');
  const [out, lse] = await Promise.all([gpu.download(result.out), gpu.download(result.lse)]);
  result.lse.destroy();
  return { out, lse };
}

/** Leaves NaN behind in memory of this size, so that what the next call allocates is poisoned as well. */
export function poisonArena(gpu: Gpu, shape: readonly number[], dtype: DType): void {
  poisoned(gpu, shape, dtype).destroy();
}

/** Attention by `attend` into a poisoned output. */
export async function attendOnGpu(
  gpu: Gpu,
  attend: typeof flashAttention | typeof standardAttention,
  { shapes, dtype, options }: Problem,
  inputs: Inputs,
): Promise<Downloaded> {
  const { batch, seqQ, seqK, headsQ, headsKv, headDim } = shapes;
  return withTensors(gpu, async (tensors) => {
    const q = tensors.upload(inputs.q, [batch, seqQ, headsQ, headDim], dtype);
    const k = tensors.upload(inputs.k, [batch, seqK, headsKv, headDim], dtype);
    const v = tensors.upload(inputs.v, [batch, seqK, headsKv, headDim], dtype);
    const out = tensors.poisoned([batch, seqQ, headsQ, headDim], dtype);
    poisonArena(gpu, [batch, headsQ, seqQ], 'f32');
    const result = attend(gpu, q, k, v, { ...deviceOptions(tensors, options, headsQ), out });
    expect(result.out, 'the caller gave out, and gets it back').toBe(out);
    expect(result.lse?.shape).toEqual([batch, headsQ, seqQ]);
    return downloadResult(gpu, result);
  });
}
