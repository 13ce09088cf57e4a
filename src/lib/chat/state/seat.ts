/**
 * The right to run the engine on this device: one tab has it at a time, so that a model is in memory once. Web Locks keep
 * it, and give it on when a tab goes away, however it went. At addresses that the browser does not trust there are no
 * locks; every tab has the right there.
 */
import { ENGINE_LOCK } from '$lib/engine/client';
import { webLocks } from './locks';

/** Milliseconds that the tab that has it gets to stop and close. */
const PATIENCE = 4000;

export class Seat {
  readonly #lost: () => void;
  #channel: BroadcastChannel | undefined;
  #leave: (() => void) | undefined;
  readonly #spare: () => boolean;
  /** Somebody asks in another tab, and waits. */
  #wanted = false;
  /** A request that waits for its turn. */
  #turn: { readonly taken: Promise<boolean>; readonly end: AbortController } | undefined;

  /**
   * @param lost another tab took it over: all that stands on it has to be closed now
   * @param spare whether it may go to a tab that only asks for it
   */
  constructor(lost: () => void, spare: () => boolean = () => false) {
    this.#lost = lost;
    this.#spare = spare;
  }

  /** Takes it if nobody has it. */
  take(): Promise<boolean> {
    return this.#request({ ifAvailable: true });
  }

  /** Waits until it is free, and takes it; `wanted` asks who can spare it. False where that came to nothing. */
  wait(how?: 'wanted'): Promise<boolean> {
    if (how) this.#listen().postMessage('wanted');
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

  /** Gives it to a tab that asked for it, where it can be spared. */
  lend(): void {
    if (this.#wanted && this.#spare()) this.#giveUp();
  }

  #giveUp(): void {
    this.#wanted = false;
    if (!this.#leave) return;
    this.#lost();
    this.leave();
  }

  /** Hears from now on when another tab wants it. */
  #listen(): BroadcastChannel {
    if (this.#channel) return this.#channel;
    this.#channel = new BroadcastChannel(ENGINE_LOCK);
    this.#channel.addEventListener('message', ({ data }: MessageEvent<'leave' | 'wanted'>) => {
      if (data === 'leave') return this.#giveUp();
      this.#wanted = this.#leave !== undefined;
      this.lend();
    });
    return this.#channel;
  }

  async #request(options: LockOptions): Promise<boolean> {
    if (this.#leave) return true;
    this.#listen();
    const locks = await webLocks();
    if (!locks) return true;
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
