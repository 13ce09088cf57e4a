/**
 * The KV cache of one sequence: for each layer keys and values `[1, capacity, Hkv, D]`. It begins small and grows by
 * pages, so that a short conversation does not pay for the longest.
 */
import type { ModelConfig } from '../formats/model';
import { LimitError } from '../device';
import type { DType, Gpu, Tensor } from '../device';

/** Positions that a cache grows by at least. */
const PAGE = 256;

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
    const capacity = Math.min(this.most, Math.ceil(Math.max(positions, 2 * this.#capacity) / PAGE) * PAGE);
    // Layer by layer: no more than one layer is there twice.
    this.#keys = this.config.layers.map((_, layer) => this.#grown(this.#keys[layer], capacity));
    this.#values = this.config.layers.map((_, layer) => this.#grown(this.#values[layer], capacity));
    this.#capacity = capacity;
    return true;
  }

  destroy(): void {
    for (const tensor of [...this.#keys, ...this.#values]) tensor.destroy();
    this.#keys = [];
    this.#values = [];
    this.#capacity = 0;
  }

  #grown(old: Tensor | undefined, capacity: number): Tensor {
    const { headsKv, headDim } = this.config;
    const tensor = this.gpu.empty([1, capacity, headsKv, headDim], this.dtype);
    if (!old) return tensor;
    this.gpu.copy(old, tensor.view(old.shape));
    old.destroy();
    return tensor;
  }
}
