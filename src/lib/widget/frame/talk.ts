/** What a widget adds to an answer: what the page wants said and knows, and the page's tools. */
import { TOOL_FORMATS, ToolCallParser, type AnswerEvent, type ChatCall } from '$lib/engine/client';
import type { AnswerEnd, ChatMessage, GenerateProgress, LoadedModel, Timings } from '$lib/engine/protocol';
import { sumTimings, type Talker } from '$lib/chat/state/answerer.svelte';
import type { ToolSpec } from '../protocol';

export interface Call {
  readonly id: string;
  readonly name: string;
  /** JSON text, as far as the model wrote such. */
  readonly args: string;
}

/** Carries a call out, with the visitor's leave; resolves with what the model is to read, whatever happened. */
export type CallTool = (call: Call, signal: AbortSignal | undefined) => Promise<string>;

/** Times that an answer may go on after calls. */
const MOST_ROUNDS = 4;

type Ask = Extract<ChatCall, { readonly messages: readonly ChatMessage[] }>;

/** Puts a text in front of everything else that the model is told. */
export function withSystem(talker: Talker, system: string): Talker {
  if (system === '') return talker;
  const told = <A extends object>(ask: A): A =>
    hasMessages(ask) ? { ...ask, messages: withFirst(ask.messages, system) } : ask;
  return {
    count: (ask) => talker.count(told(ask)),
    generate: (ask, ...rest) => talker.generate(told(ask), ...rest),
  };
}

/** Lets the model call tools: what they give is told to it, and it goes on. The calls are not part of the answer's text. */
export function withTools(
  talker: Talker,
  model: LoadedModel | undefined,
  specs: readonly ToolSpec[],
  run: CallTool,
): Talker {
  const format = model?.toolFormat && TOOL_FORMATS[model.toolFormat];
  if (!format || specs.length === 0) return talker;
  const names = specs.map(({ name }) => name);
  const tools = specs.map((tool) => ({ type: 'function', function: tool }) as const);

  /** Until the model ends, or calls. */
  const round = async (
    ask: Ask,
    onProgress: (progress: GenerateProgress) => void,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly end: AnswerEnd; readonly said: string; readonly calls: readonly Call[] }> => {
    const parser = new ToolCallParser(format, names);
    const reading = new Reading();
    const end = await talker.generate(
      { ...ask, tools },
      (progress) => {
        if (progress.type !== 'text') return onProgress(progress);
        const text = reading.take(parser.push(progress.text));
        if (text !== '') onProgress({ type: 'text', text, tokens: progress.tokens });
      },
      signal,
    );
    const rest = reading.take(parser.finish());
    if (rest !== '') onProgress({ type: 'text', text: rest, tokens: [] });
    return { end, said: reading.said, calls: reading.calls };
  };

  return {
    count: (ask) => talker.count(hasMessages(ask) ? { ...ask, tools } : ask),
    async generate(ask, onProgress = () => undefined, signal) {
      // What broke off goes on as text.
      if (!hasMessages(ask) || ask.continues) return talker.generate(ask, onProgress, signal);
      let messages: readonly ChatMessage[] = ask.messages;
      let before: Timings | undefined;
      for (let left = MOST_ROUNDS; ; left--) {
        const { end, said, calls } = await round({ ...ask, messages }, onProgress, signal);
        const timings = before ? sumTimings(before, end.timings) : end.timings;
        if (calls.length === 0 || left === 0 || end.reason === 'aborted') return { ...end, timings };
        before = timings;
        const results: ChatMessage[] = [];
        for (const call of calls) {
          results.push({ role: 'tool', tool_call_id: call.id, name: call.name, content: await run(call, signal) });
        }
        if (signal?.aborted) return { reason: 'aborted', timings };
        messages = [...messages, calling(said, calls), ...results];
      }
    },
  };
}

/** What an answer's events come to. */
class Reading {
  said = '';
  readonly calls: { id: string; name: string; args: string }[] = [];

  /** Returns the text among them. */
  take(events: readonly AnswerEvent[]): string {
    let text = '';
    for (const event of events) {
      if (event.type === 'text') text += event.text;
      else if (event.type === 'call') this.calls[event.index] = { id: event.id, name: event.name, args: '' };
      else this.calls[event.index]!.args += event.text;
    }
    this.said += text;
    return text;
  }
}

function calling(said: string, calls: readonly Call[]): ChatMessage {
  return {
    role: 'assistant',
    content: said === '' ? null : said,
    tool_calls: calls.map(({ id, name, args }) => ({ id, type: 'function', function: { name, arguments: args } })),
  };
}

function hasMessages(ask: object): ask is Ask {
  return 'messages' in ask;
}

function withFirst(messages: readonly ChatMessage[], system: string): ChatMessage[] {
  const [first, ...rest] = messages;
  if (first?.role !== 'system') return [{ role: 'system', content: system }, ...messages];
  return [{ role: 'system', content: `${system}\n\n${first.content as string}` }, ...rest];
}
