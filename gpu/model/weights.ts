/**
 * A model's weights on the GPU: matrices as gpu/quant keeps them, gains of norms as f32. Tensors that are used together
 * lie together: q, k and v in one matrix, gate and up in another.
 */
import { dequantise } from '../formats/dequantise';
import type { LayerRole, ModelConfig } from '../formats/model';
import { ArgumentError } from '../device';
import type { Gpu, Tensor } from '../device';
import { Matrix, MatrixWriter, requireLayout } from '../quant';
import { fileBytes, tensorsOf } from './shape';
import type { TensorDescription } from './shape';

export interface LayerWeights {
  readonly attnNorm: Tensor;
  /** [q; k; v], `[(Hq + 2 Hkv) D, width]`. */
  readonly qkv: Matrix;
  readonly o: Matrix;
  readonly ffnNorm: Tensor;
  /** [gate; up], `[2 ffn, width]`. */
  readonly gateUp: Matrix;
  readonly down: Matrix;
}

/** Takes the bytes of one tensor, in pieces of any length. */
export interface WeightWriter {
  push(bytes: Uint8Array): void;
  /** Throws unless every byte has come. */
  finish(): void;
}

export class ModelWeights {
  readonly embedding: Matrix;
  readonly finalNorm: Tensor;
  readonly head: Matrix;
  readonly layers: readonly LayerWeights[];
  /** By tensor name: what makes its writer. */
  readonly #writers = new Map<string, () => WeightWriter>();
  /** Names of tensors that have not come whole yet. */
  readonly #awaited = new Set<string>();

  constructor(
    private readonly gpu: Gpu,
    config: ModelConfig,
    tensors: Iterable<TensorDescription>,
  ) {
    const { model, layers } = tensorsOf(config, tensors);
    this.embedding = this.#matrix(model.embedding);
    this.finalNorm = this.#vector(model.finalNorm);
    this.head = model.head === model.embedding ? this.embedding : this.#matrix(model.head);
    this.layers = layers.map((layer) => this.#layer(layer));
  }

  /** Bytes of all tensors that are wanted, as the file has them. */
  static fileBytes(config: ModelConfig, tensors: Iterable<TensorDescription>): number {
    const { model, layers } = tensorsOf(config, tensors);
    const all = new Set([...Object.values(model), ...layers.flatMap((layer) => Object.values(layer))]);
    return [...all].reduce((sum, tensor) => sum + fileBytes(tensor), 0);
  }

  /** The writer for a tensor of the file, or undefined where the model has no use for it. */
  writer(name: string): WeightWriter | undefined {
    const make = this.#writers.get(name);
    if (!make) return undefined;
    const writer = make();
    return {
      push: (bytes) => writer.push(bytes),
      finish: () => {
        writer.finish();
        this.#awaited.delete(name);
      },
    };
  }

  /** Throws an ArgumentError that names what has not come. */
  requireAll(): void {
    if (this.#awaited.size === 0) return;
    const [first] = this.#awaited;
    throw new ArgumentError(
      'weights',
      `${first} and ${this.#awaited.size - 1} others unfinished`,
      'every tensor, whole',
    );
  }

  destroy(): void {
    const matrices = this.layers.flatMap(({ qkv, o, gateUp, down }) => [qkv, o, gateUp, down]);
    for (const matrix of new Set([this.embedding, this.head, ...matrices])) matrix.destroy();
    const gains = this.layers.flatMap(({ attnNorm, ffnNorm }) => [attnNorm, ffnNorm]);
    for (const gain of [this.finalNorm, ...gains]) gain.destroy();
  }

  #layer(tensors: Readonly<Record<LayerRole, TensorDescription>>): LayerWeights {
    return {
      attnNorm: this.#vector(tensors.attnNorm),
      qkv: this.#matrix(tensors.q, tensors.k, tensors.v),
      o: this.#matrix(tensors.o),
      ffnNorm: this.#vector(tensors.ffnNorm),
      gateUp: this.#matrix(tensors.gate, tensors.up),
      down: this.#matrix(tensors.down),
    };
  }

  #matrix(...tensors: readonly TensorDescription[]): Matrix {
    const columns = tensors[0]!.shape[1]!;
    const sections = tensors.map(({ name, type, shape }) => ({ layout: requireLayout(type, name), rows: shape[0]! }));
    const matrix = new Matrix(this.gpu, columns, sections);
    let firstRow = 0;
    for (const { name, type, shape } of tensors) {
      const from = firstRow;
      this.#await(name, () => new MatrixWriter(this.gpu, matrix, type, from, shape[0]!));
      firstRow += shape[0]!;
    }
    return matrix;
  }

  #vector({ name, type, shape }: TensorDescription): Tensor {
    const tensor = this.gpu.empty(shape, 'f32');
    this.#await(name, () => new VectorWriter(this.gpu, tensor, { name, type, shape }));
    return tensor;
  }

  #await(name: string, make: () => WeightWriter): void {
    this.#writers.set(name, make);
    this.#awaited.add(name);
  }
}

/** A vector is small: its bytes wait until all have come, and are converted here. */
class VectorWriter implements WeightWriter {
  readonly #bytes: Uint8Array;
  #received = 0;

  constructor(
    private readonly gpu: Gpu,
    private readonly target: Tensor,
    private readonly tensor: TensorDescription,
  ) {
    this.#bytes = new Uint8Array(fileBytes(tensor));
  }

  push(bytes: Uint8Array): void {
    if (this.#received + bytes.length > this.#bytes.length) this.#refuse(this.#received + bytes.length);
    this.#bytes.set(bytes, this.#received);
    this.#received += bytes.length;
  }

  finish(): void {
    if (this.#received !== this.#bytes.length) this.#refuse(this.#received);
    this.gpu.write(this.target, dequantise(this.tensor.type, this.#bytes));
  }

  #refuse(received: number): never {
    throw new ArgumentError(this.tensor.name, `${received} bytes`, `${this.#bytes.length}`);
  }
}
