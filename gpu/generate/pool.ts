/**
 * Several conversations with one model. Each session keeps the KV cache of one; a request goes to the session that shares
 * most with it from the start, whatever was answered in between, so that only what is new is computed.
 *
 * Where a request leaves the way of the nearest session (another conversation, a branch), a session of its own begins
 * with a copy of what they share, as long as the memory budget has room; then with that of the least recently used.
 */
import { ArgumentError, LimitError } from '../device';
import { capacityFor } from '../model';
import type { Model } from '../model';
import type { GeneratedToken, GenerateOptions, GenerationEnd } from './options';
import { Pace } from './pace';
import { Session } from './session';

export interface SessionPoolOptions {
  /**
   * Bytes of all KV caches together; default: those of one sequence as long as the context, which a single conversation
   * may come to take anyway. A smaller one shortens the context.
   */
  readonly memoryBudget?: number;
}

/** Tokens that are computed again rather than kept in a session of their own. */
const FEW = 64;

export class SessionPool {
  /** Longest sequence that the budget has room for, prompt and answer together. */
  readonly context: number;
  readonly #model: Model;
  readonly #pace: Pace;
  readonly #budget: number;
  /** Least recently used first. */
  #sessions: Session[] = [];

  /** Throws an ArgumentError for a budget that has no room for two tokens. */
  constructor(model: Model, { memoryBudget }: SessionPoolOptions = {}) {
    this.#model = model;
    this.#pace = new Pace(model.gpu);
    this.#budget = memoryBudget ?? model.cacheBytes(model.context);
    this.context = longestWithin(model, this.#budget);
    if (this.context < 2)
      throw new ArgumentError('memoryBudget', `${memoryBudget} bytes`, `at least ${model.cacheBytes(2)}: two tokens`);
  }

  /** Sessions that are kept. */
  get size(): number {
    return this.#sessions.length;
  }

  /** Bytes of all KV caches. */
  get bytes(): number {
    return this.#sessions.reduce((sum, { cacheBytes }) => sum + cacheBytes, 0);
  }

  /** Compiles what remains, so that the first token does not wait for it. */
  async ready(): Promise<void> {
    await this.#open().ready();
  }

  /** As `Session.generate`; several may run at once, as far as the budget has room. */
  async *generate(
    ids: readonly number[],
    options: GenerateOptions = {},
  ): AsyncGenerator<GeneratedToken, GenerationEnd, undefined> {
    const session = this.#sessionFor(ids);
    this.#touch(session);
    return yield* session.generate(ids, options);
  }

  destroy(): void {
    for (const session of this.#sessions) session.destroy();
    this.#sessions = [];
  }

  // ---- which session -------------------------------------------------------------------------------------------

  #sessionFor(ids: readonly number[]): Session {
    const [nearest, shared] = this.#nearest(ids);
    if (!nearest) return this.#open();
    const lost = nearest.tokens.length - shared;
    if (!nearest.busy && lost <= FEW) return nearest;
    const wanted = this.#model.cacheBytes(capacityFor(ids.length, undefined, this.context));
    if (this.bytes + wanted <= this.#budget) return this.#branch(this.#open(), nearest, shared);
    const tight = nearest.cacheBytes + wanted > this.#budget;
    // The same conversation, going on differently: no other one is given up for what it said before.
    if (!nearest.busy && (tight || 2 * shared >= nearest.tokens.length)) return nearest;
    const oldest = this.#sessions.find(({ busy }) => !busy);
    if (!oldest) throw this.#noRoom(wanted);
    return oldest === nearest ? nearest : this.#branch(oldest, nearest, shared);
  }

  /** The session that can reuse most of `ids` from the start, and how much; of equals the one that loses least. */
  #nearest(ids: readonly number[]): [Session | undefined, number] {
    let [nearest, most]: [Session | undefined, number] = [undefined, -1];
    for (const session of this.#sessions) {
      const shared = session.reusable(ids);
      const better = shared > most || (shared === most && session.tokens.length <= nearest!.tokens.length);
      if (better) [nearest, most] = [session, shared];
    }
    return [nearest, most];
  }

  #branch(session: Session, from: Session, shared: number): Session {
    // The last to be given up for the room that it takes.
    this.#touch(from);
    if (shared > 0) session.branch(from, shared);
    return session;
  }

  #touch(session: Session): void {
    this.#sessions = [...this.#sessions.filter((other) => other !== session), session];
  }

  #open(): Session {
    const session: Session = new Session(this.#model, {
      context: this.context,
      pace: this.#pace,
      makeRoom: (bytes) => this.#makeRoom(session, bytes),
    });
    this.#sessions.push(session);
    return session;
  }

  /** Gives up idle sessions, least recently used first, until one may take so many more bytes. */
  #makeRoom(taker: Session, bytes: number): void {
    while (this.bytes + bytes > this.#budget) {
      const oldest = this.#sessions.find((session) => session !== taker && !session.busy);
      if (!oldest) throw this.#noRoom(bytes);
      this.#sessions = this.#sessions.filter((session) => session !== oldest);
      oldest.destroy();
    }
  }

  #noRoom(bytes: number): LimitError {
    return new LimitError(
      'memoryBudget',
      this.bytes + bytes,
      this.#budget,
      'the KV caches of several answers at a time',
    );
  }
}

/** Positions whose cache takes no more than so many bytes; at most the model's context. */
function longestWithin(model: Model, bytes: number): number {
  if (!(bytes >= model.cacheBytes(1))) return 0;
  let [least, most] = [1, model.context];
  while (least < most) {
    const middle = Math.ceil((least + most) / 2);
    if (model.cacheBytes(middle) <= bytes) least = middle;
    else most = middle - 1;
  }
  return least;
}
