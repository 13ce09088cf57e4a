/** What was said, as data. */
import type { AnswerEnd, ChatMessage, Failure } from '$lib/engine/protocol';

/** Somebody's words. */
export interface Turn {
  readonly role: 'user' | 'assistant';
  text: string;
  /** How the answer ended, once it has. */
  end?: AnswerEnd;
  /** Why it broke off. */
  failure?: Failure;
}

/** What the model is told of the conversation: an answer of which there is nothing is left out. */
export function messagesOf(turns: readonly Turn[]): ChatMessage[] {
  return turns
    .filter(({ role, text }) => role === 'user' || text.trim() !== '')
    .map(({ role, text }) => ({ role, content: text }));
}
