/**
 * What a dispatch costs the host: recorded immediately, replayed from a plan, and by the bare API.
 *
 * The kernel does nothing, so that what is measured is the way to it. `host` ends when the calls have returned, with
 * everything submitted; `end to end` when the GPU is idle.
 */
import { ParamWriter, type Binding, type Gpu, type Pipeline, type PipelineSpec } from '$gpu/device';
import type { Bench } from './bench';

const SOURCES = {
  'bench/nothing.wesl': `
struct Params { count: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read_write> target_: array<f32>;
@compute @workgroup_size(1) fn main() {
  if (params.count == 12345u) { target_[0] = source[0]; }
}
`,
};

const NOTHING: PipelineSpec = {
  label: 'bench/nothing',
  module: 'bench/nothing',
  sources: [SOURCES],
  bindings: ['uniform', 'read', 'write'],
};

/** About a small model's token. */
const DISPATCHES = 240;
const ROUNDS = 40;

export const dispatchBench: Bench = {
  summary: 'what a dispatch costs the host',
  async run(gpu) {
    const costs = await benchDispatch(gpu);
    return { table: formatDispatchCosts(costs), figures: costs };
  },
};

interface DispatchCost {
  readonly name: string;
  /** Microseconds a dispatch, the median of the rounds. */
  readonly host: number;
  readonly endToEnd: number;
}

async function benchDispatch(gpu: Gpu): Promise<DispatchCost[]> {
  const pipeline = gpu.pipeline(NOTHING);
  const tensors = Array.from({ length: 8 }, () => gpu.empty([64], 'f32'));
  const dispatchAll = (): void => {
    for (let i = 0; i < DISPATCHES; i++) {
      record(gpu, pipeline, [null, tensors[i % 8]!, tensors[(i + 1) % 8]!], i);
    }
  };
  const plan = gpu.record(dispatchAll);
  return [
    await measure(gpu, 'immediate: gpu.dispatch', DISPATCHES, () => {
      dispatchAll();
      gpu.flush();
    }),
    await measure(gpu, 'plan.run()', DISPATCHES, () => {
      plan.run();
    }),
    await measure(gpu, 'plan.run(8)', DISPATCHES * 8, () => {
      plan.run(8);
    }),
    await measure(gpu, 'bare: a submit a dispatch', DISPATCHES, () => {
      for (const step of plan.steps) submitAlone(gpu, step.pipeline, step.group);
    }),
  ];
}

function record(gpu: Gpu, pipeline: Pipeline, bindings: (Binding | null)[], count: number): void {
  gpu.dispatch({ pipeline, bindings, params: new ParamWriter().u32(count).done(), workgroups: [1] });
}

function submitAlone({ device }: Gpu, pipeline: GPUComputePipeline, group: GPUBindGroup): void {
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group, [0]);
  pass.dispatchWorkgroups(1);
  pass.end();
  device.queue.submit([encoder.finish()]);
}

async function measure(gpu: Gpu, name: string, dispatches: number, run: () => void): Promise<DispatchCost> {
  const host: number[] = [];
  const endToEnd: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await gpu.idle();
    const start = performance.now();
    run();
    host.push(performance.now() - start);
    await gpu.idle();
    endToEnd.push(performance.now() - start);
  }
  const microseconds = (times: number[]): number => (median(times.slice(ROUNDS / 4)) * 1000) / dispatches;
  return { name, host: microseconds(host), endToEnd: microseconds(endToEnd) };
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >>> 1]!;
}

function formatDispatchCosts(costs: readonly DispatchCost[]): string {
  const rows = costs.map(
    ({ name, host, endToEnd }) =>
      `${name.padEnd(28)}${host.toFixed(2).padStart(10)}${endToEnd.toFixed(2).padStart(14)}`,
  );
  return [`${'us a dispatch'.padEnd(28)}${'host'.padStart(10)}${'end to end'.padStart(14)}`, ...rows].join('\n');
}
