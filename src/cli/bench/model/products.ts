/** The products of a layer and of the head, each alone and as the model runs it: norm, activation and residual included. */
import type { Gpu, Tensor } from '$gpu/device';
import type { Model } from '$gpu/model';
import { isGated, product, type ProductMode } from '$gpu/ops';
import type { Matrix } from '$gpu/quant';
import type { PeerProduct } from '../onnx/protocol';
import type { Figure } from '$lib/engine/bench/statistics';
import { stopwatchTime, type Clock } from '$lib/engine/bench/stopwatch';

export interface ModelProduct {
  readonly name: string;
  readonly matrix: Matrix;
  /** `[K]`, where the product normalises its input first. */
  readonly gain?: Tensor | undefined;
  readonly mode: ProductMode;
  /** How often a token runs it. */
  readonly calls: number;
  /** Also for prompts; of the head one row is enough. */
  readonly prompts: boolean;
}

export interface ProductFigures {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly tokens: number;
  readonly calls: number;
  readonly layout: string;
  readonly ms: Figure;
  readonly gflops: number;
  /** Of the weights. */
  readonly gigabytesPerSecond: number;
}

/** Those of the first layer stand for all layers'. */
export function productsOf({ weights, config }: Model): ModelProduct[] {
  const [layer] = weights.layers;
  if (!layer) return [];
  const { blocks, layers } = config;
  const calls = layers.length;
  const out = blocks.norms === 'before' ? 'added' : 'plain';
  return [
    { name: 'q, k, v', matrix: layer.qkv, gain: layer.attnNorm, mode: 'plain', calls, prompts: true },
    { name: 'o', matrix: layer.o, mode: out, calls, prompts: true },
    { name: 'gate, up', matrix: layer.gateUp, gain: layer.ffnNorm, mode: blocks.activation, calls, prompts: true },
    { name: 'down', matrix: layer.down, mode: out, calls, prompts: true },
    { name: 'head', matrix: weights.head, gain: weights.finalNorm, mode: 'plain', calls: 1, prompts: false },
  ];
}

export async function timeProduct(
  gpu: Gpu,
  one: ModelProduct,
  tokens: number,
  { clock, patience }: { clock: Clock; patience: number },
): Promise<ProductFigures> {
  const { name, matrix, gain, mode, calls } = one;
  const { rows, columns } = matrix;
  const x = gpu.upload(
    Float32Array.from({ length: tokens * columns }, (_, at) => ((at * 37) % 129) / 64 - 1),
    [tokens, columns],
  );
  const y = gpu.empty([tokens, isGated(mode) ? rows / 2 : rows], 'f32');
  const plan = gpu.record(() => product(gpu, x, matrix, y, { mode, ...(gain && { norm: { gain, eps: 1e-5 } }) }));
  try {
    const ms = await stopwatchTime(gpu, (pass) => plan.encode(pass), clock, patience);
    return {
      ...{ name, rows, columns, tokens, calls, layout: matrix.parts[0]!.layout.name, ms },
      gflops: (2 * tokens * rows * columns) / ms.least / 1e6,
      gigabytesPerSecond: matrix.bytes / ms.least / 1e6,
    };
  } finally {
    plan.destroy();
    x.destroy();
    y.destroy();
  }
}

/** The same for the peer; undefined where it has nothing of the kind. */
export function peerProduct({ matrix }: ModelProduct, tokens: number): PeerProduct | undefined {
  const { rows, columns, parts } = matrix;
  const layouts = new Set(parts.map(({ layout }) => layout.name));
  if (layouts.size === 1 && layouts.has('q8')) return { rows, columns, tokens, bits: 8 };
  if (layouts.size === 1 && layouts.has('q4')) return { rows, columns, tokens, bits: 4 };
  return undefined;
}
