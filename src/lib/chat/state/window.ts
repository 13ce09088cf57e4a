/**
 * The part of a conversation that the model is given. What no longer fits leaves the window, oldest first and a good
 * piece at a time: each shift makes the model read all again, so there are to be few.
 */
import type { ChatMessage } from '$lib/engine/protocol';
import { withFiles } from '$lib/conversations/files';
import type { Message } from '$lib/conversations/records';
import { partsOf } from '../thinking';

/** What is left free for the answer, as a part of the context, and at most so many tokens. */
const FREE = 0.25;
const MOST_FREE = 512;
/** As full as the window is after a shift. */
const AFTER_SHIFT = 0.6;

export interface Prompt {
  readonly messages: ChatMessage[];
  /** The first message of the conversation that is in it. */
  readonly from: string;
  /** The last message is an answer to go on with. */
  readonly continues: boolean;
}

/**
 * @param path the conversation, up to a question, or to an answer that is to be continued; not empty
 * @param count tokens of a prompt
 * @param context tokens that the model holds, its answer included
 */
export async function fit(
  path: readonly Message[],
  system: string,
  context: number,
  count: (prompt: Prompt) => Promise<number>,
): Promise<Prompt> {
  const prompts = startsOf(path).map((start) => promptFrom(path, start, system));
  const free = Math.min(MOST_FREE, Math.floor(context * FREE));
  const first = prompts[0]!;
  if ((await count(first)) + free <= context) return first;
  // The earliest start that leaves the window as empty as it should be; the last question goes in whatever it takes.
  let [low, high] = [1, prompts.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((await count(prompts[middle]!)) <= context * AFTER_SHIFT) high = middle;
    else low = middle + 1;
  }
  return prompts[Math.min(low, prompts.length - 1)]!;
}

/** Questions that a window may begin with: not before the one that it begins with already. */
function startsOf(path: readonly Message[]): number[] {
  const shifted = path.findLast(({ from }) => from !== undefined)?.from;
  const least = Math.max(
    0,
    path.findIndex(({ id }) => id === shifted),
  );
  return path.flatMap(({ role }, i) => (role === 'user' && i >= least ? [i] : []));
}

function promptFrom(path: readonly Message[], start: number, system: string): Prompt {
  const told = path.slice(start);
  const continues = told.at(-1)!.role === 'assistant';
  const messages = told.flatMap((message, i) => chatMessage(message, continues && i === told.length - 1));
  return {
    messages: system.trim() === '' ? messages : [{ role: 'system', content: system }, ...messages],
    from: path[start]!.id,
    continues,
  };
}

/** Earlier thoughts go apart, for templates that want them; an answer that is continued goes as it was written. */
function chatMessage(message: Message, continued: boolean): ChatMessage[] {
  const { role, text } = message;
  if (role === 'user') return [{ role, content: withFiles(message) }];
  if (continued) return [{ role, content: text }];
  const { thought, answer } = partsOf(text);
  // An answer of which there is nothing is left out.
  if (answer.trim() === '') return [];
  if (thought === undefined) return [{ role, content: text }];
  return [{ role, content: answer, reasoning_content: thought }];
}
