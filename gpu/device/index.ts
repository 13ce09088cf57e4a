/**
 * The GPU runtime: adapter and device, memory, pipelines, dispatches, plans, profiler. The map is in README.md.
 */
export { openGpu } from './open';
export type { OpenGpuOptions, Preparation } from './open';
export { Gpu } from './gpu';
export type { GpuOptions } from './gpu';
export type { DType } from '../formats/dtype';
export type { AdapterOptions, AdapterSummary, Capabilities, SubgroupMatrixConfig } from './adapter';
export type { MemoryUse } from './arena';
export { DEFAULT_LIMITS } from './limits';
export type { LimitName, Limits, Reduction } from './limits';
export { Tensor, bindRange, checkShape, describe, elementCount, formatShape } from './tensor';
export type { Binding, BindingRange, TensorPart } from './tensor';
export type { HostData, TypedArray } from './hostdata';
export type { TensorWriter } from './writer';
export { ParamWriter, PARAMS_MAX_BYTES } from './params';
export type { Params } from './params';
export { shaderSources } from './shaders';
export type { ShaderSources } from './shaders';
export type { BindingKind, Pipeline, PipelineSpec } from './pipeline';
export type { Dispatch } from './dispatch';
export { flatGrid, keptSpec } from './grids';
export type { Plan, PlanStep } from './plan';
export { formatProfile } from './profiler';
export type { ProfileOptions, ProfileRow } from './profiler';
export { formatReport } from './report';
export type { GpuReport, Note } from './report';
export type { GpuEvents } from './events';
export {
  ArgumentError,
  GpuError,
  GpuLostError,
  LimitError,
  NoAdapterError,
  NoWebGpuError,
  OutOfMemoryError,
  SelfTestError,
  ShaderError,
  ValidationError,
} from './errors';
export type { GpuErrorCode, ShaderErrorDetails } from './errors';
