/**
 * Clients that nobody here wrote, through both doors: the handler as their `fetch`, and `fireside serve`'s socket. The
 * engine says what the test tells it; the pocket model answers in serve.test.ts.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createHandler, type Handler } from '$lib/engine/handle';
import { missingPackage, oracle } from '../../../../support/oracles';
import { serveScripted, type Served } from '../../../cli/serve/support';
import { ScriptedEngine } from './scripted';

interface Door {
  readonly name: string;
  readonly engine: () => ScriptedEngine;
  readonly baseURL: () => string;
  readonly fetch: typeof globalThis.fetch | undefined;
}

const scripted = new ScriptedEngine();
const handle: Handler = createHandler({ engine: scripted });
let served: Served | undefined;
beforeAll(async () => {
  served = await serveScripted();
});
afterAll(() => served?.close());

const doors: Door[] = [
  {
    name: 'fetch',
    engine: () => scripted,
    baseURL: () => 'http://fireside/v1',
    fetch: (input, init) => handle(new Request(input, init)),
  },
  {
    name: 'serve',
    engine: () => served!.engine,
    baseURL: () => `http://127.0.0.1:${served!.port}/v1`,
    fetch: undefined,
  },
];

const ADD = { a: 1, b: 2 };
const CALL = ['<tool_call>\n{"name": "add", ', '"arguments": {"a": 1, ', '"b": 2}}\n</tool_call>'];
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
const endless = (): string[] => Array.from({ length: 10_000 }, () => 'x');
const slowly = (): Promise<void> => new Promise((done) => setTimeout(done, 2));

describe.each(doors)('through $name', ({ engine, baseURL, fetch }) => {
  beforeEach(() => {
    Object.assign(engine(), {
      pieces: ['Hel', 'lo'],
      pause: () => Promise.resolve(),
      reason: 'end',
      failure: undefined,
      aborted: 0,
    });
  });

  // ---- openai ----------------------------------------------------------------------------------------------------

  describe.skipIf(missingPackage('openai'))('openai', () => {
    interface Chunk {
      readonly choices: { delta: { content?: string } }[];
      readonly usage?: { total_tokens: number } | null;
    }
    type Stream = AsyncIterable<Chunk> & { readonly controller: AbortController };
    interface Completion {
      readonly choices: {
        finish_reason: string;
        message: { content: string | null; tool_calls?: { function: { name: string; arguments: string } }[] };
      }[];
      readonly usage: { prompt_tokens_details: { cached_tokens: number } };
    }
    interface OpenAi {
      readonly models: { list(): Promise<{ data: { id: string }[] }> };
      readonly completions: { create(body: object): Promise<{ choices: { text: string }[] }> };
      readonly chat: {
        readonly completions: {
          create<T = Completion>(body: object): Promise<T>;
        };
      };
    }
    const client = async (): Promise<OpenAi> => {
      const { OpenAI } = await oracle<{ OpenAI: new (options: object) => OpenAi }>('openai');
      return new OpenAI({ baseURL: baseURL(), apiKey: '-', maxRetries: 0, ...(fetch && { fetch }) });
    };
    const messages = [{ role: 'user', content: 'Hi' }];
    const ask = { model: 'scripted', messages };

    test('lists, chats, goes on with a text', async () => {
      const ai = await client();
      expect((await ai.models.list()).data.map(({ id }) => id)).toEqual(['scripted']);
      const told = await ai.chat.completions.create(ask);
      expect(told.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: 'Hello' } });
      expect(told.usage.prompt_tokens_details.cached_tokens).toBe(2);
      expect((await ai.completions.create({ model: 'scripted', prompt: 'Say' })).choices[0]!.text).toBe('Hello');
    });

    test('streams, and stops', async () => {
      const ai = await client();
      const chunks: Chunk[] = [];
      const streamed = await ai.chat.completions.create<Stream>({
        ...ask,
        stream: true,
        stream_options: { include_usage: true },
      });
      for await (const chunk of streamed) chunks.push(chunk);
      expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('Hello');
      expect(chunks.at(-1)!.usage?.total_tokens).toBe(9);
      Object.assign(engine(), { pieces: endless(), pause: slowly });
      const stopped = await ai.chat.completions.create<Stream>({ ...ask, stream: true });
      let seen = 0;
      for await (const part of stopped) if (part && (seen += 1) === 5) stopped.controller.abort();
      await expect.poll(() => engine().running).toBe(0);
      expect(engine().aborted).toBe(1);
    });

    test('calls tools, and is told of errors', async () => {
      const ai = await client();
      const tools = [{ type: 'function', function: { name: 'add', parameters: NUMBERS } }];
      engine().pieces = CALL;
      const [choice] = (await ai.chat.completions.create({ ...ask, tools })).choices;
      expect(choice!.finish_reason).toBe('tool_calls');
      expect(JSON.parse(choice!.message.tool_calls![0]!.function.arguments)).toEqual(ADD);
      const wrong = (fields: object): Promise<unknown> =>
        ai.chat.completions.create({ ...ask, ...fields }).catch((error: unknown) => error);
      expect(await wrong({ temperature: 9 })).toMatchObject({ status: 400, param: 'temperature' });
      expect(await wrong({ model: 'gpt-4' })).toMatchObject({ status: 404, code: 'model_not_found' });
      engine().failure = { code: 'context', message: 'too long' };
      expect(await wrong({})).toMatchObject({ status: 400, code: 'context_length_exceeded' });
      expect(await wrong({ stream: true })).toMatchObject({ status: 400, code: 'context_length_exceeded' });
    });

    test('asks for JSON by a schema', async () => {
      engine().pieces = ['{"name": "Ann", ', '"age": 7}'];
      const response_format = { type: 'json_schema', json_schema: { name: 'person', strict: true, schema: PERSON } };
      const told = await (await client()).chat.completions.create({ ...ask, response_format });
      expect(JSON.parse(told.choices[0]!.message.content!)).toEqual({ name: 'Ann', age: 7 });
      expect(engine().asked.at(-1)!.grammar).toContain('root ::=');
    });
  });

  // ---- the AI SDK ------------------------------------------------------------------------------------------------

  describe.skipIf(missingPackage('ai') ?? missingPackage('@ai-sdk/openai-compatible'))('ai', () => {
    interface Ai {
      generateText(options: object): Promise<{
        text: string;
        finishReason: string;
        toolCalls: { toolName: string; input: unknown }[];
        usage: { totalTokens: number };
      }>;
      streamText(options: object): { textStream: AsyncIterable<string>; usage: Promise<{ totalTokens: number }> };
      generateObject(options: object): Promise<{ object: unknown }>;
      jsonSchema(schema: object): unknown;
      tool(options: object): unknown;
    }
    const load = async (): Promise<{ ai: Ai; model: unknown; other: unknown }> => {
      const ai = await oracle<Ai>('ai');
      const { createOpenAICompatible } = await oracle<{
        createOpenAICompatible: (options: object) => (name: string) => unknown;
      }>('@ai-sdk/openai-compatible');
      const provider = createOpenAICompatible({
        name: 'fireside',
        baseURL: baseURL(),
        includeUsage: true,
        supportsStructuredOutputs: true,
        ...(fetch && { fetch }),
      });
      return { ai, model: provider('scripted'), other: provider('gpt-4') };
    };
    const ask = { prompt: 'Hi', maxRetries: 0 };

    test('chats, streams, stops', async () => {
      const { ai, model } = await load();
      expect(await ai.generateText({ ...ask, model })).toMatchObject({
        text: 'Hello',
        finishReason: 'stop',
        usage: { totalTokens: 9 },
      });
      const streamed = ai.streamText({ ...ask, model });
      let text = '';
      for await (const part of streamed.textStream) text += part;
      expect(text).toBe('Hello');
      expect((await streamed.usage).totalTokens).toBe(9);
      Object.assign(engine(), { pieces: endless(), pause: slowly });
      const stop = new AbortController();
      const stopped = ai.streamText({ ...ask, model, abortSignal: stop.signal });
      let seen = 0;
      for await (const part of stopped.textStream) if (part && (seen += 1) === 5) stop.abort();
      await expect.poll(() => engine().running).toBe(0);
      expect(engine().aborted).toBe(1);
    });

    test('calls tools, asks for JSON, is told of errors', async () => {
      const { ai, model, other } = await load();
      engine().pieces = CALL;
      const tools = { add: ai.tool({ inputSchema: ai.jsonSchema(NUMBERS) }) };
      const { toolCalls, finishReason } = await ai.generateText({ ...ask, model, tools, toolChoice: 'required' });
      expect(finishReason).toBe('tool-calls');
      expect(toolCalls).toMatchObject([{ toolName: 'add', input: ADD }]);
      engine().pieces = ['{"name": "Ann", "age": 7}'];
      expect((await ai.generateObject({ ...ask, model, schema: ai.jsonSchema(PERSON) })).object).toEqual({
        name: 'Ann',
        age: 7,
      });
      await expect(ai.generateText({ ...ask, model: other })).rejects.toMatchObject({ statusCode: 404 });
    });
  });

  // ---- LangChain -------------------------------------------------------------------------------------------------

  describe.skipIf(missingPackage('@langchain/openai'))('langchain', () => {
    interface Message {
      readonly content: string;
      readonly tool_calls?: { name: string; args: unknown }[];
      readonly usage_metadata?: { total_tokens: number };
    }
    interface Chat {
      invoke(input: string, options?: object): Promise<Message>;
      stream(input: string, options?: object): Promise<AsyncIterable<Message>>;
      bindTools(tools: object[], options?: object): Chat;
      withStructuredOutput(schema: object, options: object): { invoke(input: string): Promise<unknown> };
    }
    const client = async (options: object = {}): Promise<Chat> => {
      const { ChatOpenAI } = await oracle<{ ChatOpenAI: new (options: object) => Chat }>('@langchain/openai');
      const configuration = { baseURL: baseURL(), ...(fetch && { fetch }) };
      return new ChatOpenAI({ model: 'scripted', apiKey: '-', maxRetries: 0, configuration, ...options });
    };

    test('chats, streams, stops', async () => {
      const chat = await client();
      expect(await chat.invoke('Hi')).toMatchObject({ content: 'Hello', usage_metadata: { total_tokens: 9 } });
      let text = '';
      for await (const part of await chat.stream('Hi')) text += part.content;
      expect(text).toBe('Hello');
      Object.assign(engine(), { pieces: endless(), pause: slowly });
      const stop = new AbortController();
      const reading = (async () => {
        let seen = 0;
        for await (const part of await chat.stream('Hi', { signal: stop.signal }))
          if (part && (seen += 1) === 5) stop.abort();
      })();
      await expect(reading).rejects.toThrow();
      await expect.poll(() => engine().running).toBe(0);
      expect(engine().aborted).toBe(1);
    });

    test('calls tools, asks for JSON, is told of errors', async () => {
      const chat = await client();
      engine().pieces = CALL;
      const tools = [{ type: 'function', function: { name: 'add', description: 'Adds', parameters: NUMBERS } }];
      expect((await chat.bindTools(tools, { tool_choice: 'add' }).invoke('Hi')).tool_calls).toMatchObject([
        { name: 'add', args: ADD },
      ]);
      engine().pieces = ['{"name": "Ann", "age": 7}'];
      const person = chat.withStructuredOutput({ title: 'person', ...PERSON }, { method: 'jsonSchema', strict: true });
      expect(await person.invoke('Hi')).toEqual({ name: 'Ann', age: 7 });
      await expect((await client({ model: 'gpt-4' })).invoke('Hi')).rejects.toMatchObject({ status: 404 });
    });
  });
});
