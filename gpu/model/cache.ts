/**
 * The KV cache of one sequence: for each layer keys and values `[1, rows, Hkv, D]`, floats or rows of 8 bits with
 * their scales (gpu/formats/rows8.ts). It begins small and grows by pages, so that a short conversation does not pay for
 * the longest. Layers that look back only so far stop growing: position p lies in row p % rows there, and newer positions
 * take the places of those that no window reaches any more (gpu/formats/window.ts).
 */
import { bytesPerElement } from '../formats/dtype';
import { row8Bytes } from '../formats/rows8';
import type { LayerKind, ModelConfig } from '../formats/model';
import { CACHE_PAGE, rowsKept, WINDOW_SLACK } from '../formats/window';
import { LimitError } from '../device';
import type { DType, Gpu, Tensor } from '../device';

/** What of a configuration the cache goes by. */
export type CacheShape = Pick<ModelConfig, 'layers' | 'headsKv' | 'headDim'>;

export interface CacheOptions {
  readonly dtype: DType;
  /** Positions that are served. */
  readonly most: number;
  /** Rows that windowed layers keep beyond their window; Infinity: all. */
  readonly slack?: number;
}

/** Elements that a head's keys take in the cache, of its type. */
function rowLength({ headDim }: CacheShape, dtype: DType): number {
  return dtype === 'u8' ? row8Bytes(headDim) : headDim;
}

/** Bytes of a cache with room for so many positions: keys and values of all layers. */
export function cacheBytes(config: CacheShape, dtype: DType, positions: number, slack = WINDOW_SLACK): number {
  const row = 2 * config.headsKv * rowLength(config, dtype) * bytesPerElement(dtype);
  return config.layers.reduce((sum, { window }) => sum + rowsKept(window, positions, slack), 0) * row;
}

/** Positions that a cache of `capacity` has room for once it has to hold `positions`; a new one begins with a page. */
export function capacityFor(positions: number, capacity = CACHE_PAGE, most = Infinity): number {
  if (positions <= capacity) return Math.min(most, capacity);
  return Math.min(most, Math.ceil(Math.max(positions, 2 * capacity) / CACHE_PAGE) * CACHE_PAGE);
}

export class KvCache {
  readonly dtype: DType;
  /** Positions that the model serves. */
  readonly most: number;
  readonly #slack: number;
  /** Of the layers that look back only so far, if there are any: the shortest window and the longest. */
  readonly #windows: { readonly least: number; readonly most: number } | undefined;
  #keys: Tensor[] = [];
  #values: Tensor[] = [];
  #capacity = 0;
  /** The oldest position that every layer still has. */
  #oldest = 0;

  constructor(
    private readonly gpu: Gpu,
    private readonly config: CacheShape,
    { dtype, most, slack = WINDOW_SLACK }: CacheOptions,
  ) {
    this.dtype = dtype;
    this.most = most;
    this.#slack = slack;
    const windows = config.layers.flatMap(({ window }) => (window === undefined ? [] : [window]));
    if (windows.length > 0) this.#windows = { least: Math.min(...windows), most: Math.max(...windows) };
    this.reserve(1);
  }

  /** Positions that there is room for. */
  get capacity(): number {
    return this.#capacity;
  }

  get bytes(): number {
    return this.#bytesOf(this.#capacity);
  }

  /** Positions that one step may add: more would take the places of what the first of them sees. */
  get mostAtOnce(): number {
    return this.#windows ? this.#slack : Infinity;
  }

  /** Bytes that the cache has once it has room for `positions`. */
  bytesFor(positions: number): number {
    return this.#bytesOf(capacityFor(positions, this.#capacity, this.most));
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
    this.#keys = this.config.layers.map((layer, n) => this.#grown(layer, this.#keys[n], capacity));
    this.#values = this.config.layers.map((layer, n) => this.#grown(layer, this.#values[n], capacity));
    this.#capacity = capacity;
    return true;
  }

  /** To be told of every step, once it is on its way: positions up to `end` are there, and others may no longer be. */
  wrote(end: number): void {
    if (this.#windows) this.#oldest = Math.max(this.#oldest, end - this.#rows(this.#windows.least, this.#capacity));
  }

  /** Whether a sequence may go on from its first `count` positions: what their windows see is still there. */
  holds(count: number): boolean {
    return this.#oldest === 0 || count - (this.#windows!.most - 1) >= this.#oldest;
  }

  /** The next step begins at the first position: whatever was lost does not matter any more. */
  restart(): void {
    this.#oldest = 0;
  }

  /** Takes over the first `positions` of another sequence of the same model, which holds them; there is room for them. */
  copyFrom(other: KvCache, positions: number): void {
    const { layers, headsKv } = this.config;
    for (const [layer, { window }] of layers.entries()) {
      const shape = [1, this.#rows(window, positions), headsKv, rowLength(this.config, this.dtype)];
      this.gpu.copy(other.keys(layer).view(shape), this.keys(layer).view(shape));
      this.gpu.copy(other.values(layer).view(shape), this.values(layer).view(shape));
    }
    this.#oldest = other.#oldest;
  }

  destroy(): void {
    for (const tensor of [...this.#keys, ...this.#values]) tensor.destroy();
    this.#keys = [];
    this.#values = [];
    this.#capacity = 0;
  }

  #bytesOf(positions: number): number {
    return cacheBytes(this.config, this.dtype, positions, this.#slack);
  }

  #rows(window: number | undefined, positions: number): number {
    return rowsKept(window, positions, this.#slack);
  }

  /** A layer's keys or values with more rows. As long as there were fewer than it keeps, position p lay in row p. */
  #grown({ window }: LayerKind, old: Tensor | undefined, capacity: number): Tensor {
    const rows = this.#rows(window, capacity);
    if (old?.shape[1] === rows) return old;
    const tensor = this.gpu.empty([1, rows, this.config.headsKv, rowLength(this.config, this.dtype)], this.dtype);
    if (!old) return tensor;
    this.gpu.copy(old, tensor.view(old.shape));
    old.destroy();
    return tensor;
  }
}
