/** Tokens a second, as a conversation has them: from ids in to ids out. */
import type { Session } from '$gpu/generate';

export interface PrefillFigures {
  readonly tokens: number;
  /** Until the first token is there. */
  readonly ms: number;
  readonly tokensPerSecond: number;
}

export interface DecodeFigures {
  /** Tokens in the cache when decoding began. */
  readonly context: number;
  readonly tokens: number;
  readonly msPerToken: number;
  readonly tokensPerSecond: number;
}

/** The least of `rounds`, each with another prompt, so that nothing of it is in the cache. */
export async function timePrefill(
  session: Session,
  vocab: number,
  tokens: number,
  rounds: number,
): Promise<PrefillFigures> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    times.push((await runThrough(session, promptOf(vocab, tokens, round), 1)).prefill.ms);
  }
  const ms = Math.min(...times);
  return { tokens, ms, tokensPerSecond: (tokens / ms) * 1000 };
}

/** One round behind a prompt that stays in the cache. */
export async function timeDecode(
  session: Session,
  vocab: number,
  context: number,
  tokens: number,
): Promise<DecodeFigures> {
  const { decode } = await runThrough(session, promptOf(vocab, context, 0), tokens + 1);
  const msPerToken = decode.ms / decode.tokens;
  return { context, tokens, msPerToken, tokensPerSecond: 1000 / msPerToken };
}

async function runThrough(session: Session, ids: readonly number[], maxTokens: number) {
  const answer = session.generate(ids, { maxTokens });
  for (;;) {
    const { done, value } = await answer.next();
    if (done) return value;
  }
}

function promptOf(vocab: number, tokens: number, round: number): number[] {
  return Array.from({ length: tokens }, (_, n) => (7 + round * 131 + n * 17) % vocab);
}
