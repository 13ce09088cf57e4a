/**
 * The arena: GPU memory in whole buffers, given back and used again.
 *
 * One buffer a tensor, never two tensors in one buffer: WebGPU tracks usage by buffer, and refuses a dispatch that
 * reads one part of a buffer and writes another.
 *
 * Reuse needs no waiting. All work goes through one queue, in order: whoever gets a buffer back records commands that
 * run after those of the owner before. The one way round the queue's order is `queue.writeBuffer`, which runs before
 * dispatches that are recorded but not submitted; transfers look at `usedIn` and flush first.
 */
import { TENSOR_USAGE, alignUp } from './constants';
import { LimitError, OutOfMemoryError } from './errors';
import type { Limits } from './limits';

/** One GPU buffer, owned by one tensor or by nobody. */
export interface Allocation {
  readonly buffer: GPUBuffer;
  /** Bytes of the buffer. */
  readonly capacity: number;
  /** Bytes the owner asked for. */
  bytes: number;
  /** A tensor holds it. */
  owned: boolean;
  /** Plans whose bind groups name it: the buffer outlives its tensor until they are gone. */
  pins: number;
  /** Number of the batch of dispatches that last named it (Recorder.batch). */
  usedIn: number;
}

export interface MemoryUse {
  /** Bytes of live tensors, and of what plans keep. */
  readonly used: number;
  /** Bytes of all buffers: used, waiting for reuse, parameters, staging. */
  readonly reserved: number;
  /** The largest `used` since the device was opened, or since `resetPeakMemory()`. */
  readonly peak: number;
  /** The largest `reserved`, likewise. */
  readonly peakReserved: number;
  /** Number of GPU buffers. */
  readonly buffers: number;
}

export interface ArenaOptions {
  readonly device: GPUDevice;
  readonly limits: Limits;
  /** Bytes that all our buffers together may take. */
  readonly budget: number;
  /** Bytes that may wait unused. */
  readonly idleBudget: number;
  /** Called before a buffer is destroyed: recorded commands that name it must be submitted first. */
  readonly beforeDestroy: () => void;
  readonly onOutOfMemory: (error: OutOfMemoryError) => void;
}

const SMALLEST = 256;
/** Buffers round up to an eighth of their power of two, but never waste more than this. */
const LARGEST_STEP = 256 * 1024;

export class Arena {
  /** Every buffer of ours, tensors' and others' (parameters, staging), with its size. */
  readonly #buffers = new Map<GPUBuffer, number>();
  /** Unowned allocations, smallest first. */
  readonly #idle: Allocation[] = [];
  #idleBytes = 0;
  #used = 0;
  #reserved = 0;
  #peak = 0;
  #peakReserved = 0;

  constructor(private readonly options: ArenaOptions) {}

  /** Memory for a tensor: an idle buffer that fits, else a new one. Contents are undefined. */
  allocate(bytes: number, what: string): Allocation {
    const { maxBufferSize } = this.options.limits;
    if (bytes > maxBufferSize) throw new LimitError('maxBufferSize', bytes, maxBufferSize, what);
    const allocation = this.#takeIdle(bytes) ?? this.#create(bytes, what);
    allocation.bytes = bytes;
    allocation.owned = true;
    this.#used += bytes;
    this.#peak = Math.max(this.#peak, this.#used);
    return allocation;
  }

  /** The tensor is gone. Pinned memory stays with its plans. */
  release(allocation: Allocation): void {
    allocation.owned = false;
    this.#recycle(allocation);
  }

  pin(allocation: Allocation): void {
    allocation.pins += 1;
  }

  unpin(allocation: Allocation): void {
    allocation.pins -= 1;
    this.#recycle(allocation);
  }

  /** A plan takes up memory again that its body has given back: it is used, though no tensor owns it. */
  adopt(allocation: Allocation, bytes: number): void {
    this.#used += Math.max(0, bytes - allocation.bytes);
    this.#peak = Math.max(this.#peak, this.#used);
    allocation.bytes = Math.max(allocation.bytes, bytes);
    allocation.owned = true;
  }

  /** A buffer that is no tensor (parameters, staging), counted as reserved. */
  createBuffer(size: number, usage: number, label: string): GPUBuffer {
    return this.#createBuffer(size, usage, label);
  }

  destroyBuffer(buffer: GPUBuffer): void {
    const size = this.#buffers.get(buffer);
    if (size === undefined) return;
    this.#buffers.delete(buffer);
    this.#reserved -= size;
    buffer.destroy();
  }

  /** Destroys idle buffers, largest first, until at most `keep` bytes wait. */
  trim(keep = 0): void {
    if (this.#idleBytes <= keep) return;
    this.options.beforeDestroy();
    while (this.#idleBytes > keep) {
      const allocation = this.#idle.pop()!;
      this.#idleBytes -= allocation.capacity;
      this.destroyBuffer(allocation.buffer);
    }
  }

  memory(): MemoryUse {
    return {
      used: this.#used,
      reserved: this.#reserved,
      peak: this.#peak,
      peakReserved: this.#peakReserved,
      buffers: this.#buffers.size,
    };
  }

  resetPeak(): void {
    this.#peak = this.#used;
    this.#peakReserved = this.#reserved;
  }

  destroy(): void {
    for (const buffer of this.#buffers.keys()) buffer.destroy();
    this.#buffers.clear();
    this.#idle.length = 0;
    this.#idleBytes = this.#used = this.#reserved = 0;
  }

  #recycle(allocation: Allocation): void {
    if (allocation.owned || allocation.pins > 0 || !this.#buffers.has(allocation.buffer)) return;
    this.#used -= allocation.bytes;
    this.#idle.splice(this.#firstIdleOf(allocation.capacity), 0, allocation);
    this.#idleBytes += allocation.capacity;
    this.trim(this.options.idleBudget);
  }

  /** The smallest idle buffer that holds `bytes` and wastes no more than a new one might. */
  #takeIdle(bytes: number): Allocation | undefined {
    const index = this.#firstIdleOf(bytes);
    const candidate = this.#idle[index];
    if (!candidate || candidate.capacity > this.#capacityFor(Math.ceil(bytes * 1.125))) return undefined;
    this.#idle.splice(index, 1);
    this.#idleBytes -= candidate.capacity;
    return candidate;
  }

  /** Index of the first idle buffer with at least `bytes`. */
  #firstIdleOf(bytes: number): number {
    let low = 0;
    let high = this.#idle.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#idle[middle]!.capacity < bytes) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #capacityFor(bytes: number): number {
    const power = 2 ** Math.floor(Math.log2(Math.max(bytes, SMALLEST)));
    const step = Math.min(Math.max(power / 8, SMALLEST), LARGEST_STEP);
    const rounded = alignUp(Math.max(bytes, SMALLEST), step);
    return rounded > this.options.limits.maxBufferSize ? bytes : rounded;
  }

  #create(bytes: number, what: string): Allocation {
    const capacity = this.#capacityFor(bytes);
    const buffer = this.#createBuffer(capacity, TENSOR_USAGE, what);
    return { buffer, capacity, bytes, owned: true, pins: 0, usedIn: -1 };
  }

  #createBuffer(size: number, usage: number, label: string): GPUBuffer {
    this.#makeRoom(size, label);
    const { device, onOutOfMemory } = this.options;
    device.pushErrorScope('out-of-memory');
    const buffer = device.createBuffer({ size, usage, label });
    const used = this.#used;
    // A lost device rejects; that is reported where the loss is.
    device.popErrorScope().then(
      (error) => {
        if (error) onOutOfMemory(new OutOfMemoryError(size, used, this.#outOfMemoryMessage(label, size, used)));
      },
      () => undefined,
    );
    this.#buffers.set(buffer, size);
    this.#reserved += size;
    this.#peakReserved = Math.max(this.#peakReserved, this.#reserved);
    return buffer;
  }

  #makeRoom(size: number, label: string): void {
    const { budget } = this.options;
    const excess = this.#reserved + size - budget;
    if (excess > 0) this.trim(Math.max(0, this.#idleBytes - excess));
    if (this.#reserved + size <= budget) return;
    const message = this.#outOfMemoryMessage(label, size, this.#used);
    throw new OutOfMemoryError(size, this.#used, `${message} The budget is ${mebibytes(budget)}.`);
  }

  #outOfMemoryMessage(label: string, size: number, used: number): string {
    return (
      `Out of GPU memory: ${label} wants ${mebibytes(size)}, ${mebibytes(used)} are in use. ` +
      'A smaller model, a shorter context, or closing other programs that use the GPU would help.'
    );
  }
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
