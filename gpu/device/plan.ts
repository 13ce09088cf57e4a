/**
 * A recorded list of dispatches, with every bind group and parameter made beforehand. A run encodes one compute pass,
 * submits once, and allocates nothing on the GPU.
 */
import type { Allocation } from './arena';
import { BindGroupCache } from './bindgroups';
import { BufferUsage, alignUp } from './constants';
import { isEmpty } from './dispatch';
import type { Checked } from './dispatch';
import { ArgumentError } from './errors';
import { PARAMS_MAX_BYTES } from './params';
import type { Params } from './params';
import type { Recording } from './recording';
import type { Tensor } from './tensor';

/** What a plan needs of its device. */
export interface PlanHome {
  readonly device: GPUDevice;
  readonly uniformAlignment: number;
  createBuffer(size: number, usage: number, label: string): GPUBuffer;
  destroyBuffer(buffer: GPUBuffer): void;
  unpin(allocation: Allocation): void;
  /** Throws where nothing may run: lost, destroyed, inside a recording. Sends what was recorded before. */
  beforeRun(what: string): void;
}

/** One dispatch of a plan. */
export interface PlanStep {
  readonly label: string;
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly x: number;
  readonly y: number;
  readonly z: number;
  /** No workgroups, no work. */
  readonly isEmpty: boolean;
  /** Length of its parameters, 0 without. */
  readonly paramBytes: number;
}

export class Plan<T = unknown> {
  readonly steps: readonly PlanStep[];
  /** What the recorded body returned: usually the tensors that a run fills. */
  readonly result: T;

  readonly #home: PlanHome;
  readonly #temporaries: readonly Tensor[];
  readonly #pinned: ReadonlySet<Allocation>;
  /** Offset of each step's parameters in the buffer, in the form that setBindGroup takes without allocating. */
  readonly #offsets: Uint32Array;
  readonly #params: Uint8Array;
  #paramBuffer: GPUBuffer | undefined;
  /** Range of #params that the GPU has not seen. */
  #dirtyFrom = 0;
  #dirtyTo = 0;
  #destroyed = false;

  constructor(home: PlanHome, recording: Recording, temporaries: readonly Tensor[], result: T) {
    this.#home = home;
    this.#temporaries = temporaries;
    this.#pinned = recording.touched;
    this.result = result;
    const { calls } = recording;
    this.#offsets = new Uint32Array(calls.length);
    this.#params = new Uint8Array(this.#layOutParams(calls));
    if (this.#params.length > 0) this.#createParamBuffer(calls);
    this.steps = this.#createSteps(calls);
  }

  get dispatchCount(): number {
    return this.steps.length;
  }

  get destroyed(): boolean {
    return this.#destroyed;
  }

  /** Runs the plan `times` times over, in one pass and one submit. */
  run(times = 1): void {
    this.prepareRun();
    const { device } = this.#home;
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let i = 0; i < times; i++) this.#encodeSteps(pass);
    pass.end();
    device.queue.submit([encoder.finish()]);
  }

  /** Encodes the dispatches into a pass of the caller's, who submits it. */
  encode(pass: GPUComputePassEncoder): void {
    this.prepareRun();
    this.#encodeSteps(pass);
  }

  /** Encodes one dispatch: the profiler gives each a pass of its own. Call prepareRun first. */
  encodeStep(pass: GPUComputePassEncoder, index: number): void {
    const step = this.steps[index]!;
    if (step.isEmpty) return;
    pass.setPipeline(step.pipeline);
    this.#setGroup(pass, step, index);
    pass.dispatchWorkgroups(step.x, step.y, step.z);
  }

  /** Checks that the plan may run, and sends changed parameters, in one write. */
  prepareRun(): void {
    if (this.#destroyed) throw new ArgumentError('plan', 'a destroyed plan', 'a live one');
    this.#home.beforeRun('a plan');
    if (this.#dirtyTo <= this.#dirtyFrom) return;
    const { queue } = this.#home.device;
    queue.writeBuffer(
      this.#paramBuffer!,
      this.#dirtyFrom,
      this.#params,
      this.#dirtyFrom,
      this.#dirtyTo - this.#dirtyFrom,
    );
    this.#dirtyFrom = this.#dirtyTo = 0;
  }

  /**
   * New parameters for the runs that follow: of the dispatch at an index, or of all that bear a label. However many
   * dispatches change, the next run sends them in one write.
   */
  update(target: number | string, params: Params): void {
    let found = false;
    for (let index = 0; index < this.steps.length; index++) {
      const step = this.steps[index]!;
      if (index !== target && step.label !== target) continue;
      found = true;
      this.#setParams(step, index, params);
    }
    if (!found) throw new ArgumentError('target', JSON.stringify(target), 'index or label of a dispatch of this plan');
  }

  /** Gives back the temporaries and whatever only this plan still held. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    for (const tensor of this.#temporaries) tensor.destroy();
    for (const allocation of this.#pinned) this.#home.unpin(allocation);
    if (this.#paramBuffer) this.#home.destroyBuffer(this.#paramBuffer);
  }

  // ---- building ------------------------------------------------------------------------------------------------

  /** Gives every call with parameters its slot; returns the bytes of all of them. */
  #layOutParams(calls: readonly Checked[]): number {
    let used = 0;
    calls.forEach(({ params }, index) => {
      if (!params) return;
      this.#offsets[index] = used;
      used += alignUp(params.bytes.length, this.#home.uniformAlignment);
    });
    return used;
  }

  #createParamBuffer(calls: readonly Checked[]): void {
    calls.forEach(({ params }, index) => {
      if (params) this.#params.set(params.bytes, this.#offsets[index]);
    });
    // Every binding spans PARAMS_MAX_BYTES from its offset, also that of the last slot.
    const size = this.#params.length + PARAMS_MAX_BYTES;
    this.#paramBuffer = this.#home.createBuffer(
      size,
      BufferUsage.UNIFORM | BufferUsage.COPY_DST,
      'parameters of a plan',
    );
    this.#dirtyTo = this.#params.length;
  }

  #createSteps(calls: readonly Checked[]): PlanStep[] {
    const groups = new BindGroupCache(this.#home.device);
    return calls.map((call) => ({
      label: call.label,
      pipeline: call.pipeline.handle,
      group: groups.get(call, this.#paramBuffer),
      x: call.x,
      y: call.y,
      z: call.z,
      isEmpty: isEmpty(call),
      paramBytes: call.params?.bytes.length ?? 0,
    }));
  }

  // ---- running -------------------------------------------------------------------------------------------------

  #encodeSteps(pass: GPUComputePassEncoder): void {
    let lastPipeline: GPUComputePipeline | undefined;
    for (let index = 0; index < this.steps.length; index++) {
      const step = this.steps[index]!;
      if (step.isEmpty) continue;
      if (step.pipeline !== lastPipeline) {
        pass.setPipeline(step.pipeline);
        lastPipeline = step.pipeline;
      }
      this.#setGroup(pass, step, index);
      pass.dispatchWorkgroups(step.x, step.y, step.z);
    }
  }

  #setGroup(pass: GPUComputePassEncoder, step: PlanStep, index: number): void {
    if (step.paramBytes > 0) pass.setBindGroup(0, step.group, this.#offsets, index, 1);
    else pass.setBindGroup(0, step.group);
  }

  #setParams(step: PlanStep, index: number, { bytes }: Params): void {
    if (bytes.length !== step.paramBytes) {
      throw new ArgumentError(`${step.label}: params`, `${bytes.length} bytes`, `${step.paramBytes}, as recorded`);
    }
    const at = this.#offsets[index]!;
    this.#params.set(bytes, at);
    const clean = this.#dirtyTo <= this.#dirtyFrom;
    this.#dirtyFrom = clean ? at : Math.min(this.#dirtyFrom, at);
    this.#dirtyTo = clean ? at + bytes.length : Math.max(this.#dirtyTo, at + bytes.length);
  }
}
