/**
 * Small kernels that the device's tests run, as sources of a room called `probe`.
 */
import {
  ParamWriter,
  type Binding,
  type Gpu,
  type Params,
  type PipelineSpec,
  type ShaderSources,
  type Tensor,
} from '$gpu/device';

export const PROBE: ShaderSources = {
  'probe/scale.wesl': `
import constants::{WIDTH};
import package::probe::parts::{scaled};

struct Params { count: u32, factor: f32, bias: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read_write> target_: array<f32>;

@compute @workgroup_size(WIDTH)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < params.count) { target_[id.x] = scaled(source[id.x], params.factor) + params.bias; }
}
`,
  'probe/parts.wesl': `
fn scaled(x: f32, factor: f32) -> f32 {
  @if(SQUARED) return x * x * factor;
  @else return x * factor;
}
`,
  'probe/increment.wesl': `
@group(0) @binding(0) var<storage, read_write> values: array<u32>;
@compute @workgroup_size(1) fn main() { values[0] = values[0] + 1u; }
`,
  'probe/busy.wesl': `
@group(0) @binding(0) var<storage, read_write> values: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  var x = f32(id.x);
  for (var i = 0u; i < 4000u; i++) { x = x * 0.999 + 1.0; }
  values[id.x] = x;
}
`,
};

/** target[i] = source[i] * factor + bias */
export function scaleSpec(squared = false): PipelineSpec {
  return {
    label: 'probe/scale',
    module: 'probe/scale',
    sources: [PROBE],
    conditions: { SQUARED: squared },
    constants: { WIDTH: 64 },
    bindings: ['uniform', 'read', 'write'],
  };
}

export const INCREMENT: PipelineSpec = {
  label: 'probe/increment',
  module: 'probe/increment',
  sources: [PROBE],
  bindings: ['write'],
};

export const BUSY: PipelineSpec = { label: 'probe/busy', module: 'probe/busy', sources: [PROBE], bindings: ['write'] };

export function scaleParams(count: number, factor: number, bias = 0): Params {
  return new ParamWriter().u32(count).f32(factor).f32(bias).done();
}

/** Records target[i] = source[i] * factor + bias. */
export function scale(gpu: Gpu, source: Tensor, target: Tensor, factor: number, bias = 0, label?: string): void {
  gpu.dispatch({
    pipeline: gpu.pipeline(scaleSpec()),
    bindings: [null, source, target],
    params: scaleParams(source.size, factor, bias),
    workgroups: [Math.ceil(source.size / 64)],
    ...(label ? { label } : {}),
  });
}

/** Records counter[0] += 1. */
export function increment(gpu: Gpu, counter: Tensor): void {
  gpu.dispatch({ pipeline: gpu.pipeline(INCREMENT), bindings: [counter], workgroups: [1] });
}

/** Records target[i] = 2 * source[i] over the first `count` elements of two bindings. */
export function double(gpu: Gpu, source: Binding, target: Binding, count: number): void {
  gpu.dispatch({
    pipeline: gpu.pipeline(scaleSpec()),
    bindings: [null, source, target],
    params: scaleParams(count, 2),
    workgroups: [Math.ceil(count / 64)],
  });
}
