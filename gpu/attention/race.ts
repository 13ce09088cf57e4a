/**
 * Timing kernels against each other on this GPU.
 *
 * A fast GPU ends a small problem sooner than the host learns of it, so problems grow, and then they are repeated within
 * one submit, until the best takes long enough to tell. Kernels run in turns, so that a clock that rises or a busy
 * machine meets all of them alike, and the fastest run of each counts: what disturbs a run only makes it longer.
 */
import type { DType, Gpu, Plan, Tensor } from '../device';
import { cachedCall, cacheLengths } from './cached';
import { attendWith } from './flash';
import { launchWith } from './run';
import type { Kernel } from './run';
import { uploadHeads } from './selftest';
import type { Traits } from './specs';

export interface Time {
  readonly kernel: Kernel;
  /** Of one call. */
  readonly ms: number;
}

/** Milliseconds from which on a measurement tells kernels apart: well above what waiting for the GPU takes by itself. */
const TELLING_MS = 5;
const ROUNDS = 4;
/** A kernel this many times slower than the best has lost. */
const HOPELESS = 3;
const KEY_HEADS = 2;

/** What one measurement runs: `queries` newest of `length` keys, `calls` times in one submit. */
interface Load {
  readonly queries: number;
  readonly length: number;
  readonly calls: number;
}

/** From the smallest to the largest: first longer, then more often. */
function loadsFor({ kind }: Kernel): Load[] {
  const lengths = kind === 'decode' ? [512, 2048, 8192] : [64, 128, 256, 512, 1024];
  const longest = lengths.at(-1)!;
  const steps = [...lengths.map((length) => [length, 1]), ...[4, 16, 64].map((calls) => [longest, calls])];
  return steps.map(([length, calls]) => ({
    length: length!,
    calls: calls!,
    queries: kind === 'decode' ? 1 : length!,
  }));
}

/** Fastest first. All kernels are of one kind. */
export async function race(gpu: Gpu, traits: Traits, kernels: readonly Kernel[]): Promise<Time[]> {
  if (kernels.length < 2) return kernels.map((kernel) => ({ kernel, ms: 0 }));
  let running = kernels;
  let times: Time[] = [];
  const lost: Time[] = [];
  for (const load of loadsFor(kernels[0]!)) {
    times = await timesOf(gpu, traits, running, load);
    const best = times[0]!.ms;
    if (best * load.calls >= TELLING_MS) break;
    lost.unshift(...times.filter(({ ms }) => ms > HOPELESS * best));
    times = times.filter(({ ms }) => ms <= HOPELESS * best);
    running = times.map(({ kernel }) => kernel);
  }
  return [...times, ...lost];
}

/** Milliseconds of a call of each kernel: causal, heads on two key heads. */
async function timesOf(gpu: Gpu, traits: Traits, kernels: readonly Kernel[], load: Load): Promise<Time[]> {
  const { queries, length, calls } = load;
  const group = Math.max(4, ...kernels.map((kernel) => (kernel.kind === 'decode' ? kernel.rows : 0)));
  const tensor = (rows: number, heads: number, dtype: DType): Tensor =>
    uploadHeads(gpu, ramp(rows * heads * traits.headDim), [1, rows, heads, traits.headDim], dtype);
  const q = tensor(queries, KEY_HEADS * group, traits.q);
  const [keys, values] = [tensor(length, KEY_HEADS, traits.kv), tensor(length, KEY_HEADS, traits.kv)];
  const out = gpu.empty(q.shape, traits.out);
  const before = gpu.upload(Int32Array.of(length - queries), [1]);
  const record = (kernel: Kernel): Plan =>
    gpu.record(() => {
      if (!traits.sequences) return attendWith(gpu, q, keys, values, { causal: true, out }, kernel);
      const lengths = cacheLengths(gpu, before, { headsQ: KEY_HEADS * group, seqQ: queries, capacity: length });
      launchWith(gpu, cachedCall(gpu, { q, keys, values, out, lengths }), kernel);
    });
  const plans = kernels.map(record);
  const fastest = kernels.map(() => Infinity);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [n, plan] of plans.entries()) {
      await gpu.idle();
      const start = performance.now();
      plan.run(calls);
      await gpu.idle();
      fastest[n] = Math.min(fastest[n]!, (performance.now() - start) / calls);
    }
  }
  plans.forEach((plan) => plan.destroy());
  [q, keys, values, out, before].forEach((each) => each.destroy());
  return kernels.map((kernel, n) => ({ kernel, ms: fastest[n]! })).sort((a, b) => a.ms - b.ms);
}

/** Anything but zeros, which some hardware multiplies faster. */
function ramp(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => ((i * 37) % 129) / 64 - 1);
}
