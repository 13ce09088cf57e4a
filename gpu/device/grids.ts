/** Small helpers of kernels' callers: grids of workgroups, and specifications that keep their identity. */
import type { Limits } from './limits';
import type { PipelineSpec } from './pipeline';

/** Workgroups for `threads` threads, `size` a workgroup, wrapped into y where x is too short. */
export function flatGrid(gpu: { readonly limits: Limits }, threads: number, size = 64): [number, number] {
  const groups = Math.max(1, Math.ceil(threads / size));
  const x = Math.min(groups, gpu.limits.maxComputeWorkgroupsPerDimension);
  return [x, Math.ceil(groups / x)];
}

const specs = new Map<string, PipelineSpec>();

/** The specification with this key, made once: the pipeline cache then finds it again by identity. */
export function keptSpec(key: string, make: () => PipelineSpec): PipelineSpec {
  const known = specs.get(key);
  if (known) return known;
  const spec = make();
  specs.set(key, spec);
  return spec;
}
