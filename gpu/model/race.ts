/** Whether integers are the faster way to multiply one token's activations by this model's weights, on this device. */
import type { Gpu, Plan } from '../device';
import { product, productSpecs, takesIntegers } from '../ops';
import type { ProductMode } from '../ops';
import type { Matrix } from '../quant';

export interface ModelProduct {
  readonly matrix: Matrix;
  readonly mode: ProductMode;
  readonly normed: boolean;
}

/** Milliseconds from which on a measurement tells the two apart. */
const TELLING_MS = 4;
const MOST_CALLS = 1024;
const ROUNDS = 5;

/** Times the largest product whose weights are integer codes, without what goes with it; notes the result in the report. */
export async function integersAreFaster(gpu: Gpu, products: readonly ModelProduct[]): Promise<boolean> {
  const able = products.filter(({ matrix }) => matrix.parts.every(({ layout }) => takesIntegers(layout)));
  const largest = able.reduce<Matrix | undefined>(
    (best, { matrix }) => (best && best.bytes >= matrix.bytes ? best : matrix),
    undefined,
  );
  if (!largest) return false;
  const [exact, rounded] = await race(gpu, largest);
  const text = `${rounded < exact ? 'integers' : 'numbers'} (${exact.toFixed(3)} ms exact, ${rounded.toFixed(3)} ms rounded)`;
  gpu.note({ room: 'model', name: 'one token x weights', text, ms: Math.min(exact, rounded) });
  return rounded < exact;
}

/** Milliseconds of a product with numbers, and with integers; taken in turns, the least of several. */
async function race(gpu: Gpu, matrix: Matrix): Promise<readonly [number, number]> {
  const ways = [false, true];
  await gpu.preparePipelines(
    ways.flatMap((integers) => productSpecs(gpu, matrix, { mode: 'plain', normed: false, integers })),
  );
  const x = gpu.upload(
    Float32Array.from({ length: matrix.columns }, (_, at) => ((at * 37) % 129) / 64 - 1),
    [1, matrix.columns],
  );
  const y = gpu.empty([1, matrix.rows], 'f32');
  const record = (integers: boolean, calls: number): Plan =>
    gpu.record(() => {
      for (let call = 0; call < calls; call++) product(gpu, x, matrix, y, { integers });
    });
  try {
    const calls = await tellingCalls(gpu, record);
    const plans = ways.map((integers) => record(integers, calls));
    const least = [Infinity, Infinity] as [number, number];
    for (let round = 0; round < ROUNDS; round++) {
      for (const [way, plan] of plans.entries()) least[way] = Math.min(least[way]!, (await timeOf(gpu, plan)) / calls);
    }
    plans.forEach((plan) => plan.destroy());
    return least;
  } finally {
    x.destroy();
    y.destroy();
  }
}

/** Calls that take long enough to be told from the way there and back. */
async function tellingCalls(gpu: Gpu, record: (integers: boolean, calls: number) => Plan): Promise<number> {
  for (let calls = 1; ; calls *= 4) {
    const plan = record(false, calls);
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
