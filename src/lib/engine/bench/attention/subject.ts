/** A kernel on a case, recorded: checked first, then timed. */
import { attendWith } from '$gpu/attention/flash';
import { GpuError, type Gpu, type Plan, type Tensor } from '$gpu/device';
import type { Encode } from '../stopwatch';
import { dimsOf, type Case, type FloatType, type Inputs } from './cases';
import { complaintOf, type Check } from './check';
import type { NamedKernel } from './kernels';

/** Quiet NaN in f32, and in both halves as f16: an output that stays unwritten shows. */
const POISON = 0x7fc07fc0;
/** The self-test's: rounding of the storage type on outputs of at most 1, doubled, and some for the driver's exp2. */
const ALLOWED: Readonly<Record<FloatType, number>> = { f32: 5e-5, f16: 1e-3 };

/** q, k, v and out of a case on the GPU; all its kernels share them. */
export class Operands {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  readonly out: Tensor;

  constructor(gpu: Gpu, one: Case, inputs: Inputs) {
    const { seqQ, seqK, headsQ, headsKv, headDim } = dimsOf(one);
    this.q = gpu.upload(inputs.q, [1, seqQ, headsQ, headDim], one.dtype);
    this.k = gpu.upload(inputs.k, [1, seqK, headsKv, headDim], one.dtype);
    this.v = gpu.upload(inputs.v, [1, seqK, headsKv, headDim], one.dtype);
    this.out = gpu.empty([1, seqQ, headsQ, headDim], one.dtype);
  }

  destroy(): void {
    for (const tensor of [this.q, this.k, this.v, this.out]) tensor.destroy();
  }
}

export interface Subject {
  readonly kernel: NamedKernel;
  readonly plan: Plan;
  /** Most bytes in use beyond q, k, v and out. */
  readonly extraBytes: number;
  /** Largest error in the rows that were compared. */
  readonly error: number;
}

/** Records the kernel and runs it once. Returns what is wrong with it, in words, where something is. */
export async function prepareSubject(
  gpu: Gpu,
  one: Case,
  kernel: NamedKernel,
  operands: Operands,
  check: Check,
): Promise<Subject | string> {
  let plan: Plan | undefined;
  try {
    const { q, k, v, out } = operands;
    gpu.fill(out, POISON);
    gpu.resetPeakMemory();
    const before = gpu.memory().used;
    plan = gpu.record(() => attendWith(gpu, q, k, v, { causal: true, out }, kernel.kernel));
    plan.run();
    await gpu.idle();
    const extraBytes = gpu.memory().peak - before;
    const error = check.errorOf(await gpu.download(out));
    const complaint = complaintOf(error, ALLOWED[one.dtype]);
    if (complaint === undefined) return { kernel, plan, extraBytes, error };
    plan.destroy();
    return complaint;
  } catch (error) {
    plan?.destroy();
    if (!(error instanceof GpuError) || error.code === 'lost') throw error;
    // Known from here on; the next kernel's values count again.
    gpu.takeErrors();
    return error.message;
  }
}

export function encodePlan(plan: Plan): Encode {
  return (pass) => plan.encode(pass);
}
