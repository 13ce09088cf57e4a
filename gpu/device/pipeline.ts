/**
 * Compute pipelines, cached by kernel and specialisation, with bind group layouts made from what the kernel declares.
 */
import { SHADER_STAGE_COMPUTE } from './constants';
import type { ShaderError } from './errors';
import { ArgumentError, LimitError } from './errors';
import type { Limits } from './limits';
import { compileError, linkKey, linkShader } from './shaders';
import type { LinkSpec, LinkedShader } from './shaders';

/** What lies at an index of @group(0): 'write' is `storage, read_write`; 'none' is absent in this specialisation. */
export type BindingKind = 'uniform' | 'read' | 'write' | 'none';

export interface PipelineSpec extends LinkSpec {
  /** By @binding index. At most one is 'uniform'; it is filled with the dispatch's params. */
  readonly bindings: readonly BindingKind[];
}

export interface Pipeline {
  readonly label: string;
  readonly bindings: readonly BindingKind[];
  /** Index of the uniform binding, -1 without one. */
  readonly uniform: number;
  readonly layout: GPUBindGroupLayout;
  /** Small number that names the layout in keys. */
  readonly layoutId: number;
  readonly handle: GPUComputePipeline;
}

interface Layout {
  readonly id: number;
  readonly group: GPUBindGroupLayout;
  readonly pipeline: GPUPipelineLayout;
}

export interface PipelineCacheOptions {
  readonly device: GPUDevice;
  readonly limits: Limits;
  /** Takes the check of a pipeline that was made synchronously: no downloaded value counts before it has passed. */
  readonly guard: (check: Promise<void>) => void;
}

export class PipelineCache {
  readonly #layouts = new Map<string, Layout>();
  readonly #modules = new Map<string, GPUShaderModule>();
  readonly #ready = new Map<string, Pipeline>();
  readonly #pending = new Map<string, Promise<Pipeline>>();
  /** Most callers keep their spec objects: no key to build for those. */
  readonly #bySpec = new WeakMap<PipelineSpec, Pipeline>();

  constructor(private readonly options: PipelineCacheOptions) {}

  get size(): number {
    return this.#ready.size;
  }

  labels(): string[] {
    return Array.from(this.#ready.values(), ({ label }) => label);
  }

  /** From the cache, else linked and compiled now. A compile error arrives later, through the guard. */
  get(spec: PipelineSpec): Pipeline {
    const known = this.#bySpec.get(spec);
    if (known) return known;
    const key = pipelineKey(spec);
    const pipeline = this.#ready.get(key) ?? this.#compileNow(spec, key);
    this.#bySpec.set(spec, pipeline);
    return pipeline;
  }

  /** Compiled off the main thread, where the browser does so; throws the ShaderError. */
  async prepare(spec: PipelineSpec): Promise<Pipeline> {
    const key = pipelineKey(spec);
    const ready = this.#ready.get(key);
    if (ready) return ready;
    const pending = this.#pending.get(key) ?? this.#compileSoon(spec, key);
    return pending;
  }

  clear(): void {
    this.#ready.clear();
    this.#pending.clear();
    this.#modules.clear();
    this.#layouts.clear();
  }

  #compileNow(spec: PipelineSpec, key: string): Pipeline {
    const { device, guard } = this.options;
    const linked = linkShader(spec);
    const layout = this.#layout(spec);
    device.pushErrorScope('validation');
    const module = this.#module(linked);
    const handle = device.createComputePipeline(descriptorOf(spec, layout, module));
    const refused = device.popErrorScope();
    guard(
      refused.then(async (error) => {
        if (error) throw await this.#explain(linked, module, error.message);
      }),
    );
    return this.#remember(spec, key, layout, handle);
  }

  #compileSoon(spec: PipelineSpec, key: string): Promise<Pipeline> {
    const pending = this.#compileAsync(spec, key).finally(() => this.#pending.delete(key));
    this.#pending.set(key, pending);
    return pending;
  }

  async #compileAsync(spec: PipelineSpec, key: string): Promise<Pipeline> {
    const { device } = this.options;
    const linked = linkShader(spec);
    const layout = this.#layout(spec);
    device.pushErrorScope('validation');
    const module = this.#module(linked);
    // The pipeline's own rejection tells; this scope keeps the module's error out of the uncaptured ones.
    const refused = device.popErrorScope();
    try {
      const handle = await device.createComputePipelineAsync(descriptorOf(spec, layout, module));
      await refused;
      return this.#remember(spec, key, layout, handle);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw await this.#explain(linked, module, message);
    }
  }

  #remember(spec: PipelineSpec, key: string, layout: Layout, handle: GPUComputePipeline): Pipeline {
    const pipeline: Pipeline = {
      label: spec.label,
      bindings: spec.bindings,
      uniform: spec.bindings.indexOf('uniform'),
      layout: layout.group,
      layoutId: layout.id,
      handle,
    };
    this.#ready.set(key, pipeline);
    return pipeline;
  }

  async #explain(linked: LinkedShader, module: GPUShaderModule, message: string): Promise<ShaderError> {
    return compileError(linked, await module.getCompilationInfo(), message);
  }

  #module(linked: LinkedShader): GPUShaderModule {
    const known = this.#modules.get(linked.key);
    if (known) return known;
    const module = this.options.device.createShaderModule({ code: linked.code, label: linked.module });
    this.#modules.set(linked.key, module);
    return module;
  }

  #layout(spec: PipelineSpec): Layout {
    const key = spec.bindings.join(',');
    const known = this.#layouts.get(key);
    if (known) return known;
    checkBindings(spec, this.options.limits);
    const { device } = this.options;
    const group = device.createBindGroupLayout({ label: key, entries: layoutEntries(spec.bindings) });
    const pipeline = device.createPipelineLayout({ label: key, bindGroupLayouts: [group] });
    const layout: Layout = { id: this.#layouts.size, group, pipeline };
    this.#layouts.set(key, layout);
    return layout;
  }
}

function pipelineKey(spec: PipelineSpec): string {
  return `${linkKey(spec)}|${spec.bindings.join(',')}`;
}

function descriptorOf(spec: PipelineSpec, layout: Layout, module: GPUShaderModule): GPUComputePipelineDescriptor {
  return { label: spec.label, layout: layout.pipeline, compute: { module, entryPoint: 'main' } };
}

function layoutEntries(bindings: readonly BindingKind[]): GPUBindGroupLayoutEntry[] {
  return bindings.flatMap((kind, binding) =>
    kind === 'none' ? [] : [{ binding, visibility: SHADER_STAGE_COMPUTE, buffer: bufferLayout(kind) }],
  );
}

function bufferLayout(kind: 'uniform' | 'read' | 'write'): GPUBufferBindingLayout {
  // All parameters live in one buffer; the offset says which, so that bind groups do not depend on them.
  if (kind === 'uniform') return { type: 'uniform', hasDynamicOffset: true };
  return { type: kind === 'read' ? 'read-only-storage' : 'storage' };
}

function checkBindings(spec: PipelineSpec, limits: Limits): void {
  const storage = spec.bindings.filter((kind) => kind === 'read' || kind === 'write').length;
  const offered = limits.maxStorageBuffersPerShaderStage;
  if (storage > offered) {
    throw new LimitError('maxStorageBuffersPerShaderStage', storage, offered, `${spec.label} binds storage buffers`);
  }
  const uniforms = spec.bindings.filter((kind) => kind === 'uniform').length;
  if (uniforms > 1) throw new ArgumentError('bindings', `${uniforms} uniforms in ${spec.label}`, 'at most one');
}
