/**
 * Everything in order, whatever the order: random programs of dispatches, writes, copies, temporaries, plans and
 * destroyed tensors run on the GPU and on a model of it on the CPU, and every download must agree.
 *
 * Here live the mistakes that single tests miss: memory taken up again too early, a write that overtakes a dispatch, a
 * bind group that names a buffer of somebody else, parameters of another batch.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Gpu, Plan, Tensor } from '$gpu/device';
import { large, openTestGpu, random } from '../../support/gpu';
import { scale, scaleParams } from './kernels';

const SIZE = 8;
const PROGRAMS = large ? 400 : 25;
const STEPS = 120;

let gpu: Gpu;
beforeAll(async () => {
  // Little memory may wait, so that buffers are really destroyed now and then.
  gpu = await openTestGpu({ idleBudget: 512 });
});
afterAll(() => {
  gpu.destroy();
});

/** A tensor, and what must be in it. The values are an object of their own: a plan may outlive the tensor. */
interface Twin {
  readonly tensor: Tensor;
  readonly values: Float32Array;
}

interface PlanTwin {
  readonly plan: Plan;
  /** What a run does to the values; `shift` is the bias of the dispatch labelled 'shifted'. */
  readonly replay: ((shift: number) => void)[];
  shift: number;
}

class Program {
  readonly #next: () => number;
  readonly #twins: Twin[] = [];
  readonly #plans: PlanTwin[] = [];
  /** While recording: what the plan will do. */
  #recorded: ((shift: number) => void)[] | undefined;
  /** While recording: what its dispatches name, and the host must not write. */
  #touched = new Set<Twin>();

  constructor(seed: number) {
    this.#next = random(seed);
    for (let i = 0; i < 4; i++) this.#upload();
  }

  async run(): Promise<void> {
    for (let step = 0; step < STEPS; step++) {
      // Waits where the program does, and nowhere else: waiting sends what is recorded.
      const wait = this.#step();
      if (wait) await wait;
    }
    for (const twin of this.#twins) await this.#check(twin);
    for (const { plan } of this.#plans) plan.destroy();
    for (const { tensor } of this.#twins) tensor.destroy();
  }

  #step(): Promise<void> | undefined {
    const dice = this.#next();
    if (dice < 0.3) this.#scale();
    else if (dice < 0.4) this.#write();
    else if (dice < 0.45) this.#copy();
    else if (dice < 0.55) this.#upload();
    else if (dice < 0.65) this.#destroyOne();
    else if (dice < 0.75) this.#temporary();
    else if (dice < 0.8) this.#record();
    else if (dice < 0.9) this.#runPlan();
    else if (dice < 0.93) gpu.flush();
    else if (dice < 0.94) return Promise.resolve();
    else if (dice < 0.97) return this.#check(this.#pick(this.#twins));
    return undefined;
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#next() * list.length)]!;
  }

  #numbers(): Float32Array {
    return Float32Array.from({ length: SIZE }, () => Math.floor(this.#next() * 100));
  }

  #upload(): Twin {
    const values = this.#numbers();
    const twin = { tensor: gpu.upload(values, [SIZE]), values };
    this.#twins.push(twin);
    return twin;
  }

  #write(): void {
    const twin = this.#pick(this.#twins);
    const values = this.#numbers();
    gpu.write(twin.tensor, values);
    twin.values.set(values);
  }

  #copy(): void {
    const [source, target] = [this.#pick(this.#twins), this.#pick(this.#twins)];
    if (source === target) return;
    gpu.copy(source.tensor, target.tensor);
    target.values.set(source.values);
  }

  #destroyOne(): void {
    if (this.#twins.length < 3) return;
    const [twin] = this.#twins.splice(Math.floor(this.#next() * this.#twins.length), 1);
    twin!.tensor.destroy();
  }

  /** Does it now, or at every run of the plan that is being recorded. */
  #perform(action: (shift: number) => void): void {
    if (this.#recorded) this.#recorded.push(action);
    else action(0);
  }

  /** target = source / 2 + bias, exact in f32 for small numbers. */
  #dispatch(source: Twin, target: Twin, bias: number, shifted = false): void {
    scale(gpu, source.tensor, target.tensor, 0.5, bias, shifted ? 'shifted' : undefined);
    this.#touched.add(source).add(target);
    const [from, to] = [source.values, target.values];
    this.#perform((shift) => {
      to.set(from.map((x) => Math.fround(Math.fround(x * 0.5) + (shifted ? shift : bias))));
    });
  }

  #scale(): void {
    const [source, target] = [this.#pick(this.#twins), this.#pick(this.#twins)];
    if (source !== target) this.#dispatch(source, target, Math.floor(this.#next() * 50));
  }

  /** Through one or two temporaries to a target. */
  #temporary(): void {
    gpu.scoped(() => {
      const [source, target] = [this.#pick(this.#twins), this.#pick(this.#twins)];
      const first = { tensor: gpu.scratch([SIZE], 'f32'), values: new Float32Array(SIZE) };
      this.#dispatch(source, first, 3);
      if (this.#next() < 0.5) {
        this.#dispatch(first, target, 1);
        return;
      }
      const second = { tensor: gpu.scratch([SIZE], 'f32'), values: new Float32Array(SIZE) };
      this.#dispatch(first, second, 5);
      this.#dispatch(second, target, 2);
    });
  }

  #record(): void {
    const replay: ((shift: number) => void)[] = [];
    const plan = gpu.record(() => {
      this.#recorded = replay;
      this.#touched = new Set();
      for (let i = 0; i < 10; i++) this.#recordedStep();
      this.#recorded = undefined;
    });
    this.#plans.push({ plan, replay, shift: 7 });
  }

  #recordedStep(): void {
    const dice = this.#next();
    if (dice < 0.25) this.#scale();
    else if (dice < 0.5) this.#temporary();
    else if (dice < 0.6) this.#upload();
    else if (dice < 0.7) this.#destroyOne();
    else if (dice < 0.85) this.#useUp(this.#next() < 0.5 ? this.#upload() : this.#pick(this.#twins));
    else if (dice < 0.9) this.#writeUntouched();
    else this.#shifted();
  }

  /** A last use: what a plan reads must not become a temporary of the same plan. */
  #useUp(twin: Twin): void {
    if (this.#twins.length < 3) return;
    this.#twins.splice(this.#twins.indexOf(twin), 1);
    this.#dispatch(twin, this.#pick(this.#twins), 4);
    twin.tensor.destroy();
  }

  #writeUntouched(): void {
    const twin = this.#pick(this.#twins);
    if (this.#touched.has(twin)) return;
    const values = this.#numbers();
    gpu.write(twin.tensor, values);
    twin.values.set(values);
  }

  #shifted(): void {
    const [source, target] = [this.#pick(this.#twins), this.#pick(this.#twins)];
    if (source !== target) this.#dispatch(source, target, 7, true);
  }

  #runPlan(): void {
    if (this.#plans.length === 0) return;
    const twin = this.#pick(this.#plans);
    if (this.#next() < 0.15) {
      this.#plans.splice(this.#plans.indexOf(twin), 1);
      twin.plan.destroy();
      return;
    }
    if (this.#next() < 0.5 && twin.plan.steps.some(({ label }) => label === 'shifted')) {
      twin.shift = Math.floor(this.#next() * 90);
      twin.plan.update('shifted', scaleParams(SIZE, 0.5, twin.shift));
    }
    const times = 1 + Math.floor(this.#next() * 3);
    twin.plan.run(times);
    for (let i = 0; i < times; i++) for (const action of twin.replay) action(twin.shift);
  }

  async #check({ tensor, values }: Twin): Promise<void> {
    const expected = values.slice();
    expect([...(await gpu.download(tensor))]).toEqual([...expected]);
  }
}

test.each(Array.from({ length: PROGRAMS }, (_, seed) => seed))('program %i', async (seed) => {
  const { used } = gpu.memory();
  await new Program(seed).run();
  expect(gpu.uncaptured).toEqual([]);
  expect(gpu.memory().used).toBe(used);
});
