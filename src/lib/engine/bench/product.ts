/**
 * How fast this adapter multiplies matrices with kernels of ours: the bar for everything that is products at heart.
 *
 * Two kernels, square and plain, one for GPUs and one for software adapters; the faster one is the bar.
 */
import { shaderSources, type Gpu, type PipelineSpec, type Plan, type Tensor } from '$gpu/device';
import type { Figure } from './statistics';
import { stopwatchTime, type Clock, type Encode } from './stopwatch';

export type ProductType = 'f32' | 'f16';

export interface Product {
  readonly dtype: ProductType;
  /** «tiled 1024^3». */
  readonly name: string;
  readonly ms: Figure;
  readonly gflops: number;
}

/** Both kernels want multiples of 128. */
const SIDE = 1024;
/** Where the smaller one is over too soon to fill a large GPU. */
const LARGE_SIDE = 4096;
const SHORT_MS = 3;

const sources = [
  shaderSources(
    'bench',
    import.meta.glob<string>('./product/*.wesl', { query: '?raw', import: 'default', eager: true }),
  ),
] as const;

interface Kernel {
  readonly name: string;
  /** Of c that one workgroup makes. */
  readonly tile: readonly [columns: number, rows: number];
}

const KERNELS: readonly Kernel[] = [
  { name: 'straight', tile: [256, 4] },
  { name: 'tiled', tile: [128, 128] },
];

/** All that were timed, the fastest first. */
export async function timeProducts(gpu: Gpu, dtype: ProductType, clock: Clock, patience: number): Promise<Product[]> {
  const time = (side: number): Promise<Product[]> => timeKernels(gpu, KERNELS, { dtype, side, clock, patience });
  const products = await time(SIDE);
  if (products.some(({ ms }) => ms.median < SHORT_MS)) products.push(...(await time(LARGE_SIDE)));
  return fastestFirst(products);
}

/** The fastest, soon found: for people who wait. */
export async function timeBestProduct(gpu: Gpu, dtype: ProductType, clock: Clock, patience: number): Promise<Product> {
  const side = gpu.info.isFallback ? SIDE / 2 : SIDE;
  const [best] = fastestFirst(await timeKernels(gpu, KERNELS, { dtype, side, clock, patience }));
  if (best!.ms.median >= SHORT_MS) return best!;
  const kernel = KERNELS.filter(({ name }) => best!.name.startsWith(name));
  const [larger] = await timeKernels(gpu, kernel, { dtype, side: 2 * SIDE, clock, patience });
  return fastestFirst([best!, larger!])[0]!;
}

function fastestFirst(products: readonly Product[]): Product[] {
  return [...products].sort((a, b) => b.gflops - a.gflops);
}

interface Timed {
  readonly dtype: ProductType;
  readonly side: number;
  readonly clock: Clock;
  readonly patience: number;
}

async function timeKernels(
  gpu: Gpu,
  kernels: readonly Kernel[],
  { dtype, side, clock, patience }: Timed,
): Promise<Product[]> {
  const products: Product[] = [];
  for (const kernel of kernels) {
    const ms = await withProduct(gpu, kernel, dtype, side, (encode) => stopwatchTime(gpu, encode, clock, patience));
    products.push({ dtype, name: `${kernel.name} ${side}^3`, ms, gflops: (2 * side ** 3) / ms.median / 1e6 });
  }
  return products;
}

/** Something long enough for comparing clocks, on any adapter. */
export async function withSomeProduct<T>(gpu: Gpu, body: (encode: Encode) => Promise<T>): Promise<T> {
  return withProduct(gpu, KERNELS[0]!, 'f32', SIDE, body);
}

/** Records the product, checks it, and hands it to `body`. */
async function withProduct<T>(
  gpu: Gpu,
  kernel: Kernel,
  dtype: ProductType,
  side: number,
  body: (encode: Encode) => Promise<T>,
): Promise<T> {
  const [a, b] = [operand(gpu, side, 37, dtype), operand(gpu, side, 53, dtype)];
  const c = gpu.empty([side, side], 'f32');
  const plan = recordProduct(gpu, kernel, dtype, a, b, c);
  try {
    plan.run();
    checkSamples(kernel, side, await gpu.download(c));
    return await body((pass) => plan.encode(pass));
  } finally {
    plan.destroy();
    [a, b, c].forEach((tensor) => tensor.destroy());
  }
}

function recordProduct(gpu: Gpu, kernel: Kernel, dtype: ProductType, a: Tensor, b: Tensor, c: Tensor): Plan {
  const side = c.shape[0]!;
  const [columns, rows] = kernel.tile;
  const spec: PipelineSpec = {
    label: `bench/product/${kernel.name}`,
    module: `bench/product/${kernel.name}`,
    sources,
    conditions: { HALF: dtype === 'f16' },
    constants: { SIDE: `${side}u` },
    bindings: ['read', 'read', 'write'],
  };
  return gpu.record(() =>
    gpu.dispatch({
      pipeline: gpu.pipeline(spec),
      bindings: [a, b, c],
      workgroups: [Math.ceil(side / columns), side / rows],
    }),
  );
}

// ---- numbers ---------------------------------------------------------------------------------------------------

const SAMPLES = 64;

/** `[side, side]`, multiples of 1/64: their sums of products are exact in float32. */
function operand(gpu: Gpu, side: number, seed: number, dtype: ProductType): Tensor {
  return gpu.upload(
    Float32Array.from({ length: side * side }, (_, at) => element(at, seed)),
    [side, side],
    dtype,
  );
}

/** In [-1, 1]; never all zeros, which some hardware multiplies faster. */
function element(at: number, seed: number): number {
  return ((at * seed + (at >>> 10)) % 129) / 64 - 1;
}

function checkSamples(kernel: Kernel, side: number, c: Float32Array): void {
  for (let n = 0; n < SAMPLES; n++) {
    const [row, column] = [(n * 997) % side, (n * 641) % side];
    let sum = 0;
    for (let k = 0; k < side; k++) sum += element(row * side + k, 37) * element(k * side + column, 53);
    if (c[row * side + column] === sum) continue;
    throw new Error(`the product «${kernel.name}» is wrong here: ${c[row * side + column]} instead of ${sum}`);
  }
}
