/**
 * One dispatch: what a caller asks for, checked before WebGPU sees it, and resolved to a bind group.
 */
import type { Allocation } from './arena';
import { alignUp } from './constants';
import { ArgumentError, LimitError } from './errors';
import type { Limits } from './limits';
import { PARAMS_MAX_BYTES } from './params';
import type { Params } from './params';
import type { BindingKind, Pipeline } from './pipeline';
import { Tensor, describe } from './tensor';
import type { Binding, TensorHome } from './tensor';

export interface Dispatch {
  readonly pipeline: Pipeline;
  /** How the profiler and `plan.update` name it; default the pipeline's label. */
  readonly label?: string;
  /** By @binding index; null for 'uniform' and 'none'. */
  readonly bindings: readonly (Binding | null)[];
  /** Bytes for the uniform binding: given exactly when there is one. */
  readonly params?: Params;
  readonly workgroups: readonly [x: number, y?: number, z?: number];
}

/** A storage binding in numbers. */
export interface Bound {
  readonly binding: number;
  readonly kind: 'read' | 'write';
  readonly memory: Allocation;
  readonly offset: number;
  readonly length: number;
}

/** A dispatch that has passed its checks. */
export interface Checked {
  readonly label: string;
  readonly pipeline: Pipeline;
  readonly bound: readonly Bound[];
  readonly params: Params | undefined;
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

export function checkDispatch(call: Dispatch, home: TensorHome): Checked {
  const { limits } = home;
  const { pipeline, params } = call;
  const label = call.label ?? pipeline.label;
  if (call.bindings.length !== pipeline.bindings.length) {
    throw new ArgumentError(
      `${label}: bindings`,
      `${call.bindings.length} of them`,
      `${pipeline.bindings.length}: ${pipeline.bindings.join(', ')}`,
    );
  }
  const bound: Bound[] = [];
  for (let index = 0; index < call.bindings.length; index++) {
    const one = checkBinding(label, index, pipeline.bindings[index]!, call.bindings[index]!, home);
    if (one) bound.push(one);
  }
  checkAliasing(label, bound);
  checkParams(label, pipeline, params);
  const [x, y = 1, z = 1] = call.workgroups;
  checkWorkgroups(label, x, limits);
  checkWorkgroups(label, y, limits);
  checkWorkgroups(label, z, limits);
  return { label, pipeline, bound, params, x, y, z };
}

/** A dispatch without workgroups does nothing, and WebGPU would warn of it. */
export function isEmpty({ x, y, z }: Checked): boolean {
  return x === 0 || y === 0 || z === 0;
}

function checkBinding(
  label: string,
  index: number,
  kind: BindingKind,
  binding: Binding | null,
  home: TensorHome,
): Bound | undefined {
  if (kind === 'uniform' || kind === 'none') {
    if (binding === null) return undefined;
    throw new ArgumentError(`${label}: bindings[${index}]`, 'a tensor', `null (its kind is '${kind}')`);
  }
  if (binding === null) throw new ArgumentError(`${label}: bindings[${index}]`, 'null', `a tensor to ${kind}`);
  const whole = binding instanceof Tensor;
  const tensor = whole ? binding : binding.tensor;
  if (tensor.destroyed) {
    throw new ArgumentError(`${label}: bindings[${index}]`, `destroyed ${describe(tensor)}`, 'a live tensor');
  }
  if (tensor.gpu !== home) {
    throw new ArgumentError(`${label}: bindings[${index}]`, `${describe(tensor)} of another GPU`, 'one of this GPU');
  }
  const offset = whole ? tensor.offset : binding.byteOffset;
  const { minStorageBufferOffsetAlignment: alignment, maxStorageBufferBindingSize: largest } = home.limits;
  const length = whole ? boundLength(tensor, largest) : binding.byteLength;
  if (offset % alignment !== 0) {
    throw new ArgumentError(
      `${label}: bindings[${index}]`,
      `${describe(tensor)} at byte ${offset}`,
      `an offset that is a multiple of ${alignment} (use bindRange)`,
    );
  }
  if (length > largest) {
    const what = `${label}: bindings[${index}], ${describe(tensor)} (bind it in parts: tensor.bindings())`;
    throw new LimitError('maxStorageBufferBindingSize', length, largest, what);
  }
  return { binding: index, kind, memory: tensor.memory, offset, length };
}

/**
 * A tensor with a buffer of its own is bound up to the next 16 bytes: a kernel that reads it as `array<vec4<u32>>`
 * would otherwise not see the last, incomplete vector. The arena's buffers are that long; what lies there is undefined.
 */
function boundLength(tensor: Tensor, largest: number): number {
  const padded = alignUp(tensor.byteLength, 16);
  const fits = !tensor.base && padded <= tensor.memory.capacity && padded <= largest;
  return fits ? padded : tensor.byteLength;
}

/**
 * WebGPU refuses a dispatch that reads and writes one buffer, even in places far apart, and one that writes the same
 * bytes through two bindings.
 */
function checkAliasing(label: string, bound: readonly Bound[]): void {
  for (const writer of bound) {
    if (writer.kind !== 'write') continue;
    for (const other of bound) {
      if (other === writer || other.memory !== writer.memory) continue;
      const overlap = other.offset < writer.offset + writer.length && writer.offset < other.offset + other.length;
      if (other.kind === 'write' && !overlap) continue;
      throw new ArgumentError(
        `${label}: bindings[${writer.binding}] and [${other.binding}]`,
        'the same buffer, written by one of them',
        'buffers of their own (views share theirs)',
      );
    }
  }
}

function checkParams(label: string, pipeline: Pipeline, params: Params | undefined): void {
  if (pipeline.uniform >= 0 !== (params !== undefined)) {
    throw new ArgumentError(
      `${label}: params`,
      params ? 'bytes' : 'nothing',
      pipeline.uniform >= 0 ? 'bytes for its uniform binding' : 'nothing, since it has no uniform binding',
    );
  }
  if (!params) return;
  const { length } = params.bytes;
  if (length < 4 || length % 4 !== 0 || length > PARAMS_MAX_BYTES) {
    throw new ArgumentError(`${label}: params`, `${length} bytes`, `a multiple of 4, at most ${PARAMS_MAX_BYTES}`);
  }
}

function checkWorkgroups(label: string, count: number, limits: Limits): void {
  const largest = limits.maxComputeWorkgroupsPerDimension;
  if (count > largest) throw new LimitError('maxComputeWorkgroupsPerDimension', count, largest, `${label}: workgroups`);
  if (Number.isInteger(count) && count >= 0) return;
  throw new ArgumentError(`${label}: workgroups`, String(count), 'whole numbers, none negative');
}
