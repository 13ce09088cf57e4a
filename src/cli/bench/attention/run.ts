/**
 * Runs the attention bench: every case, all its kernels in turns, then ONNX Runtime on the same; what is too slow for
 * this adapter, or wrong, is remembered by name.
 */
import { GpuLostError, type Gpu } from '$gpu/device';
import { OnnxPeer } from '../onnx/peer';
import { timeProducts, withSomeProduct, type Product } from '$lib/engine/bench/product';
import { Stopwatch, chooseClock, warmUp, type ClockChoice } from '$lib/engine/bench/stopwatch';
import {
  blockOf,
  casesOf,
  flopsOf,
  inputsOf,
  nameOf,
  type Case,
  type FloatType,
} from '$lib/engine/bench/attention/cases';
import { Check } from '$lib/engine/bench/attention/check';
import { kernelsOf, prepareKernels, type NamedKernel } from '$lib/engine/bench/attention/kernels';
import { rowsOf, type AttentionFigures, type Measured, type Missing, type Row } from './rows';
import type { Settings } from './settings';
import { Operands, encodePlan, prepareSubject, type Subject } from '$lib/engine/bench/attention/subject';

/** Runs of a kernel that a figure takes at least: one to check, one to warm up, three to time. */
const FEWEST_RUNS = 5;
/** The same of the peer, which is timed twice. */
const FEWEST_PEER_RUNS = 9;
/** What the peer's process takes to start and to compile. */
const PEER_START_MS = 60_000;
/** A case that every adapter runs soon: what it takes tells what others will. */
const TRIAL_KEYS = 256;

const ONNX = 'ONNX Runtime';
/** Its sums of f16 inputs are f16. */
const PEER_ALLOWED: Readonly<Record<FloatType, number>> = { f32: 5e-5, f16: 5e-3 };

export class AttentionBench {
  readonly #gpu: Gpu;
  readonly #settings: Settings;
  readonly #peer: OnnxPeer | string;
  readonly #start = performance.now();
  /** Milliseconds per floating-point operation, by block and kernel, at the largest size yet. */
  readonly #pace = new Map<string, number>();
  readonly #prepared = new Set<string>();
  readonly #products = new Map<FloatType, readonly Product[]>();
  readonly #rows: Row[] = [];
  readonly #missing: Missing[] = [];
  #clock: ClockChoice = { clock: 'wall', reason: 'not chosen yet' };
  /** Kernels that computed wrongly. */
  #wrong = 0;

  constructor(gpu: Gpu, settings: Settings) {
    this.#gpu = gpu;
    this.#settings = settings;
    this.#peer = settings.peers ? OnnxPeer.find() : 'not asked for';
  }

  get wrong(): number {
    return this.#wrong;
  }

  /** `onRows`: the rows of a case as they come. */
  async run(onRows: (one: Case, rows: readonly Row[]) => void): Promise<void> {
    if (typeof this.#peer === 'string') this.#miss(ONNX, `not run: ${this.#peer}`);
    try {
      this.#clock = await withSomeProduct(this.#gpu, (encode) => chooseClock(this.#gpu, encode));
      for (const one of casesOf(this.#settings)) {
        if (this.#outOfTime(one)) continue;
        const rows = await this.#runCase(one);
        this.#rows.push(...rows);
        onRows(one, rows);
      }
    } catch (error) {
      // What was measured before stays worth printing.
      if (!(error instanceof GpuLostError)) throw error;
      this.#miss('all that follows', error.message);
      this.#wrong += 1;
    } finally {
      if (typeof this.#peer !== 'string') this.#peer.close();
    }
  }

  figures(): AttentionFigures {
    return {
      adapter: this.#gpu.info,
      clock: this.#clock.clock,
      clockReason: this.#clock.reason,
      products: [...this.#products.values()].flat(),
      rows: this.#rows,
      missing: this.#missing,
      onnxRuntime: typeof this.#peer === 'string' ? `not run: ${this.#peer}` : this.#peer.version,
      seconds: (performance.now() - this.#start) / 1000,
    };
  }

  async #runCase(one: Case): Promise<Row[]> {
    await this.#prepareBlock(one);
    const kernels = kernelsOf(this.#gpu, one, this.#settings.chosenAlone);
    const inBudget: NamedKernel[] = [];
    for (const kernel of kernels) if (await this.#affords(one, kernel)) inBudget.push(kernel);
    const measured = inBudget.length > 0 ? await this.#measure(one, inBudget) : [];
    const peers = await this.#measurePeer(one);
    return rowsOf(one, [...measured, ...peers], this.#products.get(one.dtype)?.[0]);
  }

  /** What all cases of a block share: the kernels, and the product to compare with. */
  async #prepareBlock(one: Case): Promise<void> {
    const block = blockOf(one);
    if (this.#prepared.has(block)) return;
    this.#prepared.add(block);
    const { patience, variants } = this.#settings;
    await prepareKernels(this.#gpu, one, variants);
    if (one.schedule === 'decode' || this.#products.has(one.dtype)) return;
    this.#products.set(one.dtype, await timeProducts(this.#gpu, one.dtype, this.#clock.clock, patience));
  }

  // ---- our kernels ---------------------------------------------------------------------------------------------

  async #measure(one: Case, kernels: readonly NamedKernel[]): Promise<Measured[]> {
    const inputs = inputsOf(one);
    const operands = new Operands(this.#gpu, one, inputs);
    const subjects: Subject[] = [];
    try {
      const check = new Check(one, inputs);
      for (const kernel of kernels) {
        const subject = await prepareSubject(this.#gpu, one, kernel, operands, check);
        if (typeof subject !== 'string') subjects.push(subject);
        else this.#wrongKernel(one, kernel, subject);
      }
      return await this.#time(one, subjects);
    } finally {
      subjects.forEach(({ plan }) => plan.destroy());
      operands.destroy();
    }
  }

  /** All in turns, lap by lap. */
  async #time(one: Case, subjects: readonly Subject[]): Promise<Measured[]> {
    const watches: Stopwatch[] = [];
    for (const { plan } of subjects) {
      const encode = encodePlan(plan);
      watches.push(new Stopwatch(this.#gpu, encode, this.#clock.clock, await warmUp(this.#gpu, encode)));
    }
    const patience = Math.min(this.#settings.patience, this.#settings.budget / 3);
    for (let running = watches; running.length > 0;) {
      for (const watch of running) await watch.lap();
      running = running.filter((watch) => watch.wantsMore(patience));
    }
    return subjects.map(({ kernel, extraBytes, error }, n) => {
      const [ms, wallMs] = [watches[n]!.result(), watches[n]!.wall()];
      this.#keepPace(one, kernel.name, wallMs.median);
      return { kernel: kernel.name, role: kernel.role, ms, wallMs, clock: this.#clock.clock, extraBytes, error };
    });
  }

  #wrongKernel(one: Case, { name }: NamedKernel, why: string): void {
    this.#wrong += 1;
    this.#miss(`${nameOf(one)}: ${name}`, why);
  }

  // ---- the peer ------------------------------------------------------------------------------------------------

  async #measurePeer(one: Case): Promise<Measured[]> {
    if (typeof this.#peer === 'string') return [];
    const { budget, patience } = this.#settings;
    const expected = this.#expected(one, ONNX);
    if (expected !== undefined && this.#exceeds(one, ONNX, expected, FEWEST_PEER_RUNS)) return [];
    const answer = await this.#peer.ask({ one, patience: Math.min(patience, budget / 3) }, budget + PEER_START_MS);
    if ('failure' in answer) {
      this.#miss(`${nameOf(one)}: ${ONNX}`, answer.failure);
      return [];
    }
    const { operator, kernels, nodes, programs } = answer.times;
    // JSON between the processes knows no NaN.
    const error = answer.times.error ?? NaN;
    this.#keepPace(one, ONNX, operator.median);
    const both = { error, wrong: !(error <= PEER_ALLOWED[one.dtype]), detail: { nodes, programs } };
    const rows: Measured[] = [
      { kernel: `${ONNX}, operator`, role: 'onnx operator', ms: operator, clock: 'wall', ...both },
    ];
    if (!kernels) return rows;
    return [{ kernel: `${ONNX}, kernels`, role: 'onnx kernels', ms: kernels, clock: 'gpu', ...both }, ...rows];
  }

  // ---- budgets -------------------------------------------------------------------------------------------------

  /** Whether a kernel is likely to be done within the budget. Where nothing is known of it, a small case tells. */
  async #affords(one: Case, kernel: NamedKernel): Promise<boolean> {
    const trial = { ...one, keys: TRIAL_KEYS };
    if (this.#expected(one, kernel.name) === undefined && flopsOf(one) > 4 * flopsOf(trial)) {
      await this.#measureTrial(trial, kernel);
    }
    const expected = this.#expected(one, kernel.name);
    return expected === undefined || !this.#exceeds(one, kernel.name, expected, FEWEST_RUNS);
  }

  async #measureTrial(trial: Case, kernel: NamedKernel): Promise<void> {
    const inputs = inputsOf(trial);
    const operands = new Operands(this.#gpu, trial, inputs);
    const subject = await prepareSubject(this.#gpu, trial, kernel, operands, new Check(trial, inputs));
    if (typeof subject !== 'string') {
      this.#keepPace(trial, kernel.name, await warmUp(this.#gpu, encodePlan(subject.plan)));
      subject.plan.destroy();
    }
    operands.destroy();
  }

  /** Milliseconds of one run. */
  #expected(one: Case, kernel: string): number | undefined {
    const pace = this.#pace.get(`${blockOf(one)}: ${kernel}`);
    return pace === undefined ? undefined : pace * flopsOf(one);
  }

  #keepPace(one: Case, kernel: string, ms: number): void {
    this.#pace.set(`${blockOf(one)}: ${kernel}`, ms / flopsOf(one));
  }

  #exceeds(one: Case, kernel: string, expected: number, runs: number): boolean {
    const { budget } = this.#settings;
    if (expected * runs <= budget) return false;
    const run = expected < 1000 ? `${expected.toFixed(0)} ms` : `${(expected / 1000).toFixed(1)} s`;
    this.#miss(`${nameOf(one)}: ${kernel}`, `${runs} runs of some ${run} exceed the budget of ${budget / 1000} s`);
    return true;
  }

  #outOfTime(one: Case): boolean {
    const { time } = this.#settings;
    if (performance.now() - this.#start < time) return false;
    this.#miss(nameOf(one), `the ${time / 1000} s of the whole run were over`);
    return true;
  }

  #miss(what: string, why: string): void {
    this.#missing.push({ what, why });
  }
}
