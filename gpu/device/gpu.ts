/**
 * The GPU as the rooms above see it: memory, dispatches in order, plans, and the truth about what failed.
 *
 * This class ties the parts of the room together and holds no mechanism of its own; each part has a file.
 * Everything but downloads and preparation is synchronous: calls record, and only who wants a value waits.
 */
import type { DType } from '../formats/dtype';
import type { AdapterSummary, OpenedDevice } from './adapter';
import { Arena } from './arena';
import type { Allocation, MemoryUse } from './arena';
import { BindGroupCache } from './bindgroups';
import { checkDispatch } from './dispatch';
import type { Dispatch } from './dispatch';
import { ArgumentError, GpuLostError, OutOfMemoryError, ValidationError } from './errors';
import type { GpuError } from './errors';
import { GpuEventTarget } from './events';
import type { GpuEvents } from './events';
import { Guards } from './guards';
import { decodeFloats, decodeInts, naturalDType } from './hostdata';
import type { HostData } from './hostdata';
import type { Limits, Reduction } from './limits';
import { nudged } from './mapping';
import type { Pipeline, PipelineSpec } from './pipeline';
import { PipelineCache } from './pipeline';
import { Plan } from './plan';
import { profilePlan } from './profiler';
import type { ProfileOptions, ProfileRow } from './profiler';
import { Recorder } from './recorder';
import { Recording } from './recording';
import { describeReduction } from './report';
import type { GpuReport, Note } from './report';
import { Tensor, byteLengthOf, checkShape, describe, elementCount, formatShape } from './tensor';
import type { TensorHome } from './tensor';
import { Transfer } from './transfer';
import { TensorWriter } from './writer';

export interface GpuOptions {
  readonly reduce?: Reduction;
  /** Whether rooms test their kernels against known answers; default true. */
  readonly selfTest?: boolean;
  /** Bytes that all buffers together may take; default: as many as the driver gives. */
  readonly memoryBudget?: number;
  /** Bytes that may wait unused for the next tensor; default 128 MiB. */
  readonly idleBudget?: number;
}

const IDLE_BUDGET = 128 * 1024 * 1024;

/** What a GPU can do that not all can. */
export interface Capabilities {
  readonly f16: boolean;
  readonly subgroups: boolean;
  readonly timestamps: boolean;
  readonly subgroupMatrix: boolean;
}

export class Gpu implements TensorHome {
  readonly device: GPUDevice;
  readonly info: AdapterSummary;
  readonly features: ReadonlySet<string>;
  readonly limits: Limits;
  readonly languageFeatures: ReadonlySet<string>;
  readonly has: Capabilities;
  /** Whether rooms are to test their kernels before they trust them. */
  readonly selfTest: boolean;
  /** Resolves when the device is gone, for whatever reason. Never rejects. */
  readonly lost: Promise<GpuLostError>;
  /** Rooms keep what they know about this GPU here, under a symbol of their own. */
  readonly slots = new Map<symbol, unknown>();

  readonly #reduce: Reduction;
  readonly #events = new GpuEventTarget();
  readonly #guards: Guards;
  readonly #arena: Arena;
  readonly #groups: BindGroupCache;
  readonly #pipelines: PipelineCache;
  readonly #recorder: Recorder;
  readonly #transfer: Transfer;
  readonly #notes: Note[] = [];
  readonly #preparations: { name: string; ms: number }[] = [];
  #recording: Recording | undefined;
  /** Temporaries by scope, innermost last; the first scope ends with the running task. */
  readonly #scopes: Tensor[][] = [];
  #taskScratch: Tensor[] = [];
  #loss: GpuLostError | undefined;
  #resolveLost!: (loss: GpuLostError) => void;

  constructor(opened: OpenedDevice, options: GpuOptions = {}) {
    const { device, limits, features } = opened;
    this.device = device;
    this.info = opened.info;
    this.limits = limits;
    this.features = features;
    this.languageFeatures = opened.languageFeatures;
    this.has = {
      f16: features.has('shader-f16'),
      subgroups: features.has('subgroups'),
      timestamps: features.has('timestamp-query'),
      subgroupMatrix: features.has('chromium-experimental-subgroup-matrix'),
    };
    this.selfTest = options.selfTest ?? true;
    this.#reduce = options.reduce ?? {};
    this.lost = new Promise((resolve) => (this.#resolveLost = resolve));

    this.#guards = new Guards((error) => this.#announce(error));
    this.#groups = new BindGroupCache(device);
    this.#arena = new Arena({
      device,
      limits,
      budget: options.memoryBudget ?? Infinity,
      idleBudget: options.idleBudget ?? IDLE_BUDGET,
      beforeDestroy: () => {
        this.#recorder.flush();
        this.#groups.clear();
      },
      onOutOfMemory: (error) => this.#guards.fail(error),
    });
    this.#pipelines = new PipelineCache({ device, limits, guard: (check) => this.guard(check) });
    this.#recorder = new Recorder({ device, limits, arena: this.#arena, groups: this.#groups });
    this.#transfer = new Transfer({
      device,
      arena: this.#arena,
      recorder: this.#recorder,
      beforeHostWrite: (memory) => this.#recording?.hostWrites(memory),
    });
    this.#listen();
  }

  // ---- memory --------------------------------------------------------------------------------------------------

  /** A tensor with `data` in it: f32 by default, i32, u32, u8 by the array's type; 'f16' and 'bf16' round to nearest. */
  upload(data: HostData, shape: readonly number[], dtype: DType = naturalDType(data)): Tensor {
    checkShape(shape, 'shape');
    if (elementCount(shape) !== data.length) {
      throw new ArgumentError('data', `${data.length} elements`, `${elementCount(shape)} for ${formatShape(shape)}`);
    }
    const tensor = this.empty(shape, dtype);
    this.#transfer.write(tensor, data);
    return tensor;
  }

  /** A tensor with undefined contents. */
  empty(shape: readonly number[], dtype: DType): Tensor {
    return this.#create(shape, dtype, (bytes, what) => this.#arena.allocate(bytes, what));
  }

  /**
   * A temporary: it is destroyed at the end of the innermost `scoped` body, or with the plan inside `record`, or else
   * when the running task ends. Inside a plan, temporaries share memory as their scopes end.
   */
  scratch(shape: readonly number[], dtype: DType): Tensor {
    const tensor = this.#create(
      shape,
      dtype,
      (bytes, what) => this.#recording?.reuse(bytes) ?? this.#arena.allocate(bytes, what),
    );
    this.#currentScope().push(tensor);
    return tensor;
  }

  /** Runs `body` and gives back the temporaries it asked for: the commands it recorded still find them in order. */
  scoped<T>(body: () => T): T {
    const scope: Tensor[] = [];
    this.#scopes.push(scope);
    try {
      return body();
    } finally {
      this.#scopes.pop();
      for (const tensor of scope) tensor.destroy();
    }
  }

  memory(): MemoryUse {
    return this.#arena.memory();
  }

  /** From here on, `memory().peak` is the most in use since now. */
  resetPeakMemory(): void {
    this.#arena.resetPeak();
  }

  /** Gives idle buffers back to the system. */
  trim(): void {
    this.#arena.trim();
  }

  /** Called by Tensor.destroy. */
  releaseTensor(allocation: Allocation): void {
    this.#arena.release(allocation);
    this.#recording?.released(allocation);
  }

  // ---- host to GPU and back ------------------------------------------------------------------------------------

  /** Writes in place, after the dispatches recorded so far. */
  write(tensor: Tensor, data: HostData, elementOffset = 0): void {
    this.#use(tensor);
    this.#transfer.write(tensor, data, elementOffset);
  }

  /** Writes raw bytes of the tensor's dtype; `stream` joins chunks of odd lengths. */
  writeBytes(tensor: Tensor, bytes: Uint8Array, byteOffset = 0): void {
    this.#use(tensor);
    this.#transfer.writeBytes(tensor, bytes, byteOffset);
  }

  /** Takes the tensor's bytes in chunks of any length, first to last. */
  stream(tensor: Tensor): TensorWriter {
    this.#use(tensor);
    return new TensorWriter(tensor, (_, bytes, byteOffset) => this.writeBytes(tensor, bytes, byteOffset));
  }

  /** Repeats a 32-bit pattern: 0x7fc07fc0 is NaN in f32, f16 and bf16. */
  fill(tensor: Tensor, pattern: number): void {
    this.#use(tensor);
    this.#transfer.fill(tensor, pattern);
  }

  copy(source: Tensor, target: Tensor): void {
    this.#use(source);
    this.#use(target);
    if (this.#recording) throw new ArgumentError('copy', 'a call inside record()', 'a dispatch: plans hold no copies');
    this.#transfer.copy(source, target);
  }

  /** Values of a float tensor, whatever its dtype. Rejects when anything they may depend on has failed. */
  async download(tensor: Tensor): Promise<Float32Array> {
    return this.#read(tensor, (bytes) => decodeFloats(bytes, tensor.dtype, tensor.size));
  }

  async downloadInts(tensor: Tensor): Promise<Int32Array | Uint32Array> {
    return this.#read(tensor, (bytes) => decodeInts(bytes, tensor.dtype, tensor.size));
  }

  async downloadBytes(tensor: Tensor): Promise<Uint8Array> {
    return this.#read(tensor, (bytes) => bytes.slice());
  }

  // ---- kernels -------------------------------------------------------------------------------------------------

  /** From the cache, else compiled now. Whether it compiles is known later: downloads wait for that. */
  pipeline(spec: PipelineSpec): Pipeline {
    this.#requireAlive();
    return this.#pipelines.get(spec);
  }

  /** Compiles in parallel and off this thread; rejects with the first ShaderError. */
  async preparePipelines(specs: readonly PipelineSpec[]): Promise<Pipeline[]> {
    this.#requireAlive();
    return Promise.all(specs.map((spec) => this.#pipelines.prepare(spec)));
  }

  dispatch(call: Dispatch): void {
    this.#requireAlive();
    const checked = checkDispatch(call, this.limits);
    if (this.#recording) this.#recording.add(checked);
    else this.#recorder.dispatch(checked);
  }

  /** Sends what is recorded. Happens by itself at the end of the task. */
  flush(): void {
    this.#recorder.flush();
  }

  /** Resolves when the GPU has done all that was recorded. */
  async idle(): Promise<void> {
    this.#requireAlive();
    this.#recorder.flush();
    await this.#orLost(nudged(this.device, this.device.queue.onSubmittedWorkDone()));
  }

  /**
   * Captures the dispatches of `body` instead of running them, with every bind group made beforehand. Uploads inside
   * happen once, now; tensors that the body returns are filled by the plan's runs.
   */
  record<T>(body: () => T): Plan<T> {
    this.#requireAlive();
    if (this.#recording) throw new ArgumentError('record', 'a call inside record()', 'one recording at a time');
    const recording = new Recording(this.#arena);
    const temporaries: Tensor[] = [];
    this.#recording = recording;
    this.#scopes.push(temporaries);
    try {
      const result = body();
      this.#endRecording();
      return new Plan(this.#planHome(), recording, temporaries, result);
    } catch (error) {
      this.#endRecording();
      for (const tensor of temporaries) tensor.destroy();
      recording.abandon();
      throw error;
    }
  }

  /** Milliseconds of every dispatch; the plan runs, so whatever it writes is written. */
  async profile(plan: Plan, options?: ProfileOptions): Promise<ProfileRow[]> {
    return this.#orLost(
      profilePlan(
        {
          device: this.device,
          hasTimestamps: this.has.timestamps,
          createBuffer: (size, usage, label) => this.#arena.createBuffer(size, usage, label),
          destroyBuffer: (buffer) => this.#arena.destroyBuffer(buffer),
          idle: () => this.idle(),
        },
        plan,
        options,
      ),
    );
  }

  // ---- what failed, what was chosen ----------------------------------------------------------------------------

  /** A check that must pass before any downloaded value counts: a late self-test, say. */
  guard(check: Promise<void>): void {
    this.#guards.add(check);
  }

  /** Errors since the last takeErrors(): while there are any, downloads reject with the first. */
  get uncaptured(): readonly GpuError[] {
    return this.#guards.errors;
  }

  /** Takes note of the errors: values computed from now on count again. */
  takeErrors(): GpuError[] {
    return this.#guards.take();
  }

  /** Listens for loss, want of memory, other errors; returns the way to stop. */
  on<Name extends keyof GpuEvents>(name: Name, listener: (event: GpuEvents[Name]) => void): () => void {
    return this.#events.on(name, listener);
  }

  /** A line in the report. */
  note(note: Note): void {
    this.#notes.push(note);
  }

  /** A preparation has ended; openGpu calls this. */
  notePreparation(name: string, ms: number): void {
    this.#preparations.push({ name, ms });
  }

  report(): GpuReport {
    return {
      adapter: this.info,
      features: [...this.features],
      languageFeatures: [...this.languageFeatures],
      limits: this.limits,
      reduced: describeReduction(this.#reduce),
      memory: this.memory(),
      pipelines: this.#pipelines.labels(),
      preparations: [...this.#preparations],
      notes: [...this.#notes],
      errors: this.uncaptured.map(({ code, message }) => ({ code, message })),
      ...(this.#loss ? { lost: this.#loss.message } : {}),
    };
  }

  /** Frees everything. Downloads that wait reject with GpuLostError. */
  destroy(): void {
    this.#lose(new GpuLostError('destroyed', 'This GPU was closed with destroy().'));
    this.#arena.destroy();
    this.device.destroy();
  }

  // ---- inside --------------------------------------------------------------------------------------------------

  #create(shape: readonly number[], dtype: DType, allocate: (bytes: number, what: string) => Allocation): Tensor {
    this.#requireAlive();
    checkShape(shape, 'shape');
    const allocation = allocate(byteLengthOf(shape, dtype), describe({ dtype, shape }));
    this.#recording?.taken(allocation);
    return new Tensor(this, allocation, dtype, [...shape], 0);
  }

  #currentScope(): Tensor[] {
    const scope = this.#scopes.at(-1);
    if (scope) return scope;
    if (this.#taskScratch.length === 0) {
      queueMicrotask(() => {
        for (const tensor of this.#taskScratch) tensor.destroy();
        this.#taskScratch = [];
      });
    }
    return this.#taskScratch;
  }

  #endRecording(): void {
    if (!this.#recording) return;
    this.#recording = undefined;
    this.#scopes.pop();
  }

  async #read<T>(tensor: Tensor, decode: (bytes: Uint8Array) => T): Promise<T> {
    this.#use(tensor);
    if (this.#recording) {
      throw new ArgumentError('download', 'a call inside record()', 'a call after plan.run()');
    }
    const value = await this.#orLost(this.#transfer.read(tensor, decode));
    await this.#guards.passed();
    return value;
  }

  #use(tensor: Tensor): void {
    this.#requireAlive();
    if (tensor.gpu !== this) throw new ArgumentError('tensor', `${describe(tensor)} of another GPU`, 'one of this GPU');
    if (tensor.destroyed) throw new ArgumentError('tensor', `destroyed ${describe(tensor)}`, 'a live tensor');
  }

  #requireAlive(): void {
    if (this.#loss) throw this.#loss;
  }

  /** What rejects because the device is gone, rejects with that. */
  async #orLost<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw this.#loss ?? error;
    }
  }

  #planHome(): ConstructorParameters<typeof Plan>[0] {
    return {
      device: this.device,
      uniformAlignment: this.limits.minUniformBufferOffsetAlignment,
      createBuffer: (size, usage, label) => this.#arena.createBuffer(size, usage, label),
      destroyBuffer: (buffer) => this.#arena.destroyBuffer(buffer),
      unpin: (allocation) => this.#arena.unpin(allocation),
      beforeRun: (what) => {
        this.#requireAlive();
        if (this.#recording) throw new ArgumentError(what, 'a run inside record()', 'a run outside');
        this.#recorder.flush();
      },
    };
  }

  #listen(): void {
    this.device.addEventListener('uncapturederror', (event) => {
      event.preventDefault();
      this.#guards.fail(this.#fromWebGpu(event.error));
    });
    void this.device.lost.then(({ reason, message }) => {
      this.#lose(new GpuLostError(reason === 'destroyed' ? 'destroyed' : 'unknown', lossMessage(message)));
    });
  }

  #fromWebGpu(error: GPUError): GpuError {
    // By name, since Node has no such globals.
    if (error.constructor.name === 'GPUOutOfMemoryError') {
      return new OutOfMemoryError(0, this.memory().used, `Out of GPU memory: ${error.message}`);
    }
    return new ValidationError(error.message);
  }

  #announce(error: GpuError): void {
    if (error instanceof OutOfMemoryError) this.#events.emit('outOfMemory', error);
    else this.#events.emit('error', error);
  }

  /** The first loss counts; what we hold is dropped, so that a lost Gpu keeps nothing alive. */
  #lose(loss: GpuLostError): void {
    if (this.#loss) return;
    this.#loss = loss;
    this.#recorder.abandon();
    this.#groups.clear();
    this.#events.emit('lost', loss);
    this.#resolveLost(loss);
    this.#events.clear();
    this.slots.clear();
  }
}

function lossMessage(message: string): string {
  return (
    `The GPU was lost${message ? `: ${message}` : ''}. Another program may have crashed its driver, or memory ran out; ` +
    'open it again, perhaps with a smaller model.'
  );
}
