/** How long to wait before asking again: as the server says, else twice as long each time. */

export interface Patience {
  /** Milliseconds before the second try; each later one takes twice as long. */
  readonly first: number;
  /** Milliseconds at most, but for servers that ask for more. */
  readonly most: number;
  /** Tries in a row, without a byte in between, before it is given up. */
  readonly tries: number;
  /** Milliseconds without a byte after which a connection counts as broken. */
  readonly silence: number;
}

/** A page waits for the network as long as it is open. */
export const ENDLESS: Patience = { first: 1000, most: 30_000, tries: Infinity, silence: 30_000 };

/** No server may make us wait for longer than an hour. */
const LONGEST = 3_600_000;

/**
 * @param failures in a row, this one included
 * @param asked milliseconds that the server asks for
 * @param random from 0 to 1: spreads those who were all cut off at once
 */
export function waitBefore(failures: number, patience: Patience, asked?: number, random = Math.random()): number {
  const longest = Math.min(patience.most, patience.first * 2 ** (failures - 1));
  const own = longest * (0.5 + random / 2);
  // A server that says «at once», over and over, or whose clock is slow, is not taken at its word.
  return Math.max(own, Math.min(asked ?? 0, LONGEST));
}

/** Milliseconds: Retry-After as seconds or as a date, or Hugging Face's own RateLimit (`"resolvers";r=0;t=55`). */
export function retryAfter(headers: Headers, now = Date.now()): number | undefined {
  const text = headers.get('retry-after')?.trim();
  if (text && /^\d+$/.test(text)) return Number(text) * 1000;
  const date = text ? Date.parse(text) : NaN;
  if (!Number.isNaN(date)) return Math.max(0, date - now);
  const [, left, seconds] = /;\s*r=(\d+)\s*;\s*t=(\d+)/.exec(headers.get('ratelimit') ?? '') ?? [];
  return left === '0' && seconds !== undefined ? Number(seconds) * 1000 : undefined;
}

/**
 * Resolves after so long, or at once, with true, when the network comes back (`hurry`); rejects with the signal's reason.
 */
export function wait(ms: number, signal: AbortSignal, hurry?: EventTarget): Promise<boolean> {
  return new Promise((done, failed) => {
    const end = (finish: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      hurry?.removeEventListener('online', online);
      finish();
    };
    const online = (): void => end(() => done(true));
    const abort = (): void => end(() => failed(signal.reason as Error));
    const timer = setTimeout(() => end(() => done(false)), ms);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort);
    hurry?.addEventListener('online', online);
  });
}
