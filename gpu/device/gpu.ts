/**
 * The GPU as the rooms above see it: memory, dispatches in order, plans, and the truth about what failed.
 *
 * This class ties the parts of the room together and holds no mechanism of its own; each part has a file.
 * Everything but downloads and preparation is synchronous: calls record, and only who wants a value waits.
 */
import { bytesPerElement } from '../formats/dtype';
import type { DType } from '../formats/dtype';
import type { AdapterSummary, Capabilities, OpenedDevice } from './adapter';
import { Arena } from './arena';
import type { Allocation, MemoryUse } from './arena';
import { BindGroupCache } from './bindgroups';
import { checkDispatch } from './dispatch';
import type { Dispatch } from './dispatch';
import { ArgumentError, GpuLostError } from './errors';
import type { GpuError } from './errors';
import type { GpuEvents } from './events';
import { Health } from './health';
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
import { Scopes, destroyAll } from './scopes';
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
  readonly #health: Health;
  readonly #arena: Arena;
  readonly #groups: BindGroupCache;
  readonly #pipelines: PipelineCache;
  readonly #recorder: Recorder;
  readonly #transfer: Transfer;
  readonly #scopes = new Scopes();
  readonly #notes: Note[] = [];
  #recording: Recording | undefined;

  constructor(opened: OpenedDevice, options: GpuOptions = {}) {
    const { device, limits } = opened;
    this.device = device;
    this.info = opened.info;
    this.limits = limits;
    this.features = opened.features;
    this.languageFeatures = opened.languageFeatures;
    this.has = opened.has;
    this.selfTest = options.selfTest ?? true;
    this.#reduce = options.reduce ?? {};
    this.#health = new Health(
      device,
      () => this.memory().used,
      () => this.#forget(),
    );
    this.lost = this.#health.lost;
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
      onOutOfMemory: (error) => this.#health.guards.fail(error),
    });
    this.#pipelines = new PipelineCache({ device, limits, guard: (check) => this.guard(check) });
    this.#recorder = new Recorder({ device, limits, arena: this.#arena, groups: this.#groups });
    this.#transfer = new Transfer({
      device,
      arena: this.#arena,
      recorder: this.#recorder,
      beforeHostWrite: (memory) => this.#recording?.hostWrites(memory),
    });
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
    this.#scopes.add(tensor);
    return tensor;
  }

  /** Runs `body` and gives back the temporaries it asked for: the commands it recorded still find them in order. */
  scoped<T>(body: () => T): T {
    return this.#scopes.run(body);
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

  /** For the checks that guards wait for: as download, but waiting for no guard. Nothing else may lean on it. */
  async downloadUnguarded(tensor: Tensor): Promise<Float32Array> {
    return this.#readNow(tensor, (bytes) => decodeFloats(bytes, tensor.dtype, tensor.size));
  }

  async downloadInts(tensor: Tensor): Promise<Int32Array | Uint32Array> {
    return this.#read(tensor, (bytes) => decodeInts(bytes, tensor.dtype, tensor.size));
  }

  /** The bytes of the elements, whatever the dtype. */
  async downloadBytes(tensor: Tensor): Promise<Uint8Array> {
    const length = tensor.size * bytesPerElement(tensor.dtype);
    return this.#read(tensor, (bytes) => bytes.slice(0, length));
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
    return this.#health.orLost(Promise.all(specs.map((spec) => this.#pipelines.prepare(spec))));
  }

  dispatch(call: Dispatch): void {
    this.#requireAlive();
    const checked = checkDispatch(call, this);
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
    await this.#health.orLost(nudged(this.device, this.device.queue.onSubmittedWorkDone()));
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
    try {
      this.#recording = recording;
      const result = this.#scopes.collect(temporaries, body);
      return new Plan(this.#planHome(), recording, temporaries, result);
    } catch (error) {
      destroyAll(temporaries);
      recording.abandon();
      throw error;
    } finally {
      this.#recording = undefined;
    }
  }

  /** Milliseconds of every dispatch; the plan runs, so whatever it writes is written. */
  async profile(plan: Plan, options?: ProfileOptions): Promise<ProfileRow[]> {
    return this.#health.orLost(
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
    this.#health.guards.add(check);
  }

  /** Errors since the last takeErrors(): while there are any, downloads reject with the first. */
  get uncaptured(): readonly GpuError[] {
    return this.#health.guards.errors;
  }

  /** Takes note of the errors: values computed from now on count again. */
  takeErrors(): GpuError[] {
    return this.#health.guards.take();
  }

  /** Listens for loss, want of memory, other errors; returns the way to stop. */
  on<Name extends keyof GpuEvents>(name: Name, listener: (event: GpuEvents[Name]) => void): () => void {
    return this.#health.events.on(name, listener);
  }

  /** A line in the report. */
  note(note: Note): void {
    this.#notes.push(note);
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
      notes: [...this.#notes],
      errors: this.uncaptured.map(({ code, message }) => ({ code, message })),
      ...(this.#health.loss ? { lost: this.#health.loss.message } : {}),
    };
  }

  /** Frees everything. Downloads that wait reject with GpuLostError. */
  destroy(): void {
    this.#health.lose(new GpuLostError('destroyed', 'This GPU was closed with destroy().'));
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

  async #read<T>(tensor: Tensor, decode: (bytes: Uint8Array) => T): Promise<T> {
    const value = await this.#readNow(tensor, decode);
    await this.#health.guards.passed();
    return value;
  }

  /** Async, so that wrong calls reject instead of throwing. */
  async #readNow<T>(tensor: Tensor, decode: (bytes: Uint8Array) => T): Promise<T> {
    this.#use(tensor);
    if (this.#recording) throw new ArgumentError('download', 'a call inside record()', 'a call after plan.run()');
    return this.#health.orLost(this.#transfer.read(tensor, decode));
  }

  #use(tensor: Tensor): void {
    this.#requireAlive();
    if (tensor.gpu !== this) throw new ArgumentError('tensor', `${describe(tensor)} of another GPU`, 'one of this GPU');
    if (tensor.destroyed) throw new ArgumentError('tensor', `destroyed ${describe(tensor)}`, 'a live tensor');
  }

  #requireAlive(): void {
    this.#health.requireAlive();
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

  /** The device is gone: nothing of it is kept alive by us. */
  #forget(): void {
    this.#recorder.abandon();
    this.#groups.clear();
    this.#pipelines.clear();
    this.slots.clear();
  }
}
