/** One measuring of this device and of a model, as it goes on in the engine's worker; figures as they come. */
import { ENGINE_LOCK, Engine, EngineError } from '$lib/engine/client';
import type {
  AnswerFigures,
  Failure,
  GpuFigures,
  LoadedModel,
  LoadRequest,
  MeasureStep,
  ModelProfile,
  ModelProgress,
} from '$lib/engine/protocol';

export type Step = MeasureStep | 'model' | ModelProgress['step'];
export type State = 'idle' | 'running' | 'done' | 'cancelled' | 'failed';

/** Of the whole: the GPU, opening the model, its answers. */
const GPU_SHARE = 0.6;
const MODEL_SHARE = 0.1;

export class Measurement {
  state = $state<State>('idle');
  step = $state<Step>('opening');
  /** From 0 to 1. */
  done = $state(0);
  gpu = $state.raw<GpuFigures>();
  /** Why there is no GPU. */
  noGpu = $state.raw<Failure>();
  model = $state.raw<LoadedModel>();
  answers = $state.raw<AnswerFigures>();
  profile = $state.raw<ModelProfile>();
  /** Why it broke off. */
  failure = $state.raw<Failure>();
  /** Another tab had the engine when it began. */
  elsewhere = $state(false);

  #engine: Engine | undefined;

  /** Measures all; what goes wrong is in `failure`. */
  async run(load: LoadRequest): Promise<void> {
    this.#reset();
    const engine = (this.#engine = new Engine());
    const alone = await holdEngine();
    this.elsewhere = alone === undefined;
    try {
      // A worker that was ended meanwhile would never answer.
      if (engine !== this.#engine) return;
      await this.#measureGpu(engine);
      await this.#measureModel(engine, load);
      this.#end(engine, 'done');
    } catch (error) {
      this.failure = engine === this.#engine ? failureOf(error) : this.failure;
      this.#end(engine, 'failed');
    } finally {
      engine.close();
      alone?.();
    }
  }

  /** Ends at once; what is there stays. */
  cancel(): void {
    const engine = this.#engine;
    if (!engine || this.state !== 'running') return;
    this.#end(engine, 'cancelled');
    engine.close();
  }

  async #measureGpu(engine: Engine): Promise<void> {
    try {
      this.gpu = await engine.measureGpu(({ step, done, figures }) => {
        this.step = step;
        this.done = done * GPU_SHARE;
        if (figures) this.gpu = figures;
      });
    } catch (error) {
      // Cancelled, or the worker broke: no model will do better. Else the model may run on the processor.
      if (engine !== this.#engine || failureOf(error).code === 'worker') throw error;
      this.noGpu = failureOf(error);
    }
    this.done = GPU_SHARE;
  }

  async #measureModel(engine: Engine, load: LoadRequest): Promise<void> {
    this.step = 'model';
    this.model = await engine.load(load, ({ done = 0, total = 0 }) => {
      if (total > 0) this.done = GPU_SHARE + (MODEL_SHARE * done) / total;
    });
    const before = GPU_SHARE + MODEL_SHARE;
    const { answers, profile } = await engine.measureModel((progress) => {
      this.step = progress.step;
      this.done = before + (1 - before) * progress.done;
      if (progress.answers) this.answers = progress.answers;
    });
    this.answers = answers;
    this.profile = profile;
  }

  #reset(): void {
    this.state = 'running';
    this.step = 'opening';
    this.done = 0;
    this.gpu = this.noGpu = this.model = this.answers = this.profile = this.failure = undefined;
  }

  /** Only the engine that is the present one may end the run. */
  #end(engine: Engine, state: State): void {
    if (engine !== this.#engine) return;
    this.#engine = undefined;
    this.state = state;
  }
}

function failureOf(error: unknown): Failure {
  if (error instanceof EngineError) return { code: error.code, message: error.message };
  return { code: 'unknown', message: error instanceof Error ? error.message : String(error) };
}

/** Keeps other tabs from opening a model meanwhile; returns what ends that, undefined where another tab has one open. */
function holdEngine(): Promise<(() => void) | undefined> {
  // Where pages are not trusted there are no locks, whatever the types say.
  const locks: LockManager | undefined = navigator.locks;
  if (!locks) return Promise.resolve(() => undefined);
  return new Promise((answer) => {
    const held = locks.request(ENGINE_LOCK, { ifAvailable: true }, (lock) => {
      if (!lock) return answer(undefined);
      return new Promise<void>((release) => answer(release));
    });
    // Another tab took it over, for somebody who wants an answer there: the figures suffer, the person knows why.
    held.catch(() => answer(undefined));
  });
}
