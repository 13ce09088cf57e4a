/**
 * What is measured on the device at hand before a model answers: which way few rows of activations are multiplied, and,
 * where a model allows it, whether integers are faster than numbers.
 */
import type { Gpu, Plan, Tensor } from '../device';
import { product, productSpecs, productWay, productWays, setProductWay, takesIntegers, wayName } from '../ops';
import type { ProductMode, ProductOptions, ProductWay } from '../ops';
import type { Matrix } from '../quant';

export interface ModelProduct {
  readonly matrix: Matrix;
  readonly mode: ProductMode;
  readonly normed: boolean;
}

/** Milliseconds from which on a measurement tells ways apart. */
const TELLING_MS = 4;
const MOST_CALLS = 1024;
const ROUNDS = 5;

/** Times one token's largest normalised product, or largest of all, in every way of this device; the fastest serves from now on. */
export async function chooseWay(gpu: Gpu, products: readonly ModelProduct[]): Promise<ProductWay> {
  const normed = products.filter((one) => one.normed && one.mode !== 'capped' && one.mode !== 'added');
  const largest = largestOf(normed.length > 0 ? normed : products)!;
  const before = productWay(gpu);
  const ways = productWays(gpu).filter(({ normApart }) => largest.normed || !normApart);
  try {
    const times = await race(gpu, largest, ways, (way, body) => {
      setProductWay(gpu, way);
      return body({});
    });
    const order = ways.map((way, at) => ({ way, ms: times[at]! })).sort((a, b) => a.ms - b.ms);
    const text = order.map(({ way, ms }) => `${wayName(way)} ${ms.toFixed(3)} ms`).join('; ');
    gpu.note({ room: 'model', name: 'how one token meets weights', text, ms: order[0]!.ms });
    setProductWay(gpu, order[0]!.way);
  } catch (error) {
    setProductWay(gpu, before);
    throw error;
  }
  return productWay(gpu);
}

/** Times the largest product whose weights are integer codes, without what goes with it; notes the result in the report. */
export async function integersAreFaster(gpu: Gpu, products: readonly ModelProduct[]): Promise<boolean> {
  const able = products.filter(({ matrix }) => matrix.parts.every(({ layout }) => takesIntegers(layout)));
  const largest = largestOf(able);
  if (!largest) return false;
  const bare: ModelProduct = { matrix: largest.matrix, mode: 'plain', normed: false };
  const [exact, rounded] = await race(gpu, bare, [false, true], (integers, body) => body({ integers }));
  const text = `${rounded! < exact! ? 'integers' : 'numbers'} (${exact!.toFixed(3)} ms exact, ${rounded!.toFixed(3)} ms rounded)`;
  gpu.note({ room: 'model', name: 'one token x weights', text, ms: Math.min(exact!, rounded!) });
  return rounded! < exact!;
}

function largestOf(products: readonly ModelProduct[]): ModelProduct | undefined {
  return products.reduce<ModelProduct | undefined>(
    (best, one) => (best && best.matrix.bytes >= one.matrix.bytes ? best : one),
    undefined,
  );
}

/** Brings the device into a way's state and runs the body there, with what the way adds to a product's options. */
type Within<W> = <T>(way: W, body: (options: ProductOptions) => T) => T;

/** Milliseconds of a product in each way; taken in turns, the least of several. */
async function race<W>(
  gpu: Gpu,
  { matrix, mode, normed }: ModelProduct,
  ways: readonly W[],
  within: Within<W>,
): Promise<number[]> {
  const specs = ways.flatMap((way) =>
    within(way, (options) => productSpecs(gpu, matrix, { mode, normed, integers: options.integers ?? false })),
  );
  await gpu.preparePipelines([...new Set(specs)]);
  const { columns, rows } = matrix;
  const x = gpu.upload(
    Float32Array.from({ length: columns }, (_, at) => ((at * 37) % 129) / 64 - 1),
    [1, columns],
  );
  const gain = gpu.upload(new Float32Array(columns).fill(1), [columns]);
  const y = gpu.empty([1, mode === 'silu' || mode === 'gelu' ? rows / 2 : rows], 'f32');
  const record = (way: W, calls: number): Plan =>
    within(way, (options) =>
      gpu.record(() =>
        repeat(gpu, { x, matrix, y, calls }, { ...options, mode, ...(normed && { norm: { gain, eps: 1e-5 } }) }),
      ),
    );
  try {
    const calls = await tellingCalls(gpu, (count) => record(ways[0]!, count));
    const plans = ways.map((way) => record(way, calls));
    const least = ways.map(() => Infinity);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [way, plan] of plans.entries()) least[way] = Math.min(least[way]!, (await timeOf(gpu, plan)) / calls);
    }
    plans.forEach((plan) => plan.destroy());
    return least;
  } finally {
    for (const tensor of [x, gain, y]) tensor.destroy();
  }
}

interface Calls {
  readonly x: Tensor;
  readonly matrix: Matrix;
  readonly y: Tensor;
  readonly calls: number;
}

function repeat(gpu: Gpu, { x, matrix, y, calls }: Calls, options: ProductOptions): void {
  for (let call = 0; call < calls; call++) product(gpu, x, matrix, y, options);
}

/** Calls that take long enough to be told from the way there and back. */
async function tellingCalls(gpu: Gpu, record: (calls: number) => Plan): Promise<number> {
  for (let calls = 1; ; calls *= 4) {
    const plan = record(calls);
    // The first run also waits for the driver.
    await timeOf(gpu, plan);
    const ms = await timeOf(gpu, plan);
    plan.destroy();
    if (ms >= TELLING_MS || calls >= MOST_CALLS) return calls;
  }
}

async function timeOf(gpu: Gpu, plan: Plan): Promise<number> {
  const start = performance.now();
  plan.run();
  await gpu.idle();
  return performance.now() - start;
}
