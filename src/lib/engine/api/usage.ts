/** How many tokens a request took, and why its answers ended, in OpenAI's words. */
import type { AnswerEnd } from '../protocol';
import { unavailable } from './errors';

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  /** Tokens of the prompt that were computed for an earlier request. */
  readonly prompt_tokens_details: { readonly cached_tokens: number };
}

export type FinishReason = 'stop' | 'length' | 'tool_calls';

/** Of all answers of a request: the prompt counts once for each different one. */
export class UsageSum {
  #prompt = 0;
  #cached = 0;
  #answer = 0;

  /** @param again another answer to a prompt that was counted */
  add({ timings }: AnswerEnd, again: boolean): void {
    const { prefill, tokens } = timings;
    this.#answer += tokens;
    if (again) return;
    this.#prompt += prefill.tokens + prefill.reused;
    this.#cached += prefill.reused;
  }

  get total(): Usage {
    return {
      prompt_tokens: this.#prompt,
      completion_tokens: this.#answer,
      total_tokens: this.#prompt + this.#answer,
      prompt_tokens_details: { cached_tokens: this.#cached },
    };
  }
}

/** @param enough it was we who ended it, having what was asked for */
export function finishReason({ reason }: AnswerEnd, { calls = 0, enough = false } = {}): FinishReason {
  if (reason === 'aborted' && !enough)
    throw unavailable('The engine was stopped in the middle of the answer.', 'aborted');
  if (reason === 'length' || reason === 'context') return 'length';
  return calls > 0 ? 'tool_calls' : 'stop';
}
