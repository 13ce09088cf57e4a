/**
 * A model on the GPU: its configuration, its weights, and the kernels that it needs, compiled and tested.
 */
import type { ModelConfig } from '../formats/model';
import { prepareCached } from '../attention';
import { ArgumentError } from '../device';
import type { DType, Gpu, PipelineSpec, Tensor } from '../device';
import {
  embedSpec,
  FEW_TOKENS,
  matmulSpec,
  matvecSpec,
  normSpec,
  ropeAppendSpec,
  rotaryAngles,
  verifyProducts,
} from '../ops';
import type { ProductKind, ProductMode } from '../ops';
import type { Matrix } from '../quant';
import { KvCache } from './cache';
import type { TensorDescription } from './shape';
import { ModelWeights } from './weights';
import type { WeightWriter } from './weights';

export interface ModelOptions {
  /** Longest sequence to be served; default and at most what the model was trained for. */
  readonly context?: number;
  /**
   * How keys and values are kept; 'auto': f16 where the device computes with it, else f32. Beside weights of f32 too:
   * who keeps those wants their precision, and f16 keys alone would cost two digits of it.
   */
  readonly kv?: 'auto' | 'f16' | 'f32';
}

export class Model {
  readonly weights: ModelWeights;
  /** Longest sequence that this model serves here. */
  readonly context: number;
  readonly kvType: DType;
  /** (cos, sin) of every position, `[context, pairs, 2]` f32. */
  readonly angles: Tensor;

  /**
   * @param tensors what the file holds: checked before the first byte is read
   * Throws an ArgumentError that names what does not fit, and a LimitError where the device is too small.
   */
  constructor(
    readonly gpu: Gpu,
    readonly config: ModelConfig,
    tensors: Iterable<TensorDescription>,
    { context = config.context, kv = 'auto' }: ModelOptions = {},
  ) {
    checkConfig(config);
    if (!Number.isInteger(context) || context < 1)
      throw new ArgumentError('context', String(context), 'a whole number from 1');
    this.context = Math.min(context, config.context);
    this.weights = new ModelWeights(gpu, config, tensors);
    const exact = this.weights.layers.some(({ qkv }) => qkv.parts.some(({ layout }) => layout.name === 'f32'));
    this.kvType = kv === 'auto' ? (gpu.has.f16 && !exact ? 'f16' : 'f32') : kv;
    const angles = rotaryAngles(config.rope, this.context);
    this.angles = gpu.upload(angles, [this.context, config.rope.dims / 2, 2]);
  }

  /** Where the bytes of a tensor of the file go; undefined where the model has no use for it. */
  writer(name: string): WeightWriter | undefined {
    return this.weights.writer(name);
  }

  /** Resolves when all weights are there and all kernels compiled; rejects with what is missing or refused. */
  async ready(): Promise<void> {
    this.weights.requireAll();
    const { headDim, headsQ, headsKv } = this.config;
    await Promise.all([
      this.gpu.preparePipelines(this.#specs()),
      prepareCached(this.gpu, { headDim, kv: this.kvType, decodeRows: headsQ / headsKv }),
    ]);
    if (this.gpu.selfTest) await verifyProducts(this.gpu, this.#kinds());
    await this.gpu.idle();
  }

  /** @param most positions; default and at most the model's context */
  createCache(most = this.context): KvCache {
    return new KvCache(this.gpu, this.config, this.kvType, Math.min(most, this.context));
  }

  destroy(): void {
    this.weights.destroy();
    this.angles.destroy();
  }

  #specs(): PipelineSpec[] {
    const { embedding } = this.weights;
    const specs = [
      normSpec(),
      ropeAppendSpec(this.kvType, this.config.rope.pairing),
      ...embedding.parts.map(({ layout }) => embedSpec(layout, embedding.columns)),
      ...this.#products().flatMap((one) => productSpecs(one, this.gpu.info.isFallback)),
    ];
    return [...new Set(specs)];
  }

  #kinds(): ProductKind[] {
    return this.#products().flatMap(({ matrix: { parts, columns }, mode, normed }) =>
      parts.map(({ layout }) => ({ layout, mode, normed, padded: columns % layout.chunk !== 0 })),
    );
  }

  /** Every product of a step. */
  #products(): Product[] {
    const { head, layers } = this.weights;
    return [
      { matrix: head, mode: 'plain', normed: true },
      ...layers.flatMap(({ qkv, o, gateUp, down }): Product[] => [
        { matrix: qkv, mode: 'plain', normed: true },
        { matrix: o, mode: 'added', normed: false },
        { matrix: gateUp, mode: 'gated', normed: true },
        { matrix: down, mode: 'added', normed: false },
      ]),
    ];
  }
}

interface Product {
  readonly matrix: Matrix;
  readonly mode: ProductMode;
  readonly normed: boolean;
}

/**
 * What a product is compiled for: one token, a few, many. A few tokens are rare, and a software adapter takes seconds
 * to compile that kernel: there it waits for the first call.
 */
function productSpecs({ matrix: { parts, columns }, mode, normed }: Product, sparing: boolean): PipelineSpec[] {
  return parts.flatMap(({ layout }) => [
    matvecSpec(layout, columns, 1, mode, normed),
    ...(sparing ? [] : [matvecSpec(layout, columns, FEW_TOKENS, mode, normed)]),
    matmulSpec(layout, columns, mode),
  ]);
}

function checkConfig({ width, ffnWidth, headsQ, headsKv, headDim, rope }: ModelConfig): void {
  const whole = { width, ffnWidth, headsQ, headsKv, headDim };
  for (const [name, value] of Object.entries(whole)) {
    if (!Number.isInteger(value) || value < 1) throw new ArgumentError(name, String(value), 'a whole number from 1');
  }
  if (headsQ % headsKv !== 0) throw new ArgumentError('headsQ', String(headsQ), `a multiple of headsKv, ${headsKv}`);
  for (const [name, value] of Object.entries({ width, ffnWidth, 'headsQ * headDim': headsQ * headDim })) {
    if (value % 4 !== 0) throw new ArgumentError(name, String(value), 'a multiple of 4');
  }
  if (headDim % 2 !== 0 || headDim > 256) throw new ArgumentError('headDim', String(headDim), 'an even number to 256');
  if (rope.dims % 4 !== 0 || rope.dims > headDim) {
    throw new ArgumentError('rope.dims', String(rope.dims), `a multiple of 4, at most headDim, ${headDim}`);
  }
}
