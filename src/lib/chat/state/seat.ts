/**
 * The right to run the engine on this device: one tab has it at a time, so that a model is in memory once. Web Locks keep
 * it, and give it on when a tab goes away, however it went. At addresses that the browser does not trust there are no
 * locks; every tab has the right there.
 */
import { ENGINE_LOCK } from '$lib/engine/client';

/** Milliseconds that the tab that has it gets to stop and close. */
const PATIENCE = 4000;

export class Seat {
  readonly #lost: () => void;
  #channel: BroadcastChannel | undefined;
  #leave: (() => void) | undefined;
  /** A request that waits for its turn. */
  #turn: { readonly taken: Promise<boolean>; readonly end: AbortController } | undefined;

  /** @param lost another tab took it over: all that stands on it has to be closed now */
  constructor(lost: () => void) {
    this.#lost = lost;
  }

  /** Takes it if nobody has it. */
  take(): Promise<boolean> {
    return this.#request({ ifAvailable: true });
  }

  /** Waits until it is free, and takes it. False where that came to nothing. */
  wait(): Promise<boolean> {
    if (!this.#turn) {
      const end = new AbortController();
      const taken = this.#request({ signal: end.signal }).finally(() => (this.#turn = undefined));
      this.#turn = { taken, end };
    }
    return this.#turn.taken;
  }

  /** Asks the tab that has it to leave, and takes it from one that does not answer. */
  async takeOver(): Promise<void> {
    this.#listen().postMessage('leave');
    const late = new Promise<false>((done) => setTimeout(() => done(false), PATIENCE));
    if (await Promise.race([this.wait(), late])) return;
    // Who waits for a turn while it has one would hinder the next.
    this.#turn?.end.abort();
    await this.#request({ steal: true });
  }

  /** Gives it to whoever waits. */
  leave(): void {
    const leave = this.#leave;
    this.#leave = undefined;
    leave?.();
  }

  /** Hears from now on when another tab wants it. */
  #listen(): BroadcastChannel {
    if (this.#channel) return this.#channel;
    this.#channel = new BroadcastChannel(ENGINE_LOCK);
    this.#channel.addEventListener('message', () => {
      const leave = this.#leave;
      if (!leave) return;
      this.#leave = undefined;
      this.#lost();
      leave();
    });
    return this.#channel;
  }

  #request(options: LockOptions): Promise<boolean> {
    if (this.#leave) return Promise.resolve(true);
    this.#listen();
    // Where pages are not trusted there is none, whatever the types say.
    const locks: LockManager | undefined = navigator.locks;
    if (!locks) return Promise.resolve(true);
    return new Promise((answer) => {
      let leave: (() => void) | undefined;
      const held = locks.request(ENGINE_LOCK, options, (lock) => {
        if (!lock) return void answer(false);
        const left = new Promise<void>((done) => (leave = done));
        this.#leave = leave;
        answer(true);
        return left;
      });
      held.catch(() => {
        // Not granted, or stolen.
        answer(false);
        if (!leave || this.#leave !== leave) return;
        this.#leave = undefined;
        this.#lost();
      });
    });
  }
}
