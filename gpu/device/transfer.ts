/**
 * Between the host and the GPU: writes, copies, fills, and downloads, all in order with the dispatches around them.
 */
import { bytesPerElement } from '../formats/dtype';
import type { Allocation, Arena } from './arena';
import { BufferUsage, MAP_MODE_READ, alignDown } from './constants';
import { ArgumentError } from './errors';
import { encodeChunks } from './hostdata';
import type { HostData } from './hostdata';
import { nudged } from './mapping';
import type { Recorder } from './recorder';
import { describe } from './tensor';
import type { Tensor } from './tensor';

/** One `writeBuffer` copies its data once more on the host: pieces keep that copy small. */
const WRITE_PIECE = 16 * 1024 * 1024;
/** Readback buffers up to this size are kept; larger ones are rare, and memory better spent. */
const STAGING_KEPT = 1024 * 1024;
const STAGING_SMALLEST = 4096;

export interface TransferOptions {
  readonly device: GPUDevice;
  readonly arena: Arena;
  readonly recorder: Recorder;
  /** Told before the host writes: a recording wants to know. */
  readonly beforeHostWrite: (allocation: Allocation) => void;
}

export class Transfer {
  /** Readback buffers waiting to be used again, by size. */
  readonly #staging = new Map<number, GPUBuffer[]>();

  constructor(private readonly options: TransferOptions) {}

  /** Writes numbers from `elementOffset` on, converted to the tensor's dtype. */
  write(tensor: Tensor, data: HostData, elementOffset = 0): void {
    const width = bytesPerElement(tensor.dtype);
    if (!(elementOffset >= 0 && elementOffset + data.length <= tensor.size)) {
      throw new ArgumentError(
        'data',
        `${data.length} elements from ${elementOffset} on`,
        `at most the ${tensor.size} elements of ${describe(tensor)}`,
      );
    }
    const start = elementOffset * width;
    for (const { bytes, byteOffset } of encodeChunks(data, tensor.dtype)) {
      this.writeBytes(tensor, bytes, start + byteOffset);
    }
  }

  /**
   * Writes raw bytes. WebGPU writes multiples of 4 to multiples of 4: an odd length is allowed at the tensor's end
   * alone, where it is padded with zeros (TensorWriter joins odd chunks).
   */
  writeBytes(tensor: Tensor, bytes: Uint8Array, byteOffset: number): void {
    checkByteRange(tensor, bytes.length, byteOffset);
    this.#beforeWrite(tensor);
    const whole = alignDown(bytes.length, 4);
    const at = tensor.offset + byteOffset;
    for (let done = 0; done < whole; done += WRITE_PIECE) {
      this.#put(tensor.buffer, at + done, bytes, done, Math.min(WRITE_PIECE, whole - done));
    }
    if (whole === bytes.length) return;
    const tail = new Uint8Array(4);
    tail.set(bytes.subarray(whole));
    this.#put(tensor.buffer, at + whole, tail, 0, 4);
  }

  /** Repeats a 32-bit pattern all over the tensor. */
  fill(tensor: Tensor, pattern: number): void {
    this.#beforeWrite(tensor);
    const piece = new Uint32Array(Math.min(tensor.byteLength, WRITE_PIECE) / 4).fill(pattern);
    const bytes = new Uint8Array(piece.buffer);
    for (let done = 0; done < tensor.byteLength; done += bytes.length) {
      this.#put(tensor.buffer, tensor.offset + done, bytes, 0, Math.min(bytes.length, tensor.byteLength - done));
    }
  }

  copy(source: Tensor, target: Tensor): void {
    if (source.dtype !== target.dtype || source.size !== target.size) {
      throw new ArgumentError('target', describe(target), `as many elements of the same dtype as ${describe(source)}`);
    }
    if (source.memory === target.memory) {
      throw new ArgumentError('target', 'a view of the source', 'memory of its own');
    }
    this.options.beforeHostWrite(target.memory);
    this.options.recorder.encode((encoder) => {
      encoder.copyBufferToBuffer(source.buffer, source.offset, target.buffer, target.offset, source.byteLength);
    });
    const { batch } = this.options.recorder;
    source.memory.usedIn = target.memory.usedIn = batch;
  }

  /**
   * The tensor's bytes as they are when everything recorded so far has run. `decode` sees them in mapped memory, which
   * is gone afterwards: it copies what it keeps.
   */
  async read<T>(tensor: Tensor, decode: (bytes: Uint8Array) => T): Promise<T> {
    const { device, recorder } = this.options;
    const size = tensor.byteLength;
    const staging = this.#takeStaging(size);
    recorder.encode((encoder) => {
      encoder.copyBufferToBuffer(tensor.buffer, tensor.offset, staging, 0, size);
    });
    recorder.flush();
    try {
      await nudged(device, staging.mapAsync(MAP_MODE_READ, 0, size));
      const decoded = decode(new Uint8Array(staging.getMappedRange(0, size)));
      staging.unmap();
      this.#giveStaging(staging);
      return decoded;
    } catch (error) {
      this.options.arena.destroyBuffer(staging);
      throw error;
    }
  }

  #beforeWrite({ memory }: Tensor): void {
    const { recorder, beforeHostWrite } = this.options;
    beforeHostWrite(memory);
    // A write to a queue runs before whatever is recorded but not submitted.
    if (recorder.pending > 0 && memory.usedIn === recorder.batch) recorder.flush();
  }

  #put(buffer: GPUBuffer, at: number, bytes: Uint8Array, from: number, count: number): void {
    this.options.device.queue.writeBuffer(buffer, at, bytes, from, count);
  }

  #takeStaging(size: number): GPUBuffer {
    const capacity = stagingCapacity(size);
    const kept = this.#staging.get(capacity)?.pop();
    if (kept) return kept;
    return this.options.arena.createBuffer(capacity, BufferUsage.MAP_READ | BufferUsage.COPY_DST, 'readback');
  }

  #giveStaging(buffer: GPUBuffer): void {
    if (buffer.size > STAGING_KEPT) {
      this.options.arena.destroyBuffer(buffer);
      return;
    }
    const kept = this.#staging.get(buffer.size) ?? [];
    kept.push(buffer);
    this.#staging.set(buffer.size, kept);
  }
}

function stagingCapacity(size: number): number {
  if (size > STAGING_KEPT) return size;
  return Math.max(STAGING_SMALLEST, 2 ** Math.ceil(Math.log2(size)));
}

function checkByteRange(tensor: Tensor, length: number, byteOffset: number): void {
  const bytes = tensor.size * bytesPerElement(tensor.dtype);
  if (!Number.isSafeInteger(byteOffset) || byteOffset < 0 || byteOffset + length > bytes) {
    throw new ArgumentError(
      'bytes',
      `${length} bytes at ${byteOffset}`,
      `a range inside the ${bytes} bytes of ${describe(tensor)}`,
    );
  }
  if (byteOffset % 4 !== 0 || (length % 4 !== 0 && byteOffset + length !== bytes)) {
    throw new ArgumentError(
      'bytes',
      `${length} bytes at ${byteOffset}`,
      'multiples of 4, but for the length at the end of the tensor',
    );
  }
}
