/**
 * Immediate mode: dispatches gather in one open compute pass, and go to the GPU together.
 *
 * A batch ends (`flush`) when somebody wants a result, when the host is about to write memory that the batch uses, when
 * it has grown large, or at the end of the running task: a microtask sees to it that nothing is ever forgotten.
 */
import type { Arena } from './arena';
import type { BindGroupCache } from './bindgroups';
import { BufferUsage, alignUp } from './constants';
import { isEmpty } from './dispatch';
import type { Checked } from './dispatch';
import type { Limits } from './limits';
import { PARAMS_MAX_BYTES } from './params';

/** Parameters of one batch. 64 KiB are 256 dispatches at WebGPU's default alignment. */
const PARAM_BYTES = 64 * 1024;
/** A batch grown this large is sent, so that the GPU starts while the host still records. */
const MOST_DISPATCHES = 256;

export interface RecorderOptions {
  readonly device: GPUDevice;
  readonly limits: Limits;
  readonly arena: Arena;
  readonly groups: BindGroupCache;
}

export class Recorder {
  /** Number of the current batch. An allocation whose `usedIn` equals it may be named by unsubmitted commands. */
  batch = 0;
  /** Dispatches recorded since the last flush. */
  pending = 0;

  readonly #paramStride: number;
  readonly #params = new Uint8Array(PARAM_BYTES);
  #paramsUsed = 0;
  #paramBuffer: GPUBuffer | undefined;
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;
  #lastPipeline: GPUComputePipeline | undefined;
  readonly #offset = new Uint32Array(1);

  constructor(private readonly options: RecorderOptions) {
    this.#paramStride = options.limits.minUniformBufferOffsetAlignment;
  }

  dispatch(call: Checked): void {
    if (isEmpty(call)) return;
    if (this.pending >= MOST_DISPATCHES || this.#paramsUsed + PARAMS_MAX_BYTES > PARAM_BYTES) this.flush();
    const pass = this.#openPass();
    const { pipeline, params } = call;
    if (pipeline.handle !== this.#lastPipeline) {
      pass.setPipeline(pipeline.handle);
      this.#lastPipeline = pipeline.handle;
    }
    const group = this.options.groups.get(call, this.#paramBuffer);
    if (params) {
      this.#offset[0] = this.#addParams(params.bytes);
      pass.setBindGroup(0, group, this.#offset, 0, 1);
    } else {
      pass.setBindGroup(0, group);
    }
    pass.dispatchWorkgroups(call.x, call.y, call.z);
    for (const { memory } of call.bound) memory.usedIn = this.batch;
    this.pending += 1;
  }

  /** Commands that no compute pass may hold, such as copies, in order with the dispatches around them. */
  encode(commands: (encoder: GPUCommandEncoder) => void): void {
    this.#endPass();
    commands(this.#openEncoder());
    this.pending += 1;
  }

  /** Sends what is recorded. */
  flush(): void {
    if (!this.#encoder) return;
    const { device } = this.options;
    this.#endPass();
    if (this.#paramsUsed > 0) {
      // Ordered after the batch before, which was submitted, and before this one, which is not.
      device.queue.writeBuffer(this.#paramBuffer!, 0, this.#params, 0, this.#paramsUsed);
    }
    device.queue.submit([this.#encoder.finish()]);
    this.#encoder = undefined;
    this.#paramsUsed = 0;
    this.pending = 0;
    this.batch += 1;
  }

  /** Forgets what is recorded: the device is gone. */
  abandon(): void {
    this.#encoder = this.#pass = this.#lastPipeline = undefined;
    this.#paramsUsed = this.pending = 0;
  }

  #openEncoder(): GPUCommandEncoder {
    if (this.#encoder) return this.#encoder;
    this.#encoder = this.options.device.createCommandEncoder();
    queueMicrotask(() => {
      this.flush();
    });
    return this.#encoder;
  }

  #openPass(): GPUComputePassEncoder {
    this.#paramBuffer ??= this.options.arena.createBuffer(
      PARAM_BYTES,
      BufferUsage.UNIFORM | BufferUsage.COPY_DST,
      'parameters of immediate dispatches',
    );
    this.#pass ??= this.#openEncoder().beginComputePass();
    return this.#pass;
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = this.#lastPipeline = undefined;
  }

  #addParams(bytes: Uint8Array): number {
    const at = this.#paramsUsed;
    this.#params.set(bytes, at);
    this.#paramsUsed += alignUp(bytes.length, this.#paramStride);
    return at;
  }
}
