/**
 * Opens and closes a GPU many times over, in a process of its own, and prints how much memory the process holds.
 *
 *   node rounds.js ours 200      through openGpu
 *   node rounds.js bare 200      the same work on Dawn alone
 *
 * One line of JSON comes out: the bytes after each round, garbage collected.
 */
import { openGpu } from '../../../../gpu/device';
import { increment } from '../kernels';

/** What a round of ours does: open, compile, compute, read back, close. */
async function ourRound(): Promise<number> {
  const gpu = await openGpu();
  const counter = gpu.upload(new Uint32Array(1), [1]);
  const plan = gpu.record(() => {
    increment(gpu, counter);
  });
  plan.run(3);
  const [value] = await gpu.downloadInts(counter);
  gpu.destroy();
  await gpu.lost;
  return value!;
}

const STORAGE = 0x80;
const COPY_SRC = 0x4;
const COPY_DST = 0x8;
const MAP_READ = 0x1;
const SHADER = `
@group(0) @binding(0) var<storage, read_write> values: array<u32>;
@compute @workgroup_size(1) fn main() { values[0] = values[0] + 1u; }
`;

/** The least that does the same without us. */
async function bareRound(provider: GPU): Promise<number> {
  const adapter = await provider.requestAdapter();
  const features = ['shader-f16', 'subgroups', 'timestamp-query'] as const;
  const device = await adapter!.requestDevice({
    requiredFeatures: features.filter((name) => adapter!.features.has(name)),
  });
  const buffer = device.createBuffer({ size: 256, usage: STORAGE | COPY_SRC | COPY_DST });
  const staging = device.createBuffer({ size: 4, usage: MAP_READ | COPY_DST });
  const module = device.createShaderModule({ code: SHADER });
  const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } });
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer } }],
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  for (let i = 0; i < 3; i++) pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, 4);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(MAP_READ);
  const value = new Uint32Array(staging.getMappedRange())[0]!;
  device.destroy();
  await device.lost;
  return value;
}

async function main(): Promise<void> {
  const [who, rounds] = process.argv.slice(2);
  const dawn = (await import('webgpu')) as unknown as { create(flags: string[]): GPU };
  const provider = dawn.create([]);
  const memory: { resident: number; javascript: number }[] = [];
  for (let round = 0; round < Number(rounds); round++) {
    const value = who === 'bare' ? await bareRound(provider) : await ourRound();
    if (value !== 3) throw new Error(`round ${round} computed ${value}`);
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc?.();
    const { rss, heapUsed, external } = process.memoryUsage();
    memory.push({ resident: rss, javascript: heapUsed + external });
  }
  console.log(JSON.stringify(memory));
}

await main();
