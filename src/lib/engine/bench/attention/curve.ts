/**
 * Attention over the sequence length, ours against the plain way: sizes double until a kernel would take longer than
 * somebody who looks on wants to wait.
 */
import { PREFILL_VARIANTS } from '$gpu/attention';
import type { Gpu } from '$gpu/device';
import type { AttentionPoint, KernelTime } from '../figures';
import { Stopwatch, warmUp } from '../stopwatch';
import { flopsOf, inputsOf, type Case, type Schedule } from './cases';
import { Check } from './check';
import { kernelsOf, prepareKernels, type NamedKernel } from './kernels';
import { encodePlan, Operands, prepareSubject } from './subject';

const SIZES: Readonly<Record<Schedule, readonly number[]>> = {
  prefill: [64, 128, 256, 512, 1024, 2048, 4096, 8192],
  decode: [256, 512, 1024, 2048, 4096, 8192, 16384],
};

/** Milliseconds that a figure is worth. */
const PATIENCE = 120;
/** Milliseconds that one kernel may take at one size: a run to check, one to warm up, three to time. */
const BUDGET = 1500;
const RUNS = 5;

/** `tell` is told of each point as it comes, and of how much is done. */
export async function attentionCurve(
  gpu: Gpu,
  schedule: Schedule,
  tell: (point: AttentionPoint, done: number) => void,
): Promise<void> {
  const caseOf = (keys: number): Case => ({ schedule, dtype: 'f32', headDim: 64, keys });
  const sizes = SIZES[schedule];
  await prepareKernels(gpu, caseOf(sizes[0]!), PREFILL_VARIANTS);
  /** Milliseconds by floating-point operation, at the largest size yet. */
  const pace = new Map<string, number>();
  for (const [index, keys] of sizes.entries()) {
    const one = caseOf(keys);
    const point = await measurePoint(gpu, one, pace);
    tell(point, (index + 1) / sizes.length);
    if ('missing' in point.flash) return;
  }
}

async function measurePoint(gpu: Gpu, one: Case, pace: Map<string, number>): Promise<AttentionPoint> {
  const inputs = inputsOf(one);
  const operands = new Operands(gpu, one, inputs);
  const check = new Check(one, inputs);
  const times: KernelTime[] = [];
  try {
    for (const kernel of kernelsOf(gpu, one, true)) {
      const expected = (pace.get(kernel.role) ?? 0) * flopsOf(one);
      const time =
        expected * RUNS > BUDGET ? ({ missing: 'slow' } as const) : await timeKernel(gpu, one, kernel, operands, check);
      if ('ms' in time) pace.set(kernel.role, time.ms.median / flopsOf(one));
      times.push(time);
    }
  } finally {
    operands.destroy();
  }
  const [flash, standard] = times;
  return { schedule: one.schedule, keys: one.keys, flash: flash!, standard: standard! };
}

async function timeKernel(
  gpu: Gpu,
  one: Case,
  kernel: NamedKernel,
  operands: Operands,
  check: Check,
): Promise<KernelTime> {
  const subject = await prepareSubject(gpu, one, kernel, operands, check);
  if (typeof subject === 'string') return { missing: 'failed', why: subject };
  try {
    const encode = encodePlan(subject.plan);
    const watch = new Stopwatch(gpu, encode, 'wall', await warmUp(gpu, encode));
    while (watch.wantsMore(PATIENCE)) await watch.lap();
    return { ms: watch.result(), extraBytes: subject.extraBytes };
  } finally {
    subject.plan.destroy();
  }
}
