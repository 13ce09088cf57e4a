/**
 * A tensor: a buffer on the GPU with a dtype and a shape, contiguous, the last axis fastest.
 *
 * It is a handle. The memory belongs to the arena, and `destroy()` gives it back; views share it and own nothing.
 */
import { bytesPerElement } from '../formats/dtype';
import type { DType } from '../formats/dtype';
import type { Allocation } from './arena';
import { alignDown, alignUp } from './constants';
import { ArgumentError, LimitError } from './errors';
import type { Limits } from './limits';

/** What a tensor needs of its device: kept narrow, so that this file knows no Gpu. */
export interface TensorHome {
  readonly limits: Limits;
  releaseTensor(allocation: Allocation): void;
}

/** A range of a buffer as a shader sees it. */
export interface BindingRange {
  readonly tensor: Tensor;
  /** From the start of the buffer, as `tensor.offset` is; a multiple of minStorageBufferOffsetAlignment. */
  readonly byteOffset: number;
  /** A multiple of 4. */
  readonly byteLength: number;
}

export type Binding = Tensor | BindingRange;

/** One binding of a tensor too large for one. */
export interface TensorPart {
  readonly binding: BindingRange;
  /** Index in the tensor of the first element of this part. */
  readonly elementOffset: number;
  readonly elementCount: number;
}

export class Tensor {
  /** Number of elements. */
  readonly size: number;
  /** Bytes of the elements, rounded up to a multiple of 4; at least 4, since WebGPU binds nothing empty. */
  readonly byteLength: number;
  #destroyed = false;

  constructor(
    readonly gpu: TensorHome,
    readonly memory: Allocation,
    readonly dtype: DType,
    readonly shape: readonly number[],
    /** In bytes from the start of the buffer; a multiple of 4. */
    readonly offset: number,
    /** The tensor whose memory this is a view of. */
    readonly base?: Tensor,
  ) {
    this.size = elementCount(shape);
    this.byteLength = byteLengthOf(shape, dtype);
  }

  get buffer(): GPUBuffer {
    return this.memory.buffer;
  }

  /** A view is gone when the tensor it looks at is. */
  get destroyed(): boolean {
    return this.#destroyed || (this.base?.destroyed ?? false);
  }

  /** Gives the memory back to the arena, where the next tensor may take it. Views own none; twice is harmless. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    if (!this.base) this.gpu.releaseTensor(this.memory);
  }

  /** The same memory under another shape, from `elementOffset` on. */
  view(shape: readonly number[], { elementOffset = 0 }: { elementOffset?: number } = {}): Tensor {
    checkShape(shape, 'shape');
    const skipped = elementOffset * bytesPerElement(this.dtype);
    if (!Number.isSafeInteger(elementOffset) || elementOffset < 0 || skipped % 4 !== 0) {
      throw new ArgumentError(
        'elementOffset',
        `${elementOffset} (${skipped} bytes)`,
        `a whole number of elements whose bytes are a multiple of 4`,
      );
    }
    if (elementOffset + elementCount(shape) > this.size) {
      throw new ArgumentError(
        'shape',
        `${formatShape(shape)} from element ${elementOffset} on`,
        `at most the ${this.size} elements of ${formatShape(this.shape)}`,
      );
    }
    return new Tensor(this.gpu, this.memory, this.dtype, [...shape], this.offset + skipped, this.base ?? this);
  }

  /** The whole tensor as bindings, none larger than the device binds: one, for all but the largest. */
  bindings(): TensorPart[] {
    const { maxStorageBufferBindingSize: largest, minStorageBufferOffsetAlignment: alignment } = this.gpu.limits;
    const width = bytesPerElement(this.dtype);
    const parts: TensorPart[] = [];
    const first = requireAligned(this, alignment);
    const step = alignDown(largest, alignment);
    for (let done = 0; done < this.byteLength; done += step) {
      const byteLength = Math.min(step, this.byteLength - done);
      parts.push({
        binding: { tensor: this, byteOffset: first + done, byteLength },
        elementOffset: done / width,
        elementCount: Math.min(byteLength / width, this.size - done / width),
      });
    }
    return parts;
  }
}

/**
 * A binding that covers `elementCount` elements from `elementStart` on. WebGPU wants binding offsets aligned (to 256
 * bytes by default), so the binding may begin earlier: `elementOffset` is where the first element lies inside it.
 */
export function bindRange(
  tensor: Tensor,
  elementStart: number,
  elementCount: number,
): { binding: BindingRange; elementOffset: number } {
  if (!(elementStart >= 0 && elementCount >= 0 && elementStart + elementCount <= tensor.size)) {
    throw new ArgumentError(
      'elementStart, elementCount',
      `${elementStart}, ${elementCount}`,
      `a range inside the ${tensor.size} elements of ${formatShape(tensor.shape)}`,
    );
  }
  const { maxStorageBufferBindingSize: largest, minStorageBufferOffsetAlignment: alignment } = tensor.gpu.limits;
  const width = bytesPerElement(tensor.dtype);
  const start = tensor.offset + elementStart * width;
  const byteOffset = alignDown(start, alignment);
  const byteLength = Math.max(4, alignUp(start + elementCount * width - byteOffset, 4));
  if (byteLength > largest) {
    throw new LimitError('maxStorageBufferBindingSize', byteLength, largest, `bindRange of ${describe(tensor)}`);
  }
  return { binding: { tensor, byteOffset, byteLength }, elementOffset: (start - byteOffset) / width };
}

function requireAligned(tensor: Tensor, alignment: number): number {
  if (tensor.offset % alignment === 0) return tensor.offset;
  throw new ArgumentError(
    'tensor',
    `a view that starts at byte ${tensor.offset} of its buffer`,
    `a start at a multiple of ${alignment} (bindRange binds other views)`,
  );
}

// ---- shapes ----------------------------------------------------------------------------------------------------

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

export function byteLengthOf(shape: readonly number[], dtype: DType): number {
  return Math.max(4, alignUp(elementCount(shape) * bytesPerElement(dtype), 4));
}

export function checkShape(shape: readonly number[], argument: string): void {
  if (shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)) return;
  throw new ArgumentError(argument, formatShape(shape), 'whole numbers, none negative');
}

/** `[2, 128, 8, 64]` */
export function formatShape(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

/** `f16 [2, 128, 8, 64]` */
export function describe(tensor: { dtype: DType; shape: readonly number[] }): string {
  return `${tensor.dtype} ${formatShape(tensor.shape)}`;
}
