/**
 * A model on the GPU: its configuration, its weights, and the kernels that it needs, compiled and tested.
 */
import type { LayerKind, ModelConfig, RopeConfig } from '../formats/model';
import type { QuantName } from '../formats/quantise';
import { WINDOW_SLACK } from '../formats/window';
import { prepareCached } from '../attention';
import type { AttentionKind } from '../attention';
import { ArgumentError } from '../device';
import type { DType, Gpu, PipelineSpec, Tensor } from '../device';
import {
  embedSpec,
  kernelMode,
  normSpec,
  productSpecs,
  productWay,
  ropeAppendSpec,
  rotaryAngles,
  setProductWay,
  verifyProducts,
  wayName,
} from '../ops';
import type { ProductKind } from '../ops';
import type { Layout } from '../quant';
import { cacheBytes, KvCache } from './cache';
import { chooseWay, integersAreFaster } from './race';
import type { ModelProduct } from './race';
import type { TensorDescription } from './shape';
import { ModelWeights } from './weights';
import type { WeightWriter } from './weights';

/** How keys and values are kept. */
export type KvKind = 'auto' | 'f16' | 'f32' | 'q8';

export type Activations = 'exact' | 'fast';

export interface ModelOptions {
  /** Longest sequence to be served; default and at most what the model was trained for. */
  readonly context?: number;
  /**
   * How keys and values are kept; 'auto': f16 where the device computes with it, else f32. Beside weights of f32 too:
   * who keeps those wants their precision, and f16 keys alone would cost two digits of it. 'q8': rows of 8 bits, half
   * of f16's memory for a little exactness; for heads of a multiple of 4.
   */
  readonly kv?: KvKind;
  /**
   * 'exact', the default, or 'fast': one token's products may round activations to 8 bits by block and multiply
   * integers, if that is measured to be faster on this device. It moves log-probabilities by some 0.1 (docs/log.md).
   */
  readonly activations?: Activations;
  /**
   * Tokens beyond its window that a layer keeps where it looks back only so far (Gemma, Mistral, Phi): a conversation that
   * is cut back further is computed anew. Default 2048; Infinity: all are kept, whatever that takes.
   */
  readonly windowSlack?: number;
  /** Which kernels attention may use; 'auto', the default: flash ones, and where none is right the materialised way. */
  readonly attention?: AttentionKind;
  /** Quantises weights of 16 and 32 bits as they come; what that costs is told by `weights.quantisationErrors`. */
  readonly quant?: QuantName | undefined;
}

export class Model {
  readonly weights: ModelWeights;
  /** Longest sequence that this model serves here. */
  readonly context: number;
  readonly kvType: DType;
  readonly attention: AttentionKind;
  readonly windowSlack: number;
  readonly #fast: boolean;
  #integers = false;
  /** (cos, sin) of every position, `[context, pairs, 2]` f32, by how layers turn; there when the model is ready. */
  readonly #angles = new Map<LayerKind['rope'], Tensor>();

  /**
   * @param tensors what the file holds: checked before the first byte is read
   * Throws an ArgumentError that names what does not fit, and a LimitError where the device is too small.
   */
  constructor(
    readonly gpu: Gpu,
    readonly config: ModelConfig,
    tensors: Iterable<TensorDescription>,
    options: ModelOptions = {},
  ) {
    const { context = config.context, kv = 'auto', attention = 'auto', quant, activations = 'exact' } = options;
    const { windowSlack = WINDOW_SLACK } = options;
    checkConfig(config);
    if (!Number.isInteger(context) || context < 1)
      throw new ArgumentError('context', String(context), 'a whole number from 1');
    if (windowSlack !== Infinity && !(Number.isInteger(windowSlack) && windowSlack >= 1))
      throw new ArgumentError('windowSlack', String(windowSlack), 'a whole number from 1, or Infinity');
    this.windowSlack = windowSlack;
    this.context = Math.min(context, config.context);
    this.weights = new ModelWeights(gpu, config, tensors, quant);
    const exact = this.weights.layers.some(({ qkv }) => qkv.parts.some(({ layout }) => layout.name === 'f32'));
    const usual = gpu.has.f16 && !exact ? 'f16' : 'f32';
    this.kvType = kv === 'auto' ? usual : kv === 'q8' ? 'u8' : kv;
    this.attention = attention;
    this.#fast = activations === 'fast';
  }

  /** What a layer turns by; undefined: it does not. */
  angles(layer: LayerKind): Tensor | undefined {
    return this.#angles.get(layer.rope);
  }

  /** Few rows of activations are rounded to 8 bits: allowed, and measured to be faster; known when the model is ready. */
  get integers(): boolean {
    return this.#integers;
  }

  /** Where the bytes of a tensor of the file go; undefined where the model has no use for it. */
  writer(name: string): WeightWriter | undefined {
    return this.weights.writer(name);
  }

  /** Resolves when all weights are there and all kernels compiled; rejects with what is missing or refused. */
  async ready(): Promise<void> {
    this.weights.requireAll();
    this.#turn();
    // Software adapters have their way (gpu/ops/ways.ts), and no time to lose.
    if (!this.gpu.info.isFallback) await chooseWay(this.gpu, this.#products());
    if (this.#fast) this.#integers = await integersAreFaster(this.gpu, this.#products());
    const { headDim, headsQ, headsKv, scales } = this.config;
    await Promise.all([
      this.gpu.preparePipelines(this.#specs()),
      // What fails here fails again below, where something is done about it.
      this.gpu.preparePipelines(this.#productSpecs()).catch(() => undefined),
      prepareCached(this.gpu, {
        headDim,
        kv: this.kvType,
        decodeRows: headsQ / headsKv,
        softcap: scales.attentionSoftcap > 0,
        kind: this.attention,
      }),
    ]);
    await this.#prepareProducts();
    await this.gpu.idle();
  }

  /** Compiles and tests the kernels of products; where those of the way that was chosen are wrong, the plain ones serve. */
  async #prepareProducts(): Promise<void> {
    const { gpu } = this;
    const prepare = async (): Promise<void> => {
      await gpu.preparePipelines(this.#productSpecs());
      if (gpu.selfTest) await verifyProducts(gpu, this.#kinds());
    };
    try {
      await prepare();
    } catch (error) {
      if (productWay(gpu).width === 1) throw error;
      const text = `${wayName(productWay(gpu))}: ${error instanceof Error ? error.message : String(error)}`;
      gpu.note({ room: 'model', name: 'how one token meets weights', text, level: 'warning' });
      setProductWay(gpu, { ...productWay(gpu), width: 1 });
      await prepare();
    }
  }

  /** @param most positions; default and at most the model's context */
  createCache(most = this.context): KvCache {
    const { gpu, config, kvType: dtype, windowSlack: slack } = this;
    return new KvCache(gpu, config, { dtype, slack, most: Math.min(most, this.context) });
  }

  /** Bytes of a cache with room for so many positions. */
  cacheBytes(positions: number): number {
    return cacheBytes(this.config, this.kvType, positions, this.windowSlack);
  }

  destroy(): void {
    this.weights.destroy();
    for (const angles of this.#angles.values()) angles.destroy();
  }

  /** Frequencies may be scaled by factors out of the file, so that they wait for its tensors. */
  #turn(): void {
    const { rope, localRope, layers } = this.config;
    const kinds: readonly (readonly [LayerKind['rope'], RopeConfig | undefined])[] = [
      ['global', rope],
      ['local', localRope],
    ];
    for (const [kind, config] of kinds) {
      if (!config || this.#angles.has(kind) || !layers.some((layer) => layer.rope === kind)) continue;
      const angles = rotaryAngles(config, this.context, this.weights.lists);
      this.#angles.set(kind, this.gpu.upload(angles, [this.context, config.dims / 2, 2]));
    }
  }

  #specs(): PipelineSpec[] {
    const { embedding } = this.weights;
    const { rope, blocks } = this.config;
    const queryKey = { pairing: rope.pairing, biased: blocks.biased, norm: blocks.queryKeyNorm };
    const specs = [
      ...(blocks.norms === 'after' ? [] : [normSpec()]),
      ...(blocks.norms === 'before' ? [] : [normSpec('added')]),
      ropeAppendSpec(this.kvType, queryKey),
      ...embedding.parts.map(({ layout }) => embedSpec(layout, embedding.columns)),
    ];
    return [...new Set(specs)];
  }

  #productSpecs(): PipelineSpec[] {
    const integers = this.#integers;
    const all = this.#products().flatMap((one) => productSpecs(this.gpu, one.matrix, { ...one, integers }));
    return [...new Set(all)];
  }

  #kinds(): ProductKind[] {
    const integers = this.#integers;
    return this.#products().flatMap(({ matrix, mode: asked, normed }) => {
      const mode = kernelMode(matrix, asked);
      const padded = ({ chunk }: Layout): boolean => matrix.columns % chunk !== 0;
      return matrix.parts.map(({ layout }) => ({ layout, mode, normed, integers, padded: padded(layout) }));
    });
  }

  /** Every product of a step. */
  #products(): ModelProduct[] {
    const { head, layers } = this.weights;
    const { blocks, scales } = this.config;
    const normed = blocks.norms !== 'after';
    const out = blocks.norms === 'before' ? 'added' : 'plain';
    return [
      { matrix: head, mode: scales.logitSoftcap > 0 ? 'capped' : 'plain', normed: true },
      ...layers.flatMap(({ qkv, o, gateUp, down }): ModelProduct[] => [
        { matrix: qkv, mode: 'plain', normed },
        { matrix: o, mode: out, normed: false },
        { matrix: gateUp, mode: blocks.activation, normed },
        { matrix: down, mode: out, normed: false },
      ]),
    ];
  }
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
