/** Servers as models: `fireside serve` over real sockets, and servers that answer as no server should. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { RemoteEngine, listModels, serverAddress } from '$lib/engine/remote';
import type { ChatMessage, GenerateProgress } from '$lib/engine/protocol';
import { serveScripted, type Served } from '../../cli/serve/support';
import { MODEL } from './api/scripted';

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

const messages: ChatMessage[] = [{ role: 'user', content: 'Hi' }];
const endless = Array.from({ length: 10_000 }, () => 'x');
const slowly = (): Promise<void> => new Promise((done) => setTimeout(done, 2));

async function serve(options: Parameters<typeof serveScripted>[0] = {}): Promise<Served & { address: string }> {
  const served = await serveScripted(options);
  opened.push(() => served.close());
  return { ...served, address: `http://127.0.0.1:${served.port}/v1` };
}

async function open(server: string, model = 'scripted', key?: string): Promise<RemoteEngine> {
  const engine = new RemoteEngine();
  await engine.load({ server, model, ...(key && { key }) });
  return engine;
}

/** A server of raw Node that lists one model and answers questions with `answer`. */
async function hostile(answer: RequestListener, list?: RequestListener): Promise<string> {
  const server: Server = createServer((request, response) => {
    if (request.url?.endsWith('/models')) {
      if (list) return list(request, response);
      return void response
        .setHeader('Content-Type', 'application/json')
        .end(JSON.stringify({ object: 'list', data: [{ id: 'm' }] }));
    }
    answer(request, response);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  opened.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/v1`;
}

function events(...data: (object | string)[]): string {
  return data.map((one) => `data: ${typeof one === 'string' ? one : JSON.stringify(one)}\n\n`).join('');
}

function delta(fields: object, finish: string | null = null): object {
  return { choices: [{ index: 0, delta: fields, finish_reason: finish }] };
}

/** What comes, and how it ends. */
async function answerOf(engine: RemoteEngine, request: object = { messages }) {
  let text = '';
  const take = (progress: GenerateProgress): void => void (progress.type === 'text' && (text += progress.text));
  const end = await engine.generate({ messages, ...request }, take).then(
    (value) => value,
    (error: { code: string; message: string }) => error,
  );
  return { text, end };
}

const streaming =
  (...data: (object | string)[]): RequestListener =>
  (_, response) =>
    void response.setHeader('Content-Type', 'text/event-stream').end(events(...data));

// ---- a server that is one ----------------------------------------------------------------------------------------

test('`fireside serve` as a model: opened, asked, with figures, its context and its key', async () => {
  const { address, engine: scripted } = await serve({ token: 'secret' });
  await expect(open(address)).rejects.toMatchObject({ code: 'remote-key' });
  await expect(open(address, 'scripted', 'wrong')).rejects.toMatchObject({ code: 'remote-key' });
  await expect(open(address, 'scripted', 'schlüssel')).rejects.toMatchObject({ code: 'remote-key' });
  await expect(open(address, 'other', 'secret')).rejects.toMatchObject({ code: 'remote-model' });
  await expect(open(address, 'other', 'secret')).rejects.toThrow('«scripted»');
  const engine = await open(address, 'scripted', 'secret');
  const host = new URL(address).host;
  expect(engine.model).toMatchObject({ name: 'scripted', path: 'server', context: 100 });
  expect(engine.model!.server).toEqual({ host, contextAssumed: false });
  const sampling = { temperature: 0.5, topP: 0.9, topK: 3, minP: 0.1, seed: 7, logitBias: { 2: -Infinity } };
  const { text, end } = await answerOf(engine, { sampling, maxTokens: 9, stop: ['x'] });
  expect(text).toBe('Hello');
  expect(end).toMatchObject({ reason: 'end', timings: { tokens: 2, prefill: { tokens: 5, reused: 2 } } });
  expect(scripted.asked[0]).toMatchObject({ messages, sampling, maxTokens: 9, stop: ['x'] });
  scripted.reason = 'length';
  expect((await answerOf(engine)).end).toMatchObject({ reason: 'length' });
  scripted.failure = { code: 'context', message: 'longer than the context' };
  expect((await answerOf(engine)).end).toMatchObject({ code: 'context' });
});

test('it goes on with an answer that broke off, and what cannot be sent is refused by name', async () => {
  const { address, engine: scripted } = await serve();
  const engine = await open(address);
  const begun = [...messages, { role: 'assistant', content: 'Hel', reasoning_content: 'Hm.' }];
  expect((await answerOf(engine, { messages: begun, continues: true })).text).toBe('Hello');
  expect(scripted.asked[0]).toMatchObject({
    continues: true,
    messages: [messages[0], { role: 'assistant', content: 'Hel' }],
  });
  expect(scripted.asked[0]).not.toHaveProperty('messages.1.reasoning_content');
  for (const field of [{ grammar: 'root ::= "a"' }, { logprobs: 1 }, { masked: true }]) {
    expect((await answerOf(engine, field)).end).toMatchObject({ code: 'ability' });
  }
});

test('a stop ends it at both ends at once, closing too', async () => {
  const { address, engine: scripted } = await serve();
  Object.assign(scripted, { pieces: endless, pause: slowly });
  const engine = await open(address);
  const stop = new AbortController();
  let pieces = 0;
  const end = await engine.generate({ messages }, () => void ((pieces += 1) === 5 && stop.abort()), stop.signal);
  expect(end).toMatchObject({ reason: 'aborted', timings: { tokens: 5 } });
  await expect.poll(() => scripted.running).toBe(0);
  const closed = engine.generate({ messages });
  await expect.poll(() => scripted.running).toBe(1);
  engine.close();
  await expect(closed).rejects.toMatchObject({ code: 'aborted' });
  await expect.poll(() => scripted.running).toBe(0);
  await expect(engine.generate({ messages })).rejects.toMatchObject({ code: 'no-model' });
});

test('calls of tools come as a model here would write them, and its parser reads them back', async () => {
  const { address, engine: scripted } = await serve();
  const engine = await open(address);
  expect(engine.model!.toolFormat).toBe(MODEL.toolFormat);
  const call = '<tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call>\n';
  scripted.pieces = ['Let me see. ', ...call.match(/.{1,7}/gs)!, call];
  const add = { type: 'function', function: { name: 'add', parameters: { type: 'object' } } };
  const { text } = await answerOf(engine, { tools: [add] });
  expect(text.trimEnd()).toBe(`Let me see.${call}${call}`.trimEnd());
  const told = {
    role: 'assistant',
    content: null,
    tool_calls: [{ id: '1', function: { name: 'add', arguments: { a: 1 } } }],
  };
  await answerOf(engine, { messages: [...messages, told, { role: 'tool', tool_call_id: '1', content: '2' }] });
  expect(scripted.asked.at(-1)).toMatchObject({
    messages: [
      {},
      { tool_calls: [{ function: { name: 'add', arguments: '{"a":1}' } }] },
      { role: 'tool', content: '2' },
    ],
  });
});

test('tokens are estimated, better once a server has told them', async () => {
  const content = 'word '.repeat(200);
  const usage = { prompt_tokens: 250, completion_tokens: 1 };
  const engine = await open(
    await hostile(streaming(delta({ content: 'x' }, 'stop'), { choices: [], usage }, '[DONE]')),
    'm',
  );
  const ask = { messages: [{ role: 'user' as const, content }] };
  expect(await engine.count(ask)).toBeGreaterThan(250);
  await answerOf(engine, ask);
  expect(await engine.count(ask)).toBeLessThan(270);
});

// ---- servers that are none ---------------------------------------------------------------------------------------

const html: RequestListener = (_, response) => void response.setHeader('Content-Type', 'text/html').end('<h1>Hi</h1>');

test('thoughts apart from the text, an answer in one piece, no [DONE]: others’ ways are understood', async () => {
  const thought = streaming(
    delta({ role: 'assistant', content: '' }),
    delta({ reasoning_content: 'Hm.' }),
    delta({ reasoning: ' Well.' }),
    delta({ content: 'Yes.' }, 'stop'),
  );
  expect((await answerOf(await open(await hostile(thought), 'm'))).text).toBe('<think>Hm. Well.</think>\n\nYes.');
  const whole: RequestListener = (_, response) =>
    void response
      .setHeader('Content-Type', 'application/json')
      .end(JSON.stringify({ choices: [{ message: { content: 'Yes.' }, finish_reason: 'stop' }] }));
  const engine = await open(await hostile(whole), 'm');
  expect(await answerOf(engine)).toMatchObject({ text: 'Yes.', end: { reason: 'end', timings: { tokens: 1 } } });
  expect(engine.model).toMatchObject({ context: 4096, server: { contextAssumed: true } });
});

describe.each<[string, RequestListener, string]>([
  ['a web page', html, 'remote-format'],
  [
    'JSON of another kind',
    (_, response) => void response.setHeader('Content-Type', 'application/json').end('[1]'),
    'remote-format',
  ],
  ['events that are no JSON', streaming('hello'), 'remote-format'],
  ['events of another kind', streaming({ text: 'hello' }), 'remote-format'],
  [
    'a line without an end',
    (_, response) => {
      response.setHeader('Content-Type', 'text/event-stream').write('data: ');
      const more = setInterval(
        () => void (response.destroyed ? clearInterval(more) : response.write('x'.repeat(200_000))),
        1,
      );
    },
    'remote-format',
  ],
  [
    'a stream that is cut',
    (_, response) => {
      response.setHeader('Content-Type', 'text/event-stream').write(events(delta({ content: 'begun' })));
      setTimeout(() => response.destroy(), 20);
    },
    'remote-cut',
  ],
  ['a stream that just ends', streaming(delta({ content: 'begun' })), 'remote-cut'],
  [
    'an error in the stream',
    streaming(delta({ content: 'begun' }), { error: { message: 'out of memory' } }),
    'remote-failed',
  ],
  ['a filter', streaming(delta({ content: 'begun' }, 'content_filter'), '[DONE]'), 'remote-refused'],
  ['no place left', (_, response) => void response.writeHead(429).end('{}'), 'remote-busy'],
  ['a refusal', (_, response) => void response.writeHead(422).end('{"detail":"top_k: unknown"}'), 'remote-refused'],
  [
    'a proxy without its server',
    (_, response) => void response.writeHead(502).end('<h1>Bad gateway</h1>'),
    'remote-failed',
  ],
  ['nothing there', (_, response) => void response.writeHead(404).end('Not found'), 'remote-format'],
  [
    'a model that went',
    (_, response) => void response.writeHead(404).end('{"error":{"message":"model not found"}}'),
    'remote-model',
  ],
  [
    'another place to ask',
    (_, response) => void response.writeHead(307, { Location: 'http://127.0.0.1:1/v1' }).end(),
    'remote-unreachable',
  ],
])('%s', (_, answer, code) => {
  test('is told as what it is, and what came is kept', async () => {
    const engine = await open(await hostile(answer), 'm');
    const { text, end } = await answerOf(engine);
    expect(end).toMatchObject({ code });
    expect((end as { message: string }).message).toMatch(/127\.0\.0\.1:\d+/);
    expect('begun').toContain(text);
  });
});

test('slow as it may be, a stop is at once', async () => {
  const engine = await open(await hostile(() => undefined), 'm');
  const start = performance.now();
  expect(await engine.generate({ messages }, undefined, AbortSignal.timeout(50))).toMatchObject({ reason: 'aborted' });
  expect(performance.now() - start).toBeLessThan(1000);
});

test('lists that are none, and nobody at home', async () => {
  for (const list of [html, streaming('[DONE]')]) {
    await expect(listModels({ server: await hostile(html, list) })).rejects.toMatchObject({ code: 'remote-format' });
  }
  const odd: RequestListener = (_, response) =>
    void response.end(JSON.stringify({ data: [1, { id: 7 }, { id: '' }, { id: 'a', max_model_len: 9.5 }] }));
  expect(await listModels({ server: await hostile(html, odd) })).toEqual([{ id: 'a', context: 9, maker: 'other' }]);
  const none: RequestListener = (_, response) => void response.end('{"object":"list","data":null}');
  expect(await listModels({ server: await hostile(html, none) })).toEqual([]);
  await expect(listModels({ server: 'http://127.0.0.1:1/v1' })).rejects.toMatchObject({ code: 'remote-unreachable' });
});

// ---- addresses ---------------------------------------------------------------------------------------------------

test.each([
  ['localhost:11434', 'http://localhost:11434/v1'],
  ['127.0.0.1:8642/', 'http://127.0.0.1:8642/v1'],
  ['http://[::1]:80/v1/', 'http://[::1]/v1'],
  ['models.example.com', 'https://models.example.com/v1'],
  ['https://example.com/v1/chat/completions', 'https://example.com/v1'],
  ['https://example.com/openai/v3/models?x=1#y', 'https://example.com/openai/v3'],
])('%s is asked at %s', (typed, address) => {
  expect(serverAddress(typed)).toBe(address);
});

test.each([
  ['', 'remote-address'],
  ['ftp://example.com', 'remote-address'],
  ['javascript:alert(1)', 'remote-address'],
  ['https://', 'remote-address'],
  ['https://me:secret@example.com', 'remote-address'],
  ['http://192.168.1.10:8000', 'remote-insecure'],
  ['http://localhost.example.com', 'remote-insecure'],
])('«%s» is refused', (typed, code) => {
  expect(() => serverAddress(typed)).toThrow(expect.objectContaining({ code }) as Error);
});

test('the server that a page came from is as safe as the page', () => {
  expect(serverAddress('http://192.168.1.10:8642', 'http://192.168.1.10:8642')).toBe('http://192.168.1.10:8642/v1');
});
