/**
 * Bind groups, made once for each combination of buffers and kept: in a loop over the same tensors, no call makes one.
 */
import type { Checked } from './dispatch';
import { PARAMS_MAX_BYTES } from './params';

/** More than any plan of ours needs; past it the cache starts anew, since a group costs only its making. */
const MOST_GROUPS = 4096;

export class BindGroupCache {
  readonly #groups = new Map<string, GPUBindGroup>();
  readonly #bufferIds = new WeakMap<GPUBuffer, number>();
  #nextBufferId = 0;

  constructor(private readonly device: GPUDevice) {}

  /** `paramBuffer` holds the parameters; where they lie in it is a dynamic offset, and no part of the group. */
  get(call: Checked, paramBuffer: GPUBuffer | undefined): GPUBindGroup {
    const key = this.#key(call, paramBuffer);
    const known = this.#groups.get(key);
    if (known) return known;
    if (this.#groups.size >= MOST_GROUPS) this.#groups.clear();
    const group = this.#create(call, paramBuffer);
    this.#groups.set(key, group);
    return group;
  }

  /** A group names its buffers, so one that names a destroyed buffer must never be found again. */
  clear(): void {
    this.#groups.clear();
  }

  #key(call: Checked, paramBuffer: GPUBuffer | undefined): string {
    let key = `${call.pipeline.layoutId}:${paramBuffer && call.pipeline.uniform >= 0 ? this.#idOf(paramBuffer) : ''}`;
    for (const { memory, offset, length } of call.bound) key += `:${this.#idOf(memory.buffer)},${offset},${length}`;
    return key;
  }

  #idOf(buffer: GPUBuffer): number {
    const known = this.#bufferIds.get(buffer);
    if (known !== undefined) return known;
    const id = this.#nextBufferId++;
    this.#bufferIds.set(buffer, id);
    return id;
  }

  #create({ pipeline, bound, label }: Checked, paramBuffer: GPUBuffer | undefined): GPUBindGroup {
    const entries: GPUBindGroupEntry[] = bound.map(({ binding, memory, offset, length }) => ({
      binding,
      resource: { buffer: memory.buffer, offset, size: length },
    }));
    if (paramBuffer && pipeline.uniform >= 0) {
      entries.push({ binding: pipeline.uniform, resource: { buffer: paramBuffer, offset: 0, size: PARAMS_MAX_BYTES } });
    }
    return this.device.createBindGroup({ label, layout: pipeline.layout, entries });
  }
}
