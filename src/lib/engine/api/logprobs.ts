/**
 * Log-probabilities as OpenAI tells them, for the tokens of the text that was told: text may be held back, since it may
 * become a stop string, and then so are its tokens; what is cut off with a stop string they were part of.
 */
import type { AnswerPiece, GeneratedToken } from '../protocol';

/** A token by what it reads as. `bytes`: a token may be a part of a character. */
export interface TokenLogprob {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
}

export interface ContentLogprob extends TokenLogprob {
  readonly top_logprobs: readonly TokenLogprob[];
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();
/** What OpenAI says of tokens that could not be drawn: JSON has no -Infinity. */
const LOWEST = -9999;

export class LogprobLine {
  #held: { readonly told: ContentLogprob; readonly end: number }[] = [];
  /** Bytes of all tokens, and of the text that went out. */
  #bytes = 0;
  #text = 0;

  /** Tokens whose text is out with this piece. */
  push({ text, tokens, spelling = new Map() }: AnswerPiece): ContentLogprob[] {
    this.#text += encoder.encode(text).length;
    for (const token of tokens) {
      const told = contentLogprob(token, spelling);
      this.#bytes += told.bytes.length;
      this.#held.push({ told, end: this.#bytes });
    }
    const out = this.#held.filter(({ end }) => end <= this.#text);
    this.#held = this.#held.slice(out.length);
    return out.map(({ told }) => told);
  }

  /** @param cut a stop string ended the answer: what is still held belongs to it */
  finish(cut: boolean): ContentLogprob[] {
    const rest = cut ? [] : this.#held.map(({ told }) => told);
    this.#held = [];
    return rest;
  }
}

function contentLogprob(
  { id, logprob = LOWEST, top = [] }: GeneratedToken,
  spelling: ReadonlyMap<number, Uint8Array>,
): ContentLogprob {
  return {
    ...tokenLogprob(spelling.get(id), logprob),
    top_logprobs: top.map(([other, value]) => tokenLogprob(spelling.get(other), value)),
  };
}

function tokenLogprob(bytes: Uint8Array = new Uint8Array(), logprob: number): TokenLogprob {
  return { token: decoder.decode(bytes), logprob: Math.max(logprob, LOWEST), bytes: Array.from(bytes) };
}
