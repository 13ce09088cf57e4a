/**
 * A model's weights on the GPU: matrices as gpu/quant keeps them, gains of norms as f32. Tensors that are used together
 * lie together: q, k and v in one matrix, gate and up in another.
 */
import type { TensorType } from '../formats/blocks';
import { dequantise } from '../formats/dequantise';
import type { ModelConfig } from '../formats/model';
import type { LayerRole, ModelRole } from '../formats/roles';
import type { QuantisationError, QuantName } from '../formats/quantise';
import { ArgumentError } from '../device';
import type { Gpu, Tensor } from '../device';
import { Matrix, MatrixWriter, quantisedLayout, requireLayout } from '../quant';
import type { Layout, LayoutName } from '../quant';
import { fileBytes, tensorsOf } from './shape';
import type { TensorDescription, Tensors } from './shape';

/** What a family's layers lack is undefined. */
export interface LayerWeights {
  readonly attnNorm: Tensor | undefined;
  /** [q; k; v], `[(Hq + 2 Hkv) D, width]`. */
  readonly qkv: Matrix;
  /** `[(Hq + 2 Hkv) D]` f32. */
  readonly bias: Tensor | undefined;
  /** Of RMSNorm, q's and then k's. */
  readonly queryKeyGain: Tensor | undefined;
  readonly o: Matrix;
  readonly attnAfter: Tensor | undefined;
  readonly ffnNorm: Tensor | undefined;
  /** [gate; up], `[2 ffn, width]`. */
  readonly gateUp: Matrix;
  readonly down: Matrix;
  readonly ffnAfter: Tensor | undefined;
}

/** Takes the bytes of one tensor, in pieces of any length. */
export interface WeightWriter {
  push(bytes: Uint8Array): void;
  /** Throws unless every byte has come. */
  finish(): void;
  /** After `finish`; undefined where nothing was quantised. */
  quantisationError?(): Promise<QuantisationError> | undefined;
}

/** A tensor that was quantised on its way, and what that cost. */
export interface QuantisedTensor extends QuantisationError {
  readonly name: string;
  readonly type: TensorType;
  readonly layout: LayoutName;
}

export class ModelWeights {
  readonly embedding: Matrix;
  readonly finalNorm: Tensor;
  readonly head: Matrix;
  readonly layers: readonly LayerWeights[];
  /** Numbers that the host computes with: factors of frequencies, by their role. */
  readonly lists: Partial<Record<ModelRole, Float32Array>> = {};
  /** By tensor name: what makes its writer. */
  readonly #writers = new Map<string, () => WeightWriter>();
  /** Names of tensors that have not come whole yet. */
  readonly #awaited = new Set<string>();
  /** By tensor name: those that are quantised. */
  readonly #quantised = new Map<string, { readonly type: TensorType; readonly layout: LayoutName }>();
  readonly #errors: Promise<QuantisedTensor>[] = [];

  constructor(
    private readonly gpu: Gpu,
    config: ModelConfig,
    tensors: Iterable<TensorDescription>,
    private readonly quant?: QuantName,
  ) {
    const { model, layers } = tensorsOf(config, tensors);
    const embedding = model.get('embedding')!;
    const head = model.get('head')!;
    const vocabulary = quant && 'q8';
    this.embedding = this.#matrix([embedding], vocabulary);
    this.finalNorm = this.#gain(config, model.get('finalNorm')!);
    this.head = head === embedding ? this.embedding : this.#matrix([head], vocabulary);
    this.layers = layers.map((layer) => this.#layer(config, layer));
    for (const [role, tensor] of model) {
      if (tensor.shape.length > 1 || role === 'finalNorm') continue;
      const keep = (values: Float32Array): void => void (this.lists[role] = values);
      this.#await(tensor.name, () => new VectorWriter(tensor, keep));
    }
    if (quant && this.#quantised.size === 0) {
      throw new ArgumentError('quant', quant, 'a model with weights of 16 or 32 bits: this one is quantised already');
    }
  }

  /** Bytes of all tensors that are wanted, as the file has them. */
  static fileBytes(config: ModelConfig, tensors: Iterable<TensorDescription>): number {
    const { model, layers } = tensorsOf(config, tensors);
    const all = new Set([...model.values(), ...layers.flatMap((layer) => [...layer.values()])]);
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
        const error = writer.quantisationError?.();
        if (error) this.#errors.push(this.#told(name, error));
      },
    };
  }

  /** What quantising has cost the tensors that have come, in their order. */
  quantisationErrors(): Promise<readonly QuantisedTensor[]> {
    return Promise.all(this.#errors);
  }

  #told(name: string, error: Promise<QuantisationError>): Promise<QuantisedTensor> {
    const told = error.then((figures) => ({ name, ...this.#quantised.get(name)!, ...figures }));
    // Awaited when all have come; a device that is lost before that says so itself.
    told.catch(() => undefined);
    return told;
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
    const vectors = this.layers.flatMap((one) => [
      one.attnNorm,
      one.bias,
      one.queryKeyGain,
      one.attnAfter,
      one.ffnNorm,
      one.ffnAfter,
    ]);
    for (const vector of [this.finalNorm, ...vectors]) vector?.destroy();
  }

  #layer(config: ModelConfig, tensors: Tensors<LayerRole>): LayerWeights {
    const of = (...roles: readonly LayerRole[]): TensorDescription[] =>
      roles.map((role) => tensors.get(role)).filter((tensor) => tensor !== undefined);
    const gain = (...roles: readonly LayerRole[]): Tensor | undefined =>
      of(...roles).length > 0 ? this.#gain(config, ...of(...roles)) : undefined;
    const biases = of('qBias', 'kBias', 'vBias');
    return {
      attnNorm: gain('attnNorm'),
      // Fused in the file or not: the rows are the same.
      qkv: this.#matrix(of('qkv', 'q', 'k', 'v')),
      bias: biases.length > 0 ? this.#vector(biases, 0) : undefined,
      queryKeyGain: gain('qNorm', 'kNorm'),
      o: this.#matrix(of('o')),
      attnAfter: gain('attnAfter'),
      ffnNorm: gain('ffnNorm'),
      gateUp: this.#matrix(of('gateUp', 'gate', 'up')),
      down: this.#matrix(of('down')),
      ffnAfter: gain('ffnAfter'),
    };
  }

  #matrix(tensors: readonly TensorDescription[], quant = this.quant): Matrix {
    const columns = tensors[0]!.shape[1]!;
    const sections = tensors.map((tensor) => ({ layout: this.#layout(tensor, quant), rows: tensor.shape[0]! }));
    const matrix = new Matrix(this.gpu, columns, sections);
    let firstRow = 0;
    for (const { name, type, shape } of tensors) {
      const from = firstRow;
      this.#await(name, () => new MatrixWriter(this.gpu, matrix, type, from, shape[0]!));
      firstRow += shape[0]!;
    }
    return matrix;
  }

  #layout({ name, type, shape }: TensorDescription, quant: QuantName | undefined): Layout {
    const layout = quant && quantisedLayout(type, shape[1]!, quant);
    if (!layout) return requireLayout(type, name);
    this.#quantised.set(name, { type, layout: layout.name });
    return layout;
  }

  #gain({ gainOffset }: ModelConfig, ...tensors: readonly TensorDescription[]): Tensor {
    return this.#vector(tensors, gainOffset);
  }

  /** Vectors one behind the other, f32, with `offset` added. */
  #vector(tensors: readonly TensorDescription[], offset: number): Tensor {
    const lengths = tensors.map(({ shape }) => shape[0]!);
    const vector = this.gpu.empty([lengths.reduce((sum, length) => sum + length, 0)], 'f32');
    let begin = 0;
    for (const [n, tensor] of tensors.entries()) {
      const part = vector.view([lengths[n]!], { elementOffset: begin });
      const write = (values: Float32Array): void =>
        this.gpu.write(
          part,
          values.map((value) => value + offset),
        );
      this.#await(tensor.name, () => new VectorWriter(tensor, write));
      begin += lengths[n]!;
    }
    return vector;
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
    private readonly tensor: TensorDescription,
    private readonly use: (values: Float32Array) => void,
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
    this.use(dequantise(this.tensor.type, this.#bytes));
  }

  #refuse(received: number): never {
    throw new ArgumentError(this.tensor.name, `${received} bytes`, `${this.#bytes.length}`);
  }
}
