/**
 * How long GPU work takes: replays by the dozen, as many as a measurement is worth, on the finer of two clocks.
 *
 * With timestamps, every replay has a compute pass of its own and the GPU notes its beginning and its end; a submit
 * holds many, so that the GPU neither idles nor slows down in between. Without, a submit's wall time is divided by its
 * replays.
 */
import type { Gpu } from '$gpu/device';
import { summarize, type Figure } from './statistics';

/** Records one replay. */
export type Encode = (pass: GPUComputePassEncoder) => void;
export type Clock = 'gpu' | 'wall';

/** A submit this long outweighs what it costs to submit and to wait. */
const SUBMIT_MS = 25;
/** WebGPU's bound on a query set, at two queries a replay. */
const MOST_REPLAYS = 2048;
const FEWEST_SUBMITS = 3;
const MOST_SUBMITS = 15;

/** Values of GPUBufferUsage and GPUMapMode, which Node does not define. */
const QUERY_RESOLVE_AND_COPY_SRC = 0x0200 | 0x0004;
const MAP_READ_AND_COPY_DST = 0x0001 | 0x0008;
const MAP_READ = 0x0001;

interface Submit {
  /** Milliseconds from submit to done. */
  readonly wall: number;
  /** Milliseconds of each replay by the GPU's clock; none where it has no clock. */
  readonly gpu: readonly number[];
  readonly replays: number;
}

/** Something to time, several of them in turns: what disturbs the machine then disturbs them alike. */
export class Stopwatch {
  readonly #gpu: Gpu;
  readonly #encode: Encode;
  readonly #clock: Clock;
  /** Milliseconds of a replay, as far as is known. */
  #expected: number;
  readonly #samples: number[] = [];
  readonly #walls: number[] = [];
  #spent = 0;
  #submits = 0;

  /** `expected`: milliseconds of one replay, from a warm run. */
  constructor(gpu: Gpu, encode: Encode, clock: Clock, expected: number) {
    this.#gpu = gpu;
    this.#encode = encode;
    this.#clock = clock;
    this.#expected = expected;
  }

  /** Whether another submit would still add to what is known, within `patience` milliseconds in all. */
  wantsMore(patience: number): boolean {
    if (this.#submits < FEWEST_SUBMITS) return true;
    return this.#submits < MOST_SUBMITS && this.#spent + this.#expected * this.#replays() <= patience;
  }

  async lap(): Promise<void> {
    const replays = this.#replays();
    const submit = await submitReplays(this.#gpu, this.#encode, replays, this.#clock, this.#expected * replays);
    this.#submits += 1;
    this.#spent += submit.wall;
    this.#expected = submit.wall / submit.replays;
    this.#walls.push(this.#expected);
    this.#samples.push(...(this.#clock === 'gpu' ? submit.gpu : [this.#expected]));
  }

  /** Milliseconds of a replay by the chosen clock. */
  result(): Figure {
    return summarize(this.#samples);
  }

  /** By the wall clock: submits divided by their replays. */
  wall(): Figure {
    return summarize(this.#walls);
  }

  #replays(): number {
    return replaysFor(this.#expected);
  }
}

/** Replays that fill a submit. */
export function replaysFor(expectedMs: number): number {
  return Math.min(MOST_REPLAYS, Math.max(1, Math.round(SUBMIT_MS / Math.max(expectedMs, 1e-4))));
}

/** Milliseconds of a warm replay, about: first one alone, then as many as fill a submit. */
export async function warmUp(gpu: Gpu, encode: Encode): Promise<number> {
  const once = await submitReplays(gpu, encode, 1, 'wall');
  if (once.wall > SUBMIT_MS) return once.wall;
  const replays = Math.min(50, replaysFor(once.wall));
  return (await submitReplays(gpu, encode, replays, 'wall')).wall / replays;
}

export async function stopwatchTime(gpu: Gpu, encode: Encode, clock: Clock, patience: number): Promise<Figure> {
  const watch = new Stopwatch(gpu, encode, clock, await warmUp(gpu, encode));
  while (watch.wantsMore(patience)) await watch.lap();
  return watch.result();
}

export interface ClockChoice {
  readonly clock: Clock;
  /** Why. */
  readonly reason: string;
}

/** Takes the GPU's clock where it has one and the wall clock bears it out. */
export async function chooseClock(gpu: Gpu, encode: Encode): Promise<ClockChoice> {
  if (!gpu.has.timestamps) return { clock: 'wall', reason: 'this GPU offers no timestamps' };
  const replays = Math.max(4, replaysFor(await warmUp(gpu, encode)));
  const { gpu: stamped, wall } = await submitReplays(gpu, encode, replays, 'gpu');
  return judgeClock(stamped, wall);
}

/** Passes of one submit, against the submit by the wall. */
export function judgeClock(stamped: readonly number[], wall: number): ClockChoice {
  const sum = stamped.reduce((all, ms) => all + ms, 0);
  const reason = `${stamped.length} passes take ${sum.toFixed(2)} ms by timestamps, ${wall.toFixed(2)} ms by the wall`;
  const sound = sum >= 0.3 * wall && sum <= 1.05 * wall && stamped.every((ms) => ms > 0);
  return sound ? { clock: 'gpu', reason } : { clock: 'wall', reason: `${reason}: not to be trusted` };
}

// ---- one submit ------------------------------------------------------------------------------------------------

/** `expected`: milliseconds that all replays may take, where that is known. */
async function submitReplays(gpu: Gpu, encode: Encode, replays: number, clock: Clock, expected = 0): Promise<Submit> {
  await gpu.idle();
  const start = performance.now();
  if (clock === 'gpu') {
    const stamps = await submitStamped(gpu, encode, replays, expected);
    return { wall: performance.now() - start, gpu: stamps, replays };
  }
  const encoder = gpu.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (let i = 0; i < replays; i++) encode(pass);
  pass.end();
  gpu.device.queue.submit([encoder.finish()]);
  await leaveInPeace(gpu, expected);
  await gpu.idle();
  return { wall: performance.now() - start, gpu: [], replays };
}

/**
 * While a promise of its waits, Dawn in Node looks for its end again and again, and takes a processor core for that, of
 * those on which a software adapter computes. So we wait for most of the time that it should take before we ask.
 */
async function leaveInPeace(gpu: Gpu, expected: number): Promise<void> {
  if (!gpu.info.isFallback) return;
  await new Promise((resolve) => setTimeout(resolve, 0.7 * expected));
}

async function submitStamped(gpu: Gpu, encode: Encode, replays: number, expected: number): Promise<number[]> {
  const { device } = gpu;
  const bytes = replays * 16;
  const querySet = device.createQuerySet({ type: 'timestamp', count: 2 * replays });
  const resolved = device.createBuffer({ size: bytes, usage: QUERY_RESOLVE_AND_COPY_SRC });
  const staging = device.createBuffer({ size: bytes, usage: MAP_READ_AND_COPY_DST });
  try {
    const encoder = device.createCommandEncoder();
    for (let i = 0; i < replays; i++) {
      const timestampWrites = { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 };
      const pass = encoder.beginComputePass({ timestampWrites });
      encode(pass);
      pass.end();
    }
    encoder.resolveQuerySet(querySet, 0, 2 * replays, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await leaveInPeace(gpu, expected);
    await staging.mapAsync(MAP_READ);
    const stamps = new BigUint64Array(staging.getMappedRange());
    return Array.from({ length: replays }, (_, i) => Number(stamps[2 * i + 1]! - stamps[2 * i]!) / 1e6);
  } finally {
    querySet.destroy();
    resolved.destroy();
    staging.destroy();
  }
}
