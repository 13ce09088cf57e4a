/** Answers to `/v1/chat/completions`: in parts, as they come, or whole. */
import { answer, type Asker } from './answers';
import type { ChatCompletion } from './chat-request';
import { LogprobLine, type ContentLogprob } from './logprobs';
import { samplingOf } from './sampling';
import { ToolCallParser, type AnswerEvent } from './tool-calls';
import { finishReason, UsageSum, type FinishReason } from './usage';

interface CallPart {
  readonly index: number;
  readonly id?: string;
  readonly type?: 'function';
  readonly function: { readonly name?: string; readonly arguments: string };
}

interface Delta {
  readonly role?: 'assistant';
  readonly content?: string | null;
  readonly tool_calls?: readonly CallPart[];
}

interface Part {
  readonly index: number;
  readonly delta: Delta;
  readonly logprobs: readonly ContentLogprob[];
  readonly finish: FinishReason | null;
}

/** What comes before each answer's first word, and with the request's last: the sums. */
type Step = { readonly part: Part } | 'started';

async function* choices(asker: Asker, chat: ChatCompletion, usage: UsageSum): AsyncGenerator<Step, void, undefined> {
  for (let index = 0; index < chat.n; index++) yield* choice(asker, chat, index, usage);
}

async function* choice(
  asker: Asker,
  chat: ChatCompletion,
  index: number,
  usage: UsageSum,
): AsyncGenerator<Step, void, undefined> {
  const { tools } = chat;
  const parser =
    tools &&
    new ToolCallParser(
      tools.format,
      tools.list.map((tool) => tool.function.name),
    );
  const line = chat.logprobs === undefined ? undefined : new LogprobLine();
  const enough = new AbortController();
  const part = (delta: Delta, logprobs: readonly ContentLogprob[] = []): Step => ({
    part: { index, delta, logprobs, finish: null },
  });
  for await (const step of answer(asker, requestOf(chat, index), enough.signal)) {
    if (step.type === 'started') {
      yield 'started';
      yield part({ role: 'assistant', content: '' });
    } else if (step.type === 'text') {
      const logprobs = line?.push(step) ?? [];
      const events = parser ? parser.push(step.text) : textEvents(step.text);
      const wanted = events.filter((event) => tools?.parallel !== false || event.type === 'text' || event.index === 0);
      if (wanted.length < events.length) enough.abort();
      const deltas = wanted.map(deltaOf);
      if (deltas.length === 0 && logprobs.length > 0) deltas.push({ content: '' });
      for (const [i, delta] of deltas.entries()) yield part(delta, i === 0 ? logprobs : []);
    } else {
      const { end } = step;
      usage.add(end, index > 0);
      for (const event of enough.signal.aborted ? [] : (parser?.finish() ?? [])) yield part(deltaOf(event));
      const rest = line?.finish(end.reason === 'stop') ?? [];
      const finish = finishReason(end, { calls: parser?.count ?? 0, enough: enough.signal.aborted });
      yield { part: { index, delta: {}, logprobs: rest, finish } };
    }
  }
}

function requestOf(
  { messages, continues, tools, sampling, maxTokens, stop, logprobs, grammar }: ChatCompletion,
  index: number,
) {
  return {
    messages,
    ...(continues && { continues }),
    ...(tools && { tools: tools.list }),
    sampling: samplingOf(sampling, index),
    stop,
    ...(maxTokens !== undefined && { maxTokens }),
    ...(logprobs !== undefined && { logprobs }),
    ...(grammar !== undefined && { grammar }),
  };
}

function textEvents(text: string): AnswerEvent[] {
  return text === '' ? [] : [{ type: 'text', text }];
}

function deltaOf(event: AnswerEvent): Delta {
  if (event.type === 'text') return { content: event.text };
  const { index } = event;
  if (event.type === 'arguments') return { tool_calls: [{ index, function: { arguments: event.text } }] };
  const { id, name } = event;
  return { tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] };
}

// ---- on the wire -----------------------------------------------------------------------------------------------

function head(chat: ChatCompletion, object: string) {
  return {
    id: `chatcmpl-${crypto.randomUUID()}`,
    object,
    created: Math.floor(Date.now() / 1000),
    model: chat.model,
  };
}

/** The chunks of a stream, as objects. The first comes when it is certain that there will be an answer. */
export async function* chatChunks(asker: Asker, chat: ChatCompletion): AsyncGenerator<object, void, undefined> {
  const usage = new UsageSum();
  const common = { ...head(chat, 'chat.completion.chunk'), ...(chat.includeUsage && { usage: null }) };
  for await (const step of choices(asker, chat, usage)) {
    if (step === 'started') continue;
    const { index, delta, logprobs, finish } = step.part;
    const told = logprobs.length > 0 ? { content: logprobs, refusal: null } : null;
    yield { ...common, choices: [{ index, delta, logprobs: told, finish_reason: finish }] };
  }
  if (chat.includeUsage) yield { ...common, choices: [], usage: usage.total };
}

interface Collected {
  content: string;
  readonly calls: { id: string; type: 'function'; function: { name: string; arguments: string } }[];
  readonly logprobs: ContentLogprob[];
  finish: FinishReason | null;
}

/** The whole answer. `started` is called when it is certain that there will be one. */
export async function chatCompletion(asker: Asker, chat: ChatCompletion, started: () => void): Promise<object> {
  const usage = new UsageSum();
  const collected = Array.from({ length: chat.n }, (): Collected => ({
    content: '',
    calls: [],
    logprobs: [],
    finish: null,
  }));
  for await (const step of choices(asker, chat, usage)) {
    if (step === 'started') started();
    else collect(collected[step.part.index]!, step.part);
  }
  const told = collected.map(({ content, calls, logprobs, finish }, index) => ({
    index,
    message: {
      role: 'assistant',
      content: content === '' && calls.length > 0 ? null : content,
      refusal: null,
      ...(calls.length > 0 && { tool_calls: calls }),
    },
    logprobs: chat.logprobs === undefined ? null : { content: logprobs, refusal: null },
    finish_reason: finish,
  }));
  return { ...head(chat, 'chat.completion'), choices: told, usage: usage.total };
}

function collect(into: Collected, { delta, logprobs, finish }: Part): void {
  into.content += delta.content ?? '';
  into.logprobs.push(...logprobs);
  into.finish = finish;
  for (const { id, function: called } of delta.tool_calls ?? []) {
    if (id !== undefined)
      into.calls.push({ id, type: 'function', function: { name: called.name ?? '', arguments: '' } });
    into.calls.at(-1)!.function.arguments += called.arguments;
  }
}
