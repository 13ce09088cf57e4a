import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  ArgumentError,
  LimitError,
  ShaderError,
  type Gpu,
  type GpuError,
  type PipelineSpec,
  type ShaderSources,
} from '$gpu/device';
import { openTestGpu } from '../../support/gpu';
import { INCREMENT, increment, scale, scaleSpec } from './kernels';

let gpu: Gpu;
beforeEach(async () => {
  gpu = await openTestGpu();
});
afterEach(() => {
  gpu.destroy();
});

/** Links, but does not compile: the mistake is in an imported file. */
const BROKEN: ShaderSources = {
  'broken/main.wesl': `import package::broken::helper::{helped};
@group(0) @binding(0) var<storage, read_write> values: array<f32>;
@compute @workgroup_size(1) fn main() { values[0] = helped(1.0); }
`,
  'broken/helper.wesl': `
// A comment, so that lines differ from the linked text.
fn helped(x: f32) -> f32 {
  let wrong: i32 = x;
  return x;
}
`,
};
const BROKEN_SPEC: PipelineSpec = { label: 'broken', module: 'broken/main', sources: [BROKEN], bindings: ['write'] };

test('a pipeline is made once for a kernel and specialisation', () => {
  const first = gpu.pipeline(scaleSpec());
  expect(gpu.pipeline(scaleSpec())).toBe(first);
  expect(gpu.pipeline(scaleSpec(true))).not.toBe(first);
  expect(gpu.report().pipelines).toHaveLength(2);
});

test('prepared pipelines are found by synchronous calls, and prepared only once', async () => {
  const [first, again, other] = await gpu.preparePipelines([scaleSpec(), scaleSpec(), INCREMENT]);
  expect(again).toBe(first);
  expect(gpu.pipeline(scaleSpec())).toBe(first);
  expect(gpu.pipeline(INCREMENT)).toBe(other);
  expect(await gpu.preparePipelines([scaleSpec()])).toEqual([first]);
});

test('conditions and constants reach the kernel', async () => {
  const source = gpu.upload([3], [1]);
  const target = gpu.empty([1], 'f32');
  scale(gpu, source, target, 2);
  expect([...(await gpu.download(target))]).toEqual([6]);
  const squared = gpu.pipeline(scaleSpec(true));
  const plain = gpu.pipeline(scaleSpec(false));
  expect(squared.handle).not.toBe(plain.handle);
});

const PLACE = { file: 'broken/helper.wesl', line: 4, source: '  let wrong: i32 = x;' };

test('a compile error of a preparation names the WESL file and line', async () => {
  const preparing = gpu.preparePipelines([INCREMENT, BROKEN_SPEC]);
  await expect(preparing).rejects.toBeInstanceOf(ShaderError);
  await expect(preparing).rejects.toMatchObject(PLACE);
  await expect(preparing).rejects.toThrow(/broken\/helper\.wesl:4:\d+/);
  await gpu.idle();
  expect(gpu.uncaptured).toEqual([]);
});

test('a compile error of a synchronous pipeline fails the next download, with file and line', async () => {
  const heard: GpuError[] = [];
  gpu.on('error', (error) => heard.push(error));
  const values = gpu.upload([1], [1]);
  gpu.dispatch({ pipeline: gpu.pipeline(BROKEN_SPEC), bindings: [values], workgroups: [1] });
  const downloading = gpu.download(values);
  await expect(downloading).rejects.toBeInstanceOf(ShaderError);
  await expect(downloading).rejects.toMatchObject(PLACE);
  expect(heard.some((error) => error instanceof ShaderError)).toBe(true);
});

test('a link error is thrown at once, by both ways', async () => {
  const spec: PipelineSpec = {
    ...BROKEN_SPEC,
    sources: [{ 'broken/main.wesl': 'import package::nowhere::x;\nfn main() { x(); }' }],
  };
  expect(() => gpu.pipeline(spec)).toThrow(ShaderError);
  await expect(gpu.preparePipelines([spec])).rejects.toBeInstanceOf(ShaderError);
});

test('after a failed compile, other kernels still run once the error was taken note of', async () => {
  await expect(gpu.preparePipelines([BROKEN_SPEC])).rejects.toThrow();
  const counter = gpu.upload(new Uint32Array(1), [1]);
  increment(gpu, counter);
  expect([...(await gpu.downloadInts(counter))]).toEqual([1]);
});

test('bindings that the shader does not have, or has otherwise, are errors', async () => {
  const mismatched: PipelineSpec = { ...INCREMENT, bindings: ['read'] };
  await expect(gpu.preparePipelines([mismatched])).rejects.toBeInstanceOf(ShaderError);
});

test('more storage buffers than the device has are a limit error', () => {
  const count = gpu.limits.maxStorageBuffersPerShaderStage + 1;
  const bindings = Array<'read'>(count).fill('read');
  expect(() => gpu.pipeline({ ...INCREMENT, bindings })).toThrow(LimitError);
});

test('two uniforms are an argument error', () => {
  expect(() => gpu.pipeline({ ...INCREMENT, bindings: ['uniform', 'uniform'] })).toThrow(ArgumentError);
});
