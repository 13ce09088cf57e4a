/** The engine as the page sees it: which model is open, how far one is that opens, whether another tab has it. */
import { Engine, EngineError } from '$lib/engine/client';
import type { Failure, LoadedModel, LoadProgress } from '$lib/engine/protocol';
import { RemoteEngine } from '$lib/engine/remote';
import type { ModelChoice } from '../effective';
import { openRemote } from '../remote';
import { Seat } from './seat';

/** `elsewhere`: another tab has it. `failed`: see `failure`. */
export type EngineState = 'off' | 'opening' | 'ready' | 'elsewhere' | 'failed';

/** What the chat needs of an engine, the page's own or a server's. */
export type ChatEngine = Pick<Engine, 'generate' | 'count' | 'close'>;

/** An engine that broke more often than this in so many milliseconds is left alone until somebody asks for it. */
const MOST_RECOVERIES = 3;
const RECOVERY_SPAN = 120_000;

export interface HolderOptions {
  /** Is told which engine of this page has a model open; a server's is none. */
  readonly served?: (engine: Engine | undefined) => void;
  /** Whether the engine may go to a tab where somebody asks; left out: only to one that takes it over. */
  readonly spare?: () => boolean;
}

export class EngineHolder {
  state = $state<EngineState>('off');
  progress = $state.raw<LoadProgress>({ phase: 'device' });
  model = $state.raw<LoadedModel>();
  /** Why there is no model. */
  failure = $state.raw<Failure>();
  /** It broke, and is being opened again by itself. */
  recovering = $state(false);

  /** Which model is open, or is to be. */
  choice = $state.raw<ModelChoice>();

  readonly #seat: Seat;
  readonly #served: (engine: Engine | undefined) => void;
  #engine: ChatEngine | undefined;
  #opening: Promise<ChatEngine> | undefined;
  #recoveries: number[] = [];

  /** @param yielded another tab takes over: an answer that is being written has to end */
  constructor(yielded: () => void, { served = () => {}, spare }: HolderOptions = {}) {
    this.#served = served;
    this.#seat = new Seat(() => {
      yielded();
      this.#drop();
      this.#waitElsewhere();
    }, spare);
  }

  /** Nobody needs it here now: it goes to a tab where somebody asked for it meanwhile. */
  lend(): void {
    this.#seat.lend();
  }

  /**
   * The engine with this model open; opens it where it is not. Waits while another tab has it. Rejects with an
   * EngineError, `aborted` where another model was chosen meanwhile.
   */
  ready(choice: ModelChoice): Promise<ChatEngine> {
    if (!this.#opening || !sameChoice(choice, this.choice)) {
      this.choice = choice;
      const opening = (this.#opening = this.#open(choice));
      opening.catch((error: unknown) => this.#failed(opening, error));
    }
    return this.#opening;
  }

  /** Opens this model if no other tab has the engine; what goes wrong is in `failure`. */
  async warm(choice: ModelChoice): Promise<void> {
    if (!isRemote(choice) && !(await this.#seat.take())) {
      this.#waitElsewhere();
      return;
    }
    await this.ready(choice).catch(() => {});
  }

  /** What of `model` is open for this choice; undefined: nothing is, or another one. */
  openFor(choice: ModelChoice): LoadedModel | undefined {
    return sameChoice(choice, this.choice) ? this.model : undefined;
  }

  /** From the tab that has it. An answer that waits here goes on by itself. */
  async takeOver(choice: ModelChoice): Promise<void> {
    await this.#seat.takeOver();
    if (!this.#opening) await this.warm(choice);
  }

  /** After an error of the engine: it is closed, and opened again unless that has been tried too often. */
  recover(error: EngineError): void {
    if (!isBroken(error)) return;
    const choice = this.choice;
    this.#drop();
    const now = Date.now();
    this.#recoveries = [...this.#recoveries.filter((time) => now - time < RECOVERY_SPAN), now];
    if (!choice || this.#recoveries.length > MOST_RECOVERIES) {
      this.failure = { code: error.code, message: error.message };
      this.state = 'failed';
      return;
    }
    this.recovering = true;
    void this.ready(choice)
      .catch(() => {})
      .finally(() => (this.recovering = false));
  }

  /** Closes the model: nobody talks here any more. */
  close(): void {
    this.#drop();
    this.#seat.leave();
  }

  async #open(choice: ModelChoice): Promise<ChatEngine> {
    // A server's model takes no memory here: other tabs may run one of this device.
    if (isRemote(choice)) this.#seat.leave();
    else if (!(await this.#seat.take())) {
      this.state = 'elsewhere';
      if (!(await this.#seat.wait('wanted'))) throw superseded();
    }
    if (choice !== this.choice) throw superseded();
    this.state = 'opening';
    this.progress = { phase: 'device' };
    this.failure = undefined;
    this.model = undefined;
    // A worker that broke, or whose GPU was lost, is replaced whole.
    this.#close();
    const { engine, load } = engineFor(choice);
    this.#engine = engine;
    const model = await load((progress) => {
      if (engine === this.#engine) this.progress = progress;
    });
    if (engine !== this.#engine) throw superseded();
    this.model = model;
    this.state = 'ready';
    if (engine instanceof Engine) this.#served(engine);
    return engine;
  }

  #failed(opening: Promise<ChatEngine>, error: unknown): void {
    if (opening !== this.#opening) return;
    this.#opening = undefined;
    this.failure = failureOf(error);
    this.state = 'failed';
  }

  /** Nobody here needs it yet: the page says who has it, and hears when it is free. */
  #waitElsewhere(): void {
    this.state = 'elsewhere';
    void this.#seat.wait().then((free) => {
      if (free && this.state === 'elsewhere' && !this.#opening) this.state = 'off';
    });
  }

  #close(): void {
    this.#served(undefined);
    this.#engine?.close();
    this.#engine = undefined;
  }

  #drop(): void {
    this.#close();
    this.#opening = undefined;
    this.model = undefined;
    this.state = 'off';
  }
}

function isRemote(choice: ModelChoice): choice is Extract<ModelChoice, { server: string }> {
  return 'server' in choice;
}

function engineFor(choice: ModelChoice): {
  readonly engine: ChatEngine;
  readonly load: (onProgress: (progress: LoadProgress) => void) => Promise<LoadedModel>;
} {
  if (isRemote(choice)) {
    const engine = new RemoteEngine();
    return { engine, load: (onProgress) => openRemote(engine, choice, onProgress) };
  }
  const engine = new Engine();
  return { engine, load: (onProgress) => engine.load(choice, onProgress) };
}

export function failureOf(error: unknown): Failure {
  if (error instanceof EngineError) return { code: error.code, message: error.message };
  return { code: 'unknown', message: error instanceof Error ? error.message : String(error) };
}

/** Whether the engine has to be opened anew. */
export function isBroken(error: unknown): error is EngineError {
  const broken: readonly string[] = ['lost', 'worker', 'cpu', 'no-model'];
  return error instanceof EngineError && broken.includes(error.code);
}

function superseded(): EngineError {
  return new EngineError({ code: 'aborted', message: 'Another model was chosen.' });
}

export function sameChoice(a: ModelChoice, b: ModelChoice | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
