/**
 * `fireside generate`: goes on with a text, or answers a question, as it comes; or tells all of it as JSON.
 */
import { parseArgs } from 'node:util';
import type { ChatModel } from '$lib/engine/chat-model';
import type { Prompt } from '$lib/engine/runner';
import type { AnswerEnd, AnswerPiece, Sampling } from '$lib/engine/protocol';
import type { TopTokens } from '$gpu/generate';
import { MAX_TOP } from '$gpu/generate/shape';
import type { ChatMessage } from '$lib/text';
import { UsageError, type Command } from '../command';
import { INTERRUPTED, withModel } from '../model/open';
import {
  idList,
  MODEL_OPTIONS,
  MODEL_USAGE,
  modelChoice,
  SAMPLING_OPTIONS,
  SAMPLING_USAGE,
  samplingFrom,
  wholeNumber,
  type ModelChoice,
} from '../model/options';

const text = { type: 'string' } as const;
const flag = { type: 'boolean', default: false } as const;

const OPTIONS = {
  ...MODEL_OPTIONS,
  prompt: text,
  chat: flag,
  system: text,
  ids: text,
  'max-tokens': text,
  stop: { type: 'string', multiple: true },
  logprobs: text,
  json: flag,
  ...SAMPLING_OPTIONS,
} as const;

export const generate: Command = {
  summary: 'Go on with a text, or answer a question',
  usage: `--model MODEL (--prompt TEXT | --chat --prompt TEXT | --ids 1,85,...) [options]

${MODEL_USAGE}
  --prompt TEXT           what to go on with; control tokens spelt out in it count
  --chat                  the prompt is what a person says: the model answers it
  --system TEXT           what the model is told before (with --chat)
  --ids 1,85,...          token ids instead of a text
  --max-tokens N          default: until the model ends, or its context is full
  --stop TEXT             ends the answer, and is not part of it; may be given several times
${SAMPLING_USAGE}
  --json                  one object in the end: ids, text, logprobs, timings, reason
  --logprobs N            with --json: of every token the N likeliest in its place too, as top_logprobs`,

  async run(args) {
    const request = readRequest(args);
    return withModel(request.choice, async ({ model }, signal) => {
      const answer = model.answer(promptOf(model, request.prompt), {
        sampling: request.sampling,
        stop: request.stop,
        signal,
        ...(request.maxTokens !== undefined && { maxTokens: request.maxTokens }),
        ...(request.json && { logprobs: request.logprobs ?? 0 }),
      });
      const end = await (request.json ? tellAll(answer) : stream(answer));
      return end.reason === 'aborted' ? INTERRUPTED : 0;
    });
  },
};

type Asked =
  | { readonly kind: 'ids'; readonly ids: readonly number[] }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'chat'; readonly messages: readonly ChatMessage[] };

interface Request {
  readonly choice: ModelChoice;
  readonly prompt: Asked;
  readonly sampling: Sampling;
  readonly stop: readonly string[];
  readonly maxTokens: number | undefined;
  readonly json: boolean;
  /** How many of the likeliest tokens to tell of. */
  readonly logprobs: number | undefined;
}

export function readRequest(args: string[]): Request {
  const { values } = parseArgs({ args, options: OPTIONS });
  const stop = values.stop ?? [];
  if (stop.includes('')) throw new UsageError('--stop wants a text');
  const logprobs = wholeNumber(values, 'logprobs', 1, MAX_TOP);
  if (logprobs !== undefined && !values.json) throw new UsageError('--logprobs goes with --json');
  return {
    choice: modelChoice(values, 2),
    prompt: asked(values),
    sampling: samplingFrom(values),
    stop,
    maxTokens: wholeNumber(values, 'max-tokens', 1),
    json: values.json,
    logprobs,
  };
}

interface PromptValues {
  readonly prompt?: string | undefined;
  readonly ids?: string | undefined;
  readonly system?: string | undefined;
  readonly chat: boolean;
}

function asked({ prompt, ids, system, chat }: PromptValues): Asked {
  if ((prompt === undefined) === (ids === undefined)) throw new UsageError('either --prompt or --ids is needed');
  if (system !== undefined && !chat) throw new UsageError('--system goes with --chat');
  if (chat && prompt === undefined) throw new UsageError('--chat goes with --prompt');
  if (ids !== undefined) return { kind: 'ids', ids: idList(ids) };
  if (!chat) return { kind: 'text', text: prompt! };
  const before = system === undefined ? [] : [{ role: 'system', content: system } as const];
  return { kind: 'chat', messages: [...before, { role: 'user', content: prompt! }] };
}

function promptOf(model: ChatModel, prompt: Asked): Prompt {
  if (prompt.kind === 'ids') return model.idPrompt(prompt.ids);
  return prompt.kind === 'text' ? model.textPrompt(prompt.text) : model.chatPrompt(prompt.messages);
}

type Answer = AsyncGenerator<AnswerPiece, AnswerEnd, undefined>;

async function stream(answer: Answer): Promise<AnswerEnd> {
  let step = await answer.next();
  for (; !step.done; step = await answer.next()) process.stdout.write(step.value.text);
  process.stdout.write('\n');
  const { tokens, decode, firstTokenMs } = step.value.timings;
  if (process.stderr.isTTY && firstTokenMs !== undefined) {
    const rate = decode.ms > 0 ? `, ${((decode.tokens * 1000) / decode.ms).toFixed(1)} tokens/s` : '';
    process.stderr.write(`${tokens} tokens${rate}, the first after ${Math.round(firstTokenMs)} ms\n`);
  }
  return step.value;
}

async function tellAll(answer: Answer): Promise<AnswerEnd> {
  const ids: number[] = [];
  const logprobs: (number | null)[] = [];
  const tops: TopTokens[] = [];
  let text = '';
  let step = await answer.next();
  for (; !step.done; step = await answer.next()) {
    text += step.value.text;
    for (const { id, logprob, top = [] } of step.value.tokens) {
      ids.push(id);
      logprobs.push(logprob ?? null);
      if (top.length > 0) tops.push(top);
    }
  }
  const { reason, timings } = step.value;
  const told = tops.length > 0 ? { top_logprobs: tops } : {};
  console.log(JSON.stringify({ ids, text, logprobs, ...told, timings, reason }));
  return step.value;
}
