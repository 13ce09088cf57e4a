/**
 * The KV cache of one sequence: for each layer keys and values `[1, capacity, Hkv, D]`, floats or rows of 8 bits with
 * their scales (gpu/formats/rows8.ts). It begins small and grows by
 * pages, so that a short conversation does not pay for the longest.
 */
import { bytesPerElement } from '../formats/dtype';
import { row8Bytes } from '../formats/rows8';
import type { ModelConfig } from '../formats/model';
import { LimitError } from '../device';
import type { DType, Gpu, Tensor } from '../device';

/** Positions that a cache grows by at least. */
const PAGE = 256;

/** Elements that a head's keys take in the cache, of its type. */
function rowLength({ headDim }: ModelConfig, dtype: DType): number {
  return dtype === 'u8' ? row8Bytes(headDim) : headDim;
}

/** Bytes of one position, keys and values of all layers. */
export function positionBytes(config: ModelConfig, dtype: DType): number {
  return 2 * config.layers.length * config.headsKv * rowLength(config, dtype) * bytesPerElement(dtype);
}

/** Positions that a cache of `capacity` has room for once it has to hold `positions`; a new one begins with a page. */
export function capacityFor(positions: number, capacity = PAGE, most = Infinity): number {
  if (positions <= capacity) return Math.min(most, capacity);
  return Math.min(most, Math.ceil(Math.max(positions, 2 * capacity) / PAGE) * PAGE);
}

export class KvCache {
  #keys: Tensor[] = [];
  #values: Tensor[] = [];
  #capacity = 0;

  /** @param most positions that the model serves */
  constructor(
    private readonly gpu: Gpu,
    private readonly config: ModelConfig,
    readonly dtype: DType,
    readonly most: number,
  ) {
    this.reserve(1);
  }

  get capacity(): number {
    return this.#capacity;
  }

  get bytes(): number {
    return this.#capacity * positionBytes(this.config, this.dtype);
  }

  /** Bytes that the cache has once it has room for `positions`. */
  bytesFor(positions: number): number {
    return capacityFor(positions, this.#capacity, this.most) * positionBytes(this.config, this.dtype);
  }

  keys(layer: number): Tensor {
    return this.#keys[layer]!;
  }

  values(layer: number): Tensor {
    return this.#values[layer]!;
  }

  /**
   * Makes room for `positions`; true where the cache has moved, so that plans that name it are to be recorded anew. It
   * at least doubles, so that moving costs a constant share of a conversation.
   */
  reserve(positions: number): boolean {
    if (positions <= this.#capacity) return false;
    if (positions > this.most) throw new LimitError('positions', positions, this.most, 'a sequence of this model');
    const capacity = capacityFor(positions, this.#capacity, this.most);
    // Layer by layer: no more than one layer is there twice.
    this.#keys = this.config.layers.map((_, layer) => this.#grown(this.#keys[layer], capacity));
    this.#values = this.config.layers.map((_, layer) => this.#grown(this.#values[layer], capacity));
    this.#capacity = capacity;
    return true;
  }

  /** Takes over the first `positions` of another sequence of the same model; there is room for them. */
  copyFrom(other: KvCache, positions: number): void {
    const { layers, headsKv } = this.config;
    const shape = [1, positions, headsKv, rowLength(this.config, this.dtype)];
    for (const layer of layers.keys()) {
      this.gpu.copy(other.keys(layer).view(shape), this.keys(layer).view(shape));
      this.gpu.copy(other.values(layer).view(shape), this.values(layer).view(shape));
    }
  }

  destroy(): void {
    for (const tensor of [...this.#keys, ...this.#values]) tensor.destroy();
    this.#keys = [];
    this.#values = [];
    this.#capacity = 0;
  }

  #grown(old: Tensor | undefined, capacity: number): Tensor {
    const row = rowLength(this.config, this.dtype);
    const tensor = this.gpu.empty([1, capacity, this.config.headsKv, row], this.dtype);
    if (!old) return tensor;
    this.gpu.copy(old, tensor.view(old.shape));
    old.destroy();
    return tensor;
  }
}
