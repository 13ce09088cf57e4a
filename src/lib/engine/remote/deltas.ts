/** A server's answer as it comes: server-sent events, or one JSON text where it does not stream. Nothing of it is trusted. */
import { createParser } from 'eventsource-parser';
import { EngineError } from '../engine-error';
import { isObject, type JsonObject } from '../api/fields';
import { brokenOff, failureOf, notTheFormat, readJson, toldError } from './ask';

/** What one event says. */
export interface Delta {
  readonly thought: string;
  readonly text: string;
  readonly calls: readonly CallDelta[];
  readonly finish?: string;
  readonly usage?: RemoteUsage;
}

/** A part of a tool's call; its name comes first. */
export interface CallDelta {
  readonly index: number;
  readonly name: string;
  readonly arguments: string;
}

export interface RemoteUsage {
  readonly prompt: number;
  readonly cached: number;
  readonly answer: number;
}

/** Letters of one event. */
const LONGEST_EVENT = 2 ** 20;

/** Throws an EngineError, or, stopped by `signal`, its reason. Leaving the loop early ends the connection. */
export async function* deltasOf(
  response: Response,
  host: string,
  signal: AbortSignal,
): AsyncGenerator<Delta, void, undefined> {
  const type = response.headers.get('content-type') ?? '';
  if (/^text\/event-stream/i.test(type)) return yield* streamed(response, host, signal);
  if (!/^application\/json/i.test(type)) throw notTheFormat(host);
  yield deltaOf(await readJson(response, host, signal), host);
}

async function* streamed(
  response: Response,
  host: string,
  signal: AbortSignal,
): AsyncGenerator<Delta, void, undefined> {
  const ready: string[] = [];
  let tooLong = false;
  const parser = createParser({
    maxBufferSize: LONGEST_EVENT,
    onEvent: ({ data }) => void ready.push(data),
    onError: ({ type }) => void (tooLong ||= type === 'max-buffer-size-exceeded'),
  });
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  let finished = false;
  try {
    for (;;) {
      const step = await read(reader, host, signal);
      if (step) parser.feed(decoder.decode(step, { stream: true }));
      for (const data of ready.splice(0)) {
        if (data === '[DONE]') return;
        const delta = deltaOf(parsed(data, host), host);
        finished ||= delta.finish !== undefined;
        yield delta;
      }
      if (tooLong) throw notTheFormat(host);
      if (step) continue;
      if (finished) return;
      throw brokenOff(host);
    }
  } finally {
    reader?.cancel().catch(() => undefined);
  }
}

/** The next bytes; undefined at the end. */
async function read(
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined,
  host: string,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  try {
    return (await reader?.read())?.value;
  } catch (error) {
    signal.throwIfAborted();
    throw brokenOff(host, error);
  }
}

function parsed(data: string, host: string): unknown {
  try {
    return JSON.parse(data) as unknown;
  } catch {
    throw notTheFormat(host);
  }
}

/** Of a chunk of a stream, or of a whole answer. */
function deltaOf(value: unknown, host: string): Delta {
  const told = toldError(value);
  if (told) throw new EngineError(failureOf(500, told.message, told.code, host));
  if (!isObject(value) || !Array.isArray(value.choices)) throw notTheFormat(host);
  const choice: unknown = value.choices[0];
  const { delta, message, finish_reason: finish } = isObject(choice) ? choice : {};
  const said = isObject(delta) ? delta : isObject(message) ? message : {};
  const calls: readonly unknown[] = Array.isArray(said.tool_calls) ? said.tool_calls : [];
  const usage = usageOf(value.usage);
  return {
    thought: textOf(said.reasoning_content) || textOf(said.reasoning),
    text: textOf(said.content),
    calls: calls.flatMap(callOf),
    ...(typeof finish === 'string' && { finish }),
    ...(usage && { usage }),
  };
}

function callOf(value: unknown, place: number): CallDelta[] {
  if (!isObject(value) || !isObject(value.function)) return [];
  const { index } = value;
  const { name, arguments: given } = value.function;
  return [{ index: typeof index === 'number' ? index : place, name: textOf(name), arguments: textOf(given) }];
}

function usageOf(value: unknown): RemoteUsage | undefined {
  if (!isObject(value)) return undefined;
  const details = isObject(value.prompt_tokens_details) ? value.prompt_tokens_details : {};
  return {
    prompt: countOf(value, 'prompt_tokens'),
    cached: countOf(details, 'cached_tokens'),
    answer: countOf(value, 'completion_tokens'),
  };
}

function countOf(object: JsonObject, name: string): number {
  const value = object[name];
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
