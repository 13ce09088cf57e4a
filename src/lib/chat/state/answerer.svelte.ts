/** Writes answers: opens the model, fits the conversation to its window, and keeps what comes as it comes. */
import type { Engine } from '$lib/engine/client';
import type { AnswerEnd, LoadedModel, Timings } from '$lib/engine/protocol';
import { noteSpeed } from '$lib/models/speed';
import type { Effective, ModelChoice } from '../effective';
import { failureOf, isBroken, sameChoice, type EngineHolder } from './engine.svelte';
import { Intake } from './intake';
import type { Node, Thread } from './thread.svelte';
import { fit } from './window';
import { writing } from './writing';

/** What of an engine an answer needs. */
export type Talker = Pick<Engine, 'count' | 'generate'>;

/** Puts something around the engine for one answer: what it is told besides, tools that it may call. */
export type Around = (engine: Talker, model: LoadedModel | undefined) => Promise<Talker>;

/** An answer that is being written. */
export class Live {
  readonly thread: Thread;
  readonly node: Node;
  readonly settings: Effective;
  readonly stop = new AbortController();
  /** How much of the prompt has been read, from 0 to 1; undefined before that begins. */
  prefill = $state<number>();
  /** Its model is not open yet. */
  waiting = $state(true);
  /** Another tab took the engine. */
  taken = false;

  constructor(thread: Thread, node: Node, settings: Effective) {
    this.thread = thread;
    this.node = node;
    this.settings = settings;
  }
}

/** `withdrawn`: a person stopped it while it waited for its model. */
export type Outcome = 'written' | 'withdrawn';

export type ModelHere = (settings: Effective, signal: AbortSignal) => Promise<void>;

export class Answerer {
  live = $state.raw<Live>();
  #done: Promise<unknown> = Promise.resolve();
  readonly #engine: EngineHolder;
  readonly #here: ModelHere;
  readonly #around: Around;

  /** @param here resolves when the model is on this device, and rejects where it is not to be had */
  constructor(engine: EngineHolder, here: ModelHere, around: Around = async (talker) => talker) {
    this.#engine = engine;
    this.#here = here;
    this.#around = around;
  }

  /** Writes on at `node`, which is empty or broke off. Resolves when it is done, good or bad. */
  async answer(thread: Thread, node: Node, settings: Effective): Promise<Outcome> {
    const writing = this.#answer(thread, node, settings);
    this.#done = writing;
    return writing;
  }

  async #answer(thread: Thread, node: Node, settings: Effective): Promise<Outcome> {
    const live = (this.live = new Live(thread, node, settings));
    const earlier = thread.begin(node)?.timings;
    try {
      await writing(node.id, () => this.#write(live, earlier));
    } finally {
      if (this.live === live) this.live = undefined;
    }
    return live.waiting && live.stop.signal.aborted && !live.taken ? 'withdrawn' : 'written';
  }

  /** What came stays. */
  stop(): void {
    this.live?.stop.abort();
  }

  /** Ends what is being written, and waits until it is. */
  async end(): Promise<void> {
    this.stop();
    await this.#done;
  }

  /** Another model is to be opened, or elsewhere: what the one before it is writing ends, as when a person stops it. */
  async yieldTo(choice: ModelChoice): Promise<void> {
    if (!this.live || this.live.waiting || sameChoice(choice, this.live.settings.load)) return;
    await this.end();
  }

  /** Another tab takes the engine: the answer breaks off. */
  giveUp(): void {
    if (this.live) this.live.taken = true;
    this.stop();
  }

  async #write(live: Live, earlier: Timings | undefined): Promise<void> {
    const { thread, node, stop } = live;
    const intake = new Intake(live);
    try {
      const { reason, timings } = await this.#generate(live, intake);
      intake.finish();
      if (this.#engine.model) noteSpeed(this.#engine.model, timings.decode);
      const held = timings.prefill.reused + timings.prefill.tokens + timings.tokens;
      thread.update(node, { held, end: { reason, timings: sumTimings(earlier, timings) } });
    } catch (error) {
      intake.finish();
      if (live.taken) thread.update(node, { failure: { code: 'taken', message: '' } });
      else if (stop.signal.aborted)
        thread.update(node, { end: { reason: 'aborted', timings: sumTimings(earlier, NO_TIME) } });
      else thread.update(node, { failure: failureOf(error) });
    }
    await thread.keep(node);
  }

  /** Once more where the engine broke before anything came: a GPU is often lost while nobody looks. */
  async #generate(live: Live, intake: Intake): Promise<AnswerEnd> {
    try {
      return await this.#attempt(live, intake);
    } catch (error) {
      if (!isBroken(error) || live.stop.signal.aborted) throw error;
      this.#engine.recover(error);
      if (intake.some) throw error;
      return this.#attempt(live, intake);
    }
  }

  async #attempt(live: Live, intake: Intake): Promise<AnswerEnd> {
    const { thread, node, settings, stop } = live;
    const { load, system, sampling, maxTokens } = settings;
    live.waiting = true;
    await unlessStopped(this.#here(settings, stop.signal), stop.signal);
    const engine = await unlessStopped(this.#engine.ready(load), stop.signal);
    live.waiting = false;
    const talker = await unlessStopped(this.#around(engine, this.#engine.model), stop.signal);
    const { context = 0, name = '' } = this.#engine.model ?? {};
    const path = thread.pathOf(node);
    const { messages, continues, from } = await fit(path, system, context, (prompt) => talker.count(prompt));
    thread.update(node, { model: name, ...(from !== path[0]!.id && { from }) });
    return talker.generate({ messages, continues, sampling, maxTokens }, intake.take, stop.signal);
  }
}

const NO_TIME: Timings = { tokens: 0, prefill: { tokens: 0, reused: 0, ms: 0 }, decode: { tokens: 0, ms: 0 } };

/** Of an answer that was written in two goes: together, and the first token is the first one's. */
export function sumTimings(first: Timings | undefined, then: Timings): Timings {
  if (!first) return then;
  const firstTokenMs = first.firstTokenMs ?? then.firstTokenMs;
  return {
    tokens: first.tokens + then.tokens,
    ...(firstTokenMs !== undefined && { firstTokenMs }),
    prefill: {
      tokens: first.prefill.tokens + then.prefill.tokens,
      reused: first.prefill.reused + then.prefill.reused,
      ms: first.prefill.ms + then.prefill.ms,
    },
    decode: { tokens: first.decode.tokens + then.decode.tokens, ms: first.decode.ms + then.decode.ms },
  };
}

/** What is awaited, or an end to the waiting. */
function unlessStopped<T>(awaited: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((done, failed) => {
    const stopped = (): void => failed(new DOMException('It was stopped.', 'AbortError'));
    if (signal.aborted) stopped();
    signal.addEventListener('abort', stopped, { once: true });
    awaited.then(done, failed);
  });
}
