/**
 * What this GPU can do, in a few seconds: how fast it reads, how fast it multiplies, and what attention takes.
 *
 * By the wall clock, many replays a submit: browsers round the GPU's own clock to 0.1 ms, longer than most calls.
 */
import { formatReport, openGpu, type Gpu } from '$gpu';
import { attentionCurve } from './attention/curve';
import { timeReading } from './bandwidth';
import type { GpuFigures, MeasureProgress, MeasureStep, Product } from './figures';
import { timeBestProduct, type ProductType } from './product';

/** Milliseconds that a rate is worth. */
const PATIENCE = 250;

/** How much of the whole each step is, about. */
const SHARES: Readonly<Record<MeasureStep, number>> = {
  opening: 0.25,
  reading: 0.05,
  product: 0.2,
  prefill: 0.3,
  decode: 0.2,
};

/** Figures come with `tell` as soon as they are there. Rejects with a GpuError where there is no GPU that can compute. */
export async function measureGpu(tell: (progress: MeasureProgress) => void): Promise<GpuFigures> {
  tell({ step: 'opening', done: 0 });
  const start = performance.now();
  const gpu = await openGpu();
  try {
    return await measureOn(gpu, performance.now() - start, tell);
  } finally {
    gpu.destroy();
  }
}

/** The same on a GPU that is open, which took `openedMs` milliseconds. */
export function measureOn(gpu: Gpu, openedMs: number, tell: (progress: MeasureProgress) => void): Promise<GpuFigures> {
  return new GpuBench(gpu, openedMs, tell).run();
}

class GpuBench {
  readonly #gpu: Gpu;
  readonly #tell: (progress: MeasureProgress) => void;
  #figures: GpuFigures;
  /** Of the whole, by steps that are over. */
  #before = SHARES.opening;

  constructor(gpu: Gpu, openedMs: number, tell: (progress: MeasureProgress) => void) {
    this.#gpu = gpu;
    this.#tell = tell;
    const report = gpu.report();
    this.#figures = { report, text: formatReport(report), openedMs, products: [], attention: [] };
  }

  async run(): Promise<GpuFigures> {
    await this.#step('reading', async () => {
      this.#add({ reading: await timeReading(this.#gpu, 'wall', PATIENCE) });
    });
    await this.#step('product', async () => {
      const types: ProductType[] = this.#gpu.has.f16 ? ['f32', 'f16'] : ['f32'];
      for (const type of types) await this.#multiply(type);
    });
    for (const schedule of ['prefill', 'decode'] as const) {
      await this.#step(schedule, (within) =>
        attentionCurve(this.#gpu, schedule, (point, done) => {
          this.#add({ attention: [...this.#figures.attention, point] });
          within(done);
        }),
      );
    }
    // Kernels were chosen, and reported, while this ran.
    const report = this.#gpu.report();
    this.#add({ report, text: formatReport(report) });
    return this.#figures;
  }

  async #multiply(type: ProductType): Promise<void> {
    const product: Product = await timeBestProduct(this.#gpu, type, 'wall', PATIENCE);
    this.#add({ products: [...this.#figures.products, product] });
  }

  /** `within`: how much of the step is done, from 0 to 1. */
  async #step(step: MeasureStep, body: (within: (done: number) => void) => Promise<void>): Promise<void> {
    const within = (done: number): void =>
      this.#tell({ step, done: this.#before + done * SHARES[step], figures: this.#figures });
    within(0);
    await body(within);
    this.#before += SHARES[step];
  }

  #add(more: Partial<GpuFigures>): void {
    this.#figures = { ...this.#figures, ...more };
  }
}
