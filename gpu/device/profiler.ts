/**
 * GPU time by dispatch.
 *
 * A plan normally runs in one pass, which has one beginning and one end on the clock. To time its dispatches, the
 * profiler replays it with a pass for each, and lets the GPU write a timestamp at both ends (`timestamp-query`). Where
 * that is missing it times each dispatch alone on the wall clock, readback and all: good for comparing large
 * dispatches, useless for small ones, and the rows say so.
 *
 * Browsers round timestamps (Chrome to 100 us unless started with developer features): raise `repeats` there.
 */
import { BufferUsage, MAP_MODE_READ } from './constants';
import { nudged } from './mapping';
import type { Plan } from './plan';

export interface ProfileOptions {
  /** Replays that are timed; one more goes first and is not. */
  readonly repeats?: number;
}

export interface ProfileRow {
  readonly index: number;
  readonly label: string;
  readonly workgroups: readonly [number, number, number];
  /** Milliseconds: median, least and mean of the repeats. */
  readonly median: number;
  readonly least: number;
  readonly mean: number;
  /** Share of the plan's total, by medians. */
  readonly share: number;
  readonly clock: 'gpu' | 'wall';
}

export interface ProfilerHome {
  readonly device: GPUDevice;
  readonly hasTimestamps: boolean;
  createBuffer(size: number, usage: number, label: string): GPUBuffer;
  destroyBuffer(buffer: GPUBuffer): void;
  idle(): Promise<void>;
}

/** WebGPU's bound on a query set; two timestamps a dispatch. */
const MOST_QUERIES = 4096;

export async function profilePlan(
  home: ProfilerHome,
  plan: Plan,
  { repeats = 5 }: ProfileOptions = {},
): Promise<ProfileRow[]> {
  const measure = home.hasTimestamps ? timeByTimestamps : timeByWallClock;
  plan.run();
  await home.idle();
  const samples: number[][] = plan.steps.map(() => []);
  for (let repeat = 0; repeat < repeats; repeat++) {
    const times = await measure(home, plan);
    times.forEach((time, index) => samples[index]!.push(time));
  }
  return toRows(plan, samples, home.hasTimestamps ? 'gpu' : 'wall');
}

/** Milliseconds of every dispatch, in one replay. */
async function timeByTimestamps(home: ProfilerHome, plan: Plan): Promise<number[]> {
  const times: number[] = [];
  const perSet = MOST_QUERIES / 2;
  plan.prepareRun();
  for (let first = 0; first < plan.dispatchCount; first += perSet) {
    const count = Math.min(perSet, plan.dispatchCount - first);
    times.push(...(await timeSteps(home, plan, first, count)));
  }
  return times;
}

async function timeSteps(home: ProfilerHome, plan: Plan, first: number, count: number): Promise<number[]> {
  const { device } = home;
  const bytes = count * 16;
  const querySet = device.createQuerySet({ type: 'timestamp', count: count * 2 });
  const resolved = home.createBuffer(bytes, BufferUsage.QUERY_RESOLVE | BufferUsage.COPY_SRC, 'timestamps');
  const staging = home.createBuffer(bytes, BufferUsage.MAP_READ | BufferUsage.COPY_DST, 'timestamps readback');
  try {
    const encoder = device.createCommandEncoder();
    for (let i = 0; i < count; i++) {
      const pass = encoder.beginComputePass({
        timestampWrites: { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 },
      });
      plan.encodeStep(pass, first + i);
      pass.end();
    }
    encoder.resolveQuerySet(querySet, 0, count * 2, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await nudged(device, staging.mapAsync(MAP_MODE_READ));
    const stamps = new BigUint64Array(staging.getMappedRange());
    return Array.from({ length: count }, (_, i) => toMilliseconds(stamps[2 * i]!, stamps[2 * i + 1]!));
  } finally {
    querySet.destroy();
    home.destroyBuffer(resolved);
    home.destroyBuffer(staging);
  }
}

/** Nanoseconds to milliseconds. A clock that was reset in between gives 0, not the age of the universe. */
function toMilliseconds(begin: bigint, end: bigint): number {
  return end > begin ? Number(end - begin) / 1e6 : 0;
}

async function timeByWallClock(home: ProfilerHome, plan: Plan): Promise<number[]> {
  const { device } = home;
  const times: number[] = [];
  plan.prepareRun();
  for (let index = 0; index < plan.dispatchCount; index++) {
    const start = performance.now();
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    plan.encodeStep(pass, index);
    pass.end();
    device.queue.submit([encoder.finish()]);
    await home.idle();
    times.push(performance.now() - start);
  }
  return times;
}

function toRows(plan: Plan, samples: readonly (readonly number[])[], clock: 'gpu' | 'wall'): ProfileRow[] {
  const medians = samples.map(median);
  const total = medians.reduce((sum, time) => sum + time, 0);
  return plan.steps.map(({ label, x, y, z }, index) => {
    const times = samples[index]!;
    return {
      index,
      label,
      workgroups: [x, y, z],
      median: medians[index]!,
      least: Math.min(...times),
      mean: times.reduce((sum, time) => sum + time, 0) / times.length,
      share: total > 0 ? medians[index]! / total : 0,
      clock,
    };
  });
}

function median(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  const middle = sorted.length >>> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

// ---- the table -------------------------------------------------------------------------------------------------

interface Group {
  readonly label: string;
  count: number;
  total: number;
  share: number;
}

/** Rows of one label together, the costliest first: what to look at, and what it is worth. */
export function formatProfile(rows: readonly ProfileRow[]): string {
  const groups = groupByLabel(rows).sort((a, b) => b.total - a.total);
  const total = groups.reduce((sum, group) => sum + group.total, 0);
  const lines = groups.map(({ label, count, total: time, share }) => [
    label,
    String(count),
    time.toFixed(3),
    (time / count).toFixed(3),
    `${(share * 100).toFixed(1)} %`,
  ]);
  const clock = rows[0]?.clock === 'wall' ? 'wall clock, each dispatch alone (no timestamps here)' : 'GPU timestamps';
  return [
    ...alignColumns([['dispatch', 'calls', 'ms', 'ms/call', 'share'], ...lines]),
    `${rows.length} dispatches, ${total.toFixed(3)} ms by ${clock}`,
  ].join('\n');
}

function groupByLabel(rows: readonly ProfileRow[]): Group[] {
  const groups = new Map<string, Group>();
  for (const { label, median: time, share } of rows) {
    const group = groups.get(label) ?? { label, count: 0, total: 0, share: 0 };
    group.count += 1;
    group.total += time;
    group.share += share;
    groups.set(label, group);
  }
  return [...groups.values()];
}

/** First column to the left, numbers to the right. */
function alignColumns(table: readonly (readonly string[])[]): string[] {
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  '),
  );
}
