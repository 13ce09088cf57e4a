/** Answers to `/v1/completions`: in parts, as they come, or whole. */
import { answer, type Asker } from './answers';
import type { TextCompletion } from './completion-request';
import { LogprobLine, type ContentLogprob } from './logprobs';
import { samplingOf } from './sampling';
import { finishReason, UsageSum, type FinishReason } from './usage';

interface Part {
  readonly index: number;
  readonly text: string;
  readonly logprobs: readonly ContentLogprob[];
  readonly finish: FinishReason | null;
}

async function* parts(asker: Asker, asked: TextCompletion, usage: UsageSum): AsyncGenerator<Part, void, undefined> {
  const { prompts, n, sampling, maxTokens, stop, logprobs } = asked;
  const told = logprobs === undefined ? {} : { logprobs };
  for (let index = 0; index < prompts.length * n; index++) {
    const choice = index % n;
    const request = {
      ...prompts[Math.floor(index / n)]!,
      sampling: samplingOf(sampling, choice),
      maxTokens,
      stop,
      ...told,
    };
    const line = logprobs === undefined ? undefined : new LogprobLine();
    for await (const step of answer(asker, request)) {
      if (step.type === 'text') {
        const tokens = line?.push(step) ?? [];
        if (step.text !== '' || tokens.length > 0) yield { index, text: step.text, logprobs: tokens, finish: null };
      } else if (step.type === 'end') {
        usage.add(step.end, choice > 0);
        const rest = line?.finish(step.end.reason === 'stop') ?? [];
        yield { index, text: '', logprobs: rest, finish: finishReason(step.end) };
      }
    }
  }
}

function head(model: string) {
  return {
    id: `cmpl-${crypto.randomUUID()}`,
    object: 'text_completion',
    created: Math.floor(Date.now() / 1000),
    model,
  };
}

export async function* completionChunks(asker: Asker, asked: TextCompletion): AsyncGenerator<object, void, undefined> {
  const usage = new UsageSum();
  const common = { ...head(asked.model), ...(asked.includeUsage && { usage: null }) };
  for await (const { index, text, logprobs, finish } of parts(asker, asked, usage)) {
    const told = logprobs.length > 0 ? columns(logprobs) : null;
    yield { ...common, choices: [{ index, text, logprobs: told, finish_reason: finish }] };
  }
  if (asked.includeUsage) yield { ...common, choices: [], usage: usage.total };
}

/** The whole answer. `started` is called when it is certain that there will be one. */
export async function textCompletion(asker: Asker, asked: TextCompletion, started: () => void): Promise<object> {
  const usage = new UsageSum();
  const choices = Array.from({ length: asked.prompts.length * asked.n }, (_, index) => {
    return { index, text: '', tokens: [] as ContentLogprob[], finish: null as FinishReason | null };
  });
  for await (const { index, text, logprobs, finish } of parts(asker, asked, usage)) {
    started();
    const choice = choices[index]!;
    choice.text += text;
    choice.tokens.push(...logprobs);
    choice.finish = finish;
  }
  const told = choices.map(({ index, text, tokens, finish }) => {
    return { index, text, logprobs: asked.logprobs === undefined ? null : columns(tokens), finish_reason: finish };
  });
  return { ...head(asked.model), choices: told, usage: usage.total };
}

/** The older form of log-probabilities: a list for each property. */
function columns(tokens: readonly ContentLogprob[]) {
  return {
    tokens: tokens.map(({ token }) => token),
    token_logprobs: tokens.map(({ logprob }) => logprob),
    top_logprobs: tokens.map(({ top_logprobs: top }) =>
      Object.fromEntries(top.map(({ token, logprob }) => [token, logprob])),
    ),
  };
}
