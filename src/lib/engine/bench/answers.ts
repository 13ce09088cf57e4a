/** How fast the open model reads and writes, as a conversation has it: from a prompt in to words out, on either path. */
import type { ChatModel } from '../chat-model';
import type { Timings } from '../protocol';
import type { AnswerFigures } from './figures';
import { summarize } from './statistics';

const TASK = 'Go on with this story, at length, and in your own words. ';
/** A few dozen tokens, whatever the tokenizer. */
const PASSAGE =
  'The fire had burned low, and the room was quiet but for the rain. She put another log on, sat down, and went on with ' +
  'the story where she had left it: the ship had passed the cape at night, and nobody on board had seen the light. ';

const SHORTEST = 48;
const LONGEST = 512;
/** Milliseconds that a prompt should take to read. */
const READING_MS = 600;
/** Most and fewest tokens of each answer, besides the first. */
const WRITTEN = 32;
const FEWEST_WRITTEN = 4;
/** Milliseconds that an answer should take to write. */
const WRITING_MS = 2500;

const FEWEST_ROUNDS = 3;
const MOST_ROUNDS = 9;
/** Milliseconds that more than the fewest rounds may take together. */
const PATIENCE = 3000;
/** Milliseconds after which one round has to do. */
const MOST_PATIENCE = 8000;

/** `tell`: how much is done, from 0 to 1. */
export async function timeAnswers(model: ChatModel, tell: (done: number) => void): Promise<AnswerFigures> {
  // What is compiled or loaded with the first answer is no part of the figures.
  const warm = await answerTo(model, 0, SHORTEST, 8);
  const pace = warm.prefill.tokens / warm.prefill.ms;
  const tokens = Math.min(LONGEST, Math.floor(model.context / 2), Math.max(SHORTEST, pace * READING_MS));
  const perToken = warm.decode.ms / Math.max(1, warm.decode.tokens);
  const written = Math.min(WRITTEN, Math.max(FEWEST_WRITTEN, Math.floor(WRITING_MS / perToken)));
  const rounds: Timings[] = [];
  const start = performance.now();
  while (rounds.length < MOST_ROUNDS) {
    rounds.push(await answerTo(model, rounds.length + 1, tokens, written + 1));
    tell(Math.min(1, rounds.length / FEWEST_ROUNDS));
    const spent = performance.now() - start;
    if (spent > (rounds.length < FEWEST_ROUNDS ? MOST_PATIENCE : PATIENCE)) break;
  }
  const spoken = rounds.filter(({ decode }) => decode.tokens > 0);
  return {
    promptTokens: Math.round(rounds.reduce((sum, { prefill }) => sum + prefill.tokens, 0) / rounds.length),
    prefill: summarize(rounds.map(({ prefill }) => (prefill.tokens / prefill.ms) * 1000)),
    // A model may have nothing to say to this.
    ...(spoken.length > 0 && {
      decode: summarize(spoken.map(({ decode }) => (decode.tokens / decode.ms) * 1000)),
    }),
  };
}

/** Every round begins with another word, so that next to nothing of its prompt is in the cache. */
async function answerTo(model: ChatModel, round: number, tokens: number, maxTokens: number): Promise<Timings> {
  const each = model.textPrompt(PASSAGE).ids.length;
  const text = `${round}. ${TASK}${PASSAGE.repeat(Math.max(1, Math.round(tokens / each)))}`;
  const prompt = model.isChat ? model.chatPrompt([{ role: 'user', content: text }]) : model.textPrompt(text);
  const answer = model.answer(prompt, { maxTokens, sampling: { temperature: 0 } });
  for (;;) {
    const { done, value } = await answer.next();
    if (done) return value.timings;
  }
}
