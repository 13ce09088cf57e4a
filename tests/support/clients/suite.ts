/**
 * What three clients that nobody here wrote have to get through every door: listed, answered, streamed, stopped, tools,
 * JSON by a schema, errors. The same program under Node and in a page; the engine behind the door says what each
 * question tells it to (`script` in e2e/engine-double.ts).
 */
import { script } from '../../e2e/engine-double';
import type { AiSdk, Clients, Completion, LangChain, OpenAi, OpenAiChunk } from './types';

export interface Door {
  readonly baseURL: string;
  readonly fetch?: typeof globalThis.fetch;
  /** Of the engine. */
  readonly model: string;
}

type Case = (door: Door, clients: Clients) => Promise<void>;

const ADD = { a: 1, b: 2 };
const CALL = '<tool_call>\n{"name": "add", "arguments": {"a": 1, "b": 2}}\n</tool_call>';
const ANN = { name: 'Ann', age: 7 };
const PERSON = {
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: 'integer' } },
  required: ['name', 'age'],
  additionalProperties: false,
} as const;
const NUMBERS = {
  type: 'object',
  properties: { a: { type: 'number' }, b: { type: 'number' } },
  required: ['a', 'b'],
} as const;
/** Half a minute of words: whoever waits for their end waits too long. */
const ENDLESS = script({ say: 'x ', times: 10_000, size: 2, every: 3 });
const SOON = 3000;

// ---- openai ------------------------------------------------------------------------------------------------------

function openAi({ baseURL, fetch }: Door, { OpenAI }: Clients): OpenAi {
  const options = { baseURL, apiKey: '-', maxRetries: 0, dangerouslyAllowBrowser: true };
  return new OpenAI({ ...options, ...(fetch && { fetch }) });
}

const said = (text: string): { messages: object[] } => ({ messages: [{ role: 'user', content: text }] });

const openAiCases: Record<string, Case> = {
  'openai: lists, chats, goes on with a text': async (door, clients) => {
    const { model } = door;
    const ai = openAi(door, clients);
    same(
      (await ai.models.list()).data.map(({ id }) => id),
      [model],
    );
    const told = await ai.chat.completions.create<Completion>({ model, ...said('Hello') });
    like(told.choices[0], { finish_reason: 'stop', message: { content: 'Hello' } });
    same(told.usage.total_tokens, told.usage.prompt_tokens + told.usage.completion_tokens);
    same((await ai.completions.create({ model, prompt: 'Say this' })).choices[0]!.text, 'Say this');
  },
  'openai: streams, and stops': async (door, clients) => {
    const ai = openAi(door, clients);
    const ask = { model: door.model, stream: true };
    const chunks: OpenAiChunk[] = [];
    const options = { stream_options: { include_usage: true } };
    const streamed = await ai.chat.completions.create<AsyncIterable<OpenAiChunk>>({
      ...ask,
      ...options,
      ...said('Hello'),
    });
    for await (const chunk of streamed) chunks.push(chunk);
    same(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join(''), 'Hello');
    holds(chunks.length > 2, 'it comes in parts');
    holds((chunks.at(-1)!.usage?.total_tokens ?? 0) > 0, 'the last part tells the usage');
    type Stream = AsyncIterable<OpenAiChunk> & { readonly controller: AbortController };
    const stopped = await ai.chat.completions.create<Stream>({ ...ask, ...said(ENDLESS) });
    let seen = 0;
    for await (const part of stopped) if (part && (seen += 1) === 5) stopped.controller.abort();
    await soon(() => ai.chat.completions.create({ model: door.model, ...said('Next') }));
    // One that nobody reads yet, too.
    const stop = new AbortController();
    const whole = ai.chat.completions.create({ model: door.model, ...said(ENDLESS) }, { signal: stop.signal });
    setTimeout(() => stop.abort(), 100);
    await rejection(whole);
    await soon(() => ai.chat.completions.create({ model: door.model, ...said('Next') }));
  },
  'openai: tools, JSON by a schema': async (door, clients) => {
    const ai = openAi(door, clients);
    const tools = [{ type: 'function', function: { name: 'add', parameters: NUMBERS } }];
    const call = await ai.chat.completions.create<Completion>({
      model: door.model,
      tools,
      ...said(script({ say: CALL })),
    });
    same(call.choices[0]!.finish_reason, 'tool_calls');
    same(JSON.parse(call.choices[0]!.message.tool_calls![0]!.function.arguments), ADD);
    const response_format = { type: 'json_schema', json_schema: { name: 'person', strict: true, schema: PERSON } };
    const json = await ai.chat.completions.create<Completion>({
      model: door.model,
      response_format,
      ...said(script({ say: JSON.stringify(ANN) })),
    });
    same(JSON.parse(json.choices[0]!.message.content!), ANN);
  },
  'openai: errors': async (door, clients) => {
    const ai = openAi(door, clients);
    const wrong = (fields: object): Promise<unknown> =>
      rejection(ai.chat.completions.create({ model: door.model, ...said('Hi'), ...fields }));
    like(await wrong({ temperature: 9 }), { status: 400, param: 'temperature' });
    like(await wrong({ model: 'gpt-4' }), { status: 404, code: 'model_not_found' });
    const full = said(script({ say: '', fail: 'context' }));
    like(await wrong(full), { status: 400, code: 'context_length_exceeded' });
    like(await wrong({ ...full, stream: true }), { status: 400, code: 'context_length_exceeded' });
  },
};

// ---- the AI SDK --------------------------------------------------------------------------------------------------

const aiSdkCases: Record<string, Case> = {
  'ai: chats, streams, stops': async (door, clients) => {
    const { ai, model } = aiSdk(door, clients);
    const told = await ai.generateText({ model, prompt: 'Hello', maxRetries: 0 });
    like(told, { text: 'Hello', finishReason: 'stop' });
    const streamed = ai.streamText({ model, prompt: 'Hello', maxRetries: 0 });
    let text = '';
    for await (const part of streamed.textStream) text += part;
    same(text, 'Hello');
    holds(((await streamed.usage).totalTokens ?? 0) > 0, 'the stream tells its usage');
    const stop = new AbortController();
    const stopped = ai.streamText({ model, prompt: ENDLESS, maxRetries: 0, abortSignal: stop.signal });
    let seen = 0;
    for await (const part of stopped.textStream) if (part && (seen += 1) === 5) stop.abort();
    await soon(() => ai.generateText({ model, prompt: 'Next', maxRetries: 0 }));
  },
  'ai: tools, JSON by a schema, errors': async (door, clients) => {
    const { ai, model, other } = aiSdk(door, clients);
    const tools = { add: ai.tool({ inputSchema: ai.jsonSchema(NUMBERS) }) };
    const prompt = script({ say: CALL });
    const called = await ai.generateText({ model, prompt, maxRetries: 0, tools, toolChoice: 'required' });
    same(called.finishReason, 'tool-calls');
    like(called.toolCalls, [{ toolName: 'add', input: ADD }]);
    const json = { prompt: script({ say: JSON.stringify(ANN) }), schema: ai.jsonSchema(PERSON), maxRetries: 0 };
    same((await ai.generateObject({ model, ...json })).object, ANN);
    like(await rejection(ai.generateText({ model: other, prompt: 'Hi', maxRetries: 0 })), { statusCode: 404 });
  },
};

function aiSdk(door: Door, { ai, createOpenAICompatible }: Clients): { ai: AiSdk; model: unknown; other: unknown } {
  const provider = createOpenAICompatible({
    name: 'fireside',
    baseURL: door.baseURL,
    includeUsage: true,
    supportsStructuredOutputs: true,
    ...(door.fetch && { fetch: door.fetch }),
  });
  return { ai, model: provider(door.model), other: provider('gpt-4') };
}

// ---- LangChain ---------------------------------------------------------------------------------------------------

function langChain({ baseURL, fetch, model }: Door, { ChatOpenAI }: Clients, options: object = {}): LangChain {
  const configuration = { baseURL, dangerouslyAllowBrowser: true, ...(fetch && { fetch }) };
  return new ChatOpenAI({ model, apiKey: '-', maxRetries: 0, configuration, ...options });
}

const langChainCases: Record<string, Case> = {
  'langchain: chats, streams, stops': async (door, clients) => {
    const chat = langChain(door, clients);
    like(await chat.invoke('Hello'), { content: 'Hello' });
    let text = '';
    for await (const part of await chat.stream('Hello')) text += part.content;
    same(text, 'Hello');
    const stop = new AbortController();
    const reading = (async () => {
      let seen = 0;
      for await (const part of await chat.stream(ENDLESS, { signal: stop.signal }))
        if (part && (seen += 1) === 5) stop.abort();
    })();
    await rejection(reading);
    await soon(() => chat.invoke('Next'));
  },
  'langchain: tools, JSON by a schema, errors': async (door, clients) => {
    const chat = langChain(door, clients);
    const tools = [{ type: 'function', function: { name: 'add', description: 'Adds', parameters: NUMBERS } }];
    const called = await chat.bindTools(tools, { tool_choice: 'add' }).invoke(script({ say: CALL }));
    like(called.tool_calls, [{ name: 'add', args: ADD }]);
    const person = chat.withStructuredOutput({ title: 'person', ...PERSON }, { method: 'jsonSchema', strict: true });
    same(await person.invoke(script({ say: JSON.stringify(ANN) })), ANN);
    like(await rejection(langChain(door, clients, { model: 'gpt-4' }).invoke('Hi')), { status: 404 });
  },
};

export const CASES: Readonly<Record<string, Case>> = { ...openAiCases, ...aiSdkCases, ...langChainCases };

// ---- what is held to -----------------------------------------------------------------------------------------------

function holds(condition: boolean, what: string): void {
  if (!condition) throw new Error(`not so: ${what}`);
}

function same(actual: unknown, expected: unknown): void {
  holds(
    JSON.stringify(actual) === JSON.stringify(expected),
    `${JSON.stringify(actual)} is ${JSON.stringify(expected)}`,
  );
}

/** Has at least what is expected. */
function like(actual: unknown, expected: unknown): void {
  if (typeof expected !== 'object' || expected === null) return same(actual, expected);
  holds(typeof actual === 'object' && actual !== null, `${String(actual)} is like ${JSON.stringify(expected)}`);
  for (const [name, value] of Object.entries(expected)) like((actual as Record<string, unknown>)[name], value);
}

async function rejection(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
  } catch (error) {
    return error;
  }
  throw new Error('not so: it is refused');
}

/** The place that the one before had is free. */
async function soon(call: () => Promise<unknown>): Promise<void> {
  const start = performance.now();
  await call();
  const took = performance.now() - start;
  holds(took < SOON, `the next one is answered soon, not after ${Math.round(took)} ms`);
}
