/** OpenAI's wire format over an engine that says what the test tells it. */
import { expect, test } from 'vitest';
import { api, eventsOf, MODEL, ScriptedEngine } from './scripted';

const body = async (response: Response): Promise<Record<string, unknown>> =>
  (await response.json()) as Record<string, unknown>;

test('models: listed, and told one by one', async () => {
  const { handle } = api(new ScriptedEngine());
  const list = await body(await handle(new Request('http://fireside/v1/models')));
  expect(list).toMatchObject({ object: 'list', data: [{ id: 'scripted', object: 'model', owned_by: 'fireside' }] });
  expect((await handle(new Request('http://fireside/v1/models/scripted'))).status).toBe(200);
  const missing = await handle(new Request('http://fireside/v1/models/gpt-4%2F'));
  expect(missing.status).toBe(404);
  expect(await body(missing)).toMatchObject({ error: { code: 'model_not_found', param: 'model' } });
});

test('a chat is answered whole, with usage', async () => {
  const engine = new ScriptedEngine();
  const response = await api(engine).chat({ max_tokens: 9, temperature: 0.5, top_p: 0.9, seed: 3, stop: 'x' });
  expect(await body(response)).toMatchObject({
    object: 'chat.completion',
    model: 'scripted',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, logprobs: null, finish_reason: 'stop' }],
    usage: { prompt_tokens: 7, completion_tokens: 2, total_tokens: 9, prompt_tokens_details: { cached_tokens: 2 } },
  });
  expect(engine.asked[0]).toMatchObject({
    maxTokens: 9,
    stop: ['x'],
    sampling: { temperature: 0.5, topP: 0.9, seed: 3 },
  });
});

test('a chat is streamed, with usage where it is asked for', async () => {
  const response = await api(new ScriptedEngine()).chat({ stream: true, stream_options: { include_usage: true } });
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  const events = await eventsOf(response);
  const deltas = events.flatMap(({ choices }) => choices as { delta: object; finish_reason: string | null }[]);
  expect(deltas.map(({ delta }) => delta)).toEqual([
    { role: 'assistant', content: '' },
    { content: 'Hel' },
    { content: 'lo' },
    {},
  ]);
  expect(deltas.at(-1)!.finish_reason).toBe('stop');
  expect(events.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 9 } });
  expect(events.slice(0, -1).every(({ usage }) => usage === null)).toBe(true);
});

test('why an answer ended', async () => {
  const engine = new ScriptedEngine();
  for (const [reason, finish] of [
    ['end', 'stop'],
    ['stop', 'stop'],
    ['length', 'length'],
    ['context', 'length'],
  ] as const) {
    engine.reason = reason;
    expect(await body(await api(engine).chat())).toMatchObject({ choices: [{ finish_reason: finish }] });
  }
});

test('n answers have seeds of their own, and the prompt counts once', async () => {
  const engine = new ScriptedEngine();
  const told = await body(await api(engine).chat({ n: 3, seed: 10 }));
  expect(told.choices).toHaveLength(3);
  expect(told.usage).toMatchObject({ prompt_tokens: 7, completion_tokens: 6 });
  expect(engine.asked.map(({ sampling }) => sampling?.seed)).toEqual([10, 11, 12]);
});

test('log-probabilities are those of the text that is told', async () => {
  const engine = new ScriptedEngine();
  const spelling = new Map(['Hel', 'lo', 'END', 'x'].map((text, id) => [id, new TextEncoder().encode(text)]));
  const token = (id: number) => ({ id, logprob: -0.5, top: [[3, -2] as const] });
  engine.pieces = [
    { text: 'Hel', tokens: [token(0)], spelling },
    { text: '', tokens: [token(1)], spelling },
    { text: 'lo', tokens: [token(2)], spelling },
  ];
  engine.reason = 'stop';
  const told = (await body(await api(engine).chat({ logprobs: true, top_logprobs: 1 }))) as {
    choices: [{ logprobs: { content: { token: string }[] } }];
  };
  expect(told.choices[0].logprobs.content.map(({ token }) => token)).toEqual(['Hel', 'lo']);
  expect(told.choices[0].logprobs.content[0]).toEqual({
    token: 'Hel',
    logprob: -0.5,
    bytes: [72, 101, 108],
    top_logprobs: [{ token: 'x', logprob: -2, bytes: [120] }],
  });
  expect(engine.asked[0]).toMatchObject({ logprobs: 1 });
});

test('texts are gone on with: one, several, or ids', async () => {
  const engine = new ScriptedEngine();
  const { post } = api(engine);
  const told = await body(await post('/completions', { model: 'scripted', prompt: ['a', 'b'], n: 2 }));
  expect(told).toMatchObject({ object: 'text_completion', usage: { prompt_tokens: 14, completion_tokens: 8 } });
  expect((told.choices as { text: string; index: number }[]).map(({ text, index }) => `${index}${text}`)).toEqual([
    '0Hello',
    '1Hello',
    '2Hello',
    '3Hello',
  ]);
  expect(engine.asked.map((asked) => 'text' in asked && asked.text)).toEqual(['a', 'a', 'b', 'b']);
  expect(engine.asked[0]).toMatchObject({ maxTokens: 16 });
  await post('/completions', { model: 'scripted', prompt: [1, 2, 3] });
  expect(engine.asked.at(-1)).toMatchObject({ ids: [1, 2, 3] });
  const events = await eventsOf(await post('/completions', { model: 'scripted', prompt: 'a', stream: true }));
  expect(events.map(({ choices }) => (choices as [{ text: string }])[0].text).join('')).toBe('Hello');
});

const schema = (schema: unknown) => ({ type: 'json_schema', json_schema: { name: 'x', schema } });

test.each<[string, Record<string, unknown>, number, string]>([
  ['no messages', { messages: undefined }, 400, 'messages'],
  ['empty messages', { messages: [] }, 400, 'messages'],
  ['a role that is none', { messages: [{ role: 'king', content: 'Hi' }] }, 400, 'messages[0].role'],
  [
    'an image',
    { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }] },
    400,
    'messages[0].content[0].type',
  ],
  ['a tool that answers nobody', { messages: [{ role: 'tool', content: '1' }] }, 400, 'messages[0].tool_call_id'],
  ['a temperature too high', { temperature: 3 }, 400, 'temperature'],
  ['a temperature that is a text', { temperature: '1' }, 400, 'temperature'],
  ['n of 0', { n: 0 }, 400, 'n'],
  ['an empty stop', { stop: [''] }, 400, 'stop[0]'],
  ['a bias of a word', { logit_bias: { word: 1 } }, 400, 'logit_bias.word'],
  ['a bias out of range', { logit_bias: { 1: 200 } }, 400, 'logit_bias.1'],
  ['top_logprobs alone', { top_logprobs: 2 }, 400, 'top_logprobs'],
  ['stream options without a stream', { stream_options: { include_usage: true } }, 400, 'stream_options'],
  ['two bounds of tokens', { max_tokens: 1, max_completion_tokens: 2 }, 400, 'max_tokens'],
  ['a field that nobody knows', { fly: true }, 400, 'fly'],
  ['old functions', { functions: [] }, 400, 'functions'],
  ['sound', { modalities: ['audio'] }, 400, 'modalities'],
  ['storing', { store: true }, 400, 'store'],
  ['a prediction', { prediction: { type: 'content', content: '' } }, 400, 'prediction'],
  ['a format that is none', { response_format: { type: 'xml' } }, 400, 'response_format.type'],
  ['a schema that is none', { response_format: schema(3) }, 400, 'response_format.json_schema.schema'],
  [
    'a schema with «not»',
    { response_format: schema({ properties: { a: { not: {} } } }) },
    400,
    'response_format.json_schema.schema.properties.a.not',
  ],
  ['stop within JSON', { stop: 'x', response_format: { type: 'json_object' } }, 400, 'stop'],
  ['a required tool where there is none', { tool_choice: 'required' }, 400, 'tool_choice'],
  [
    'a named tool that is not there',
    { tool_choice: { type: 'function', function: { name: 'x' } } },
    400,
    'tool_choice.function.name',
  ],
  ['a tool without a name', { tools: [{ type: 'function', function: {} }] }, 400, 'tools[0].function.name'],
  ['another model', { model: 'gpt-4' }, 404, 'model'],
])('refuses %s, by the name of the field', async (_, fields, status, param) => {
  const engine = new ScriptedEngine();
  const response = await api(engine).chat(fields);
  expect(response.status).toBe(status);
  const { error } = (await body(response)) as { error: { message: string; param: string } };
  expect(error.param).toBe(param);
  expect(engine.asked).toEqual([]);
});

test('null counts as not there, and values that ask for nothing are taken', async () => {
  const fields = {
    stop: null,
    tools: null,
    fly: null,
    store: false,
    modalities: ['text'],
    service_tier: 'auto',
    user: 'me',
  };
  expect((await api(new ScriptedEngine()).chat(fields)).status).toBe(200);
});

test('bodies that are no JSON, too large, or of another type', async () => {
  const { post } = api(new ScriptedEngine(), { mostBytes: 100 });
  const code = async (response: Promise<Response>): Promise<unknown> => {
    const answer = await response;
    const { error } = (await answer.json()) as { error: { code: string } };
    return [answer.status, error.code];
  };
  expect(await code(post('/chat/completions', '{'))).toEqual([400, 'invalid_json']);
  expect(await code(post('/chat/completions', '[]'))).toEqual([400, 'invalid_type']);
  expect(await code(post('/chat/completions', ' '.repeat(101)))).toEqual([413, 'body_too_large']);
  expect(await code(post('/chat/completions', '{}', { headers: { 'Content-Type': 'text/plain' } }))).toEqual([
    415,
    'unsupported_media_type',
  ]);
  expect(await code(post('/embeddings', '{}'))).toEqual([404, 'not_found']);
  expect(await code(post('/models', '{}'))).toEqual([405, 'method_not_allowed']);
});

test('what the engine cannot do has a status of its own', async () => {
  const engine = new ScriptedEngine();
  for (const [code, status] of [
    ['context', 400],
    ['nothing-allowed', 400],
    ['worker', 503],
    ['lost', 500],
  ] as const) {
    engine.failure = { code, message: 'no' };
    expect((await api(engine).chat()).status).toBe(status);
    // Nothing was streamed yet: so it is an error with a status here too.
    expect((await api(engine).chat({ stream: true })).status).toBe(status);
  }
  engine.model = undefined;
  expect((await api(engine).chat()).status).toBe(503);
  const onCpu = new ScriptedEngine({
    ...MODEL,
    abilities: { mask: false, logprobs: false, penaltiesCount: 'prompt-and-answer' },
  });
  expect((await api(onCpu).chat({ response_format: { type: 'json_object' } })).status).toBe(400);
  expect((await api(onCpu).chat({ logprobs: true })).status).toBe(400);
});

test('one is answered at a time, in the order they came, and too many are sent away', async () => {
  const engine = new ScriptedEngine();
  engine.pause = () => new Promise((done) => setTimeout(done, 1));
  const { chat } = api(engine, { mostWaiting: 3 });
  const responses = await Promise.all(Array.from({ length: 6 }, (_, i) => chat({ seed: i })));
  expect(responses.map(({ status }) => status)).toEqual([200, 200, 200, 200, 429, 429]);
  expect(engine.asked.map(({ sampling }) => sampling?.seed)).toEqual([0, 1, 2, 3]);
  expect(engine.mostRunning).toBe(1);
});

test('a request for several answers lets others in between', async () => {
  const engine = new ScriptedEngine();
  engine.pause = () => new Promise((done) => setTimeout(done, 1));
  const { chat } = api(engine);
  await Promise.all([chat({ n: 3, seed: 0 }), chat({ seed: 100 })]);
  expect(engine.asked.map(({ sampling }) => sampling?.seed)).toEqual([0, 100, 1, 2]);
});

test('whoever leaves, waiting, answered or reading, gives the place back at once', async () => {
  const engine = new ScriptedEngine();
  engine.pieces = Array.from({ length: 1000 }, () => 'x');
  engine.pause = () => new Promise((done) => setTimeout(done, 1));
  const { chat } = api(engine, { mostWaiting: 1 });
  const [first, second] = [new AbortController(), new AbortController()];
  const answered = chat({}, { signal: first.signal });
  await new Promise((done) => setTimeout(done, 5));
  const waiting = chat({}, { signal: second.signal });
  await new Promise((done) => setTimeout(done, 5));
  second.abort();
  expect((await waiting).status).toBe(499);
  first.abort();
  expect((await answered).status).toBe(499);
  const reading = await chat({ stream: true });
  const reader = reading.body!.getReader();
  await reader.read();
  await reader.cancel();
  await expect.poll(() => engine.running).toBe(0);
  expect(engine.asked).toHaveLength(2);
  expect(engine.aborted).toBe(2);
});

test('what goes wrong in the middle of a stream is its last event', async () => {
  const engine = new ScriptedEngine();
  let pauses = 0;
  engine.pause = async () => {
    pauses += 1;
    if (pauses === 3) throw new Error('broken');
  };
  const text = await (await api(engine).chat({ stream: true })).text();
  expect(text).toContain('"content":"Hel"');
  expect(text.trimEnd().split('\n\n').at(-1)).toMatch(
    /^data: \{"error":\{"message":"Something went wrong here: broken"/,
  );
});

test('an answer that begins early can be left before it is whole; what is wrong before that keeps its status', async () => {
  const engine = new ScriptedEngine();
  const { chat } = api(engine, { early: true });
  expect(await body(await chat())).toMatchObject({ object: 'chat.completion', usage: { total_tokens: 9 } });
  engine.failure = { code: 'context', message: 'too long' };
  expect((await chat()).status).toBe(400);
  engine.failure = undefined;
  Object.assign(engine, {
    pieces: Array.from({ length: 10_000 }, () => 'x'),
    pause: () => new Promise((done) => setTimeout(done, 1)),
  });
  const begun = await chat();
  expect(begun.status).toBe(200);
  expect(engine.running).toBe(1);
  await begun.body!.cancel();
  await expect.poll(() => engine.running).toBe(0);
  expect(engine.aborted).toBe(1);
});

const CITY = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const LOOKUP = { type: 'function', function: { name: 'lookup', parameters: { type: 'object' } } };

test.each([
  ['hermes', '{"city": "<tool_call>{\\"name\\": \\"lookup\\", \\"arguments\\": {}}</tool_call>"}'],
  ['mistral', '{"city": "[TOOL_CALLS][{\\"name\\": \\"lookup\\"}]"}'],
  ['llama3', '{"city": "{\\"name\\": \\"lookup\\", \\"parameters\\": {}}"}'],
  ['phi', '{"city": "functools[{\\"name\\": \\"lookup\\"}] <|tool_call|>"}'],
] as const)('an answer by a schema stays what it is, whatever it has in it (%s)', async (toolFormat, said) => {
  const engine = new ScriptedEngine({ ...MODEL, toolFormat });
  engine.pieces = [...said];
  const response = await api(engine).chat({ tools: [LOOKUP], response_format: schema(CITY) });
  const { choices } = (await response.json()) as { choices: { message: object; finish_reason: string }[] };
  expect(choices[0]).toMatchObject({ message: { content: said }, finish_reason: 'stop' });
  expect(choices[0]!.message).not.toHaveProperty('tool_calls');
});

test.each([
  ['hermes', '<tool_call>\n{"name": "lookup", "arguments": {"a": 1}}\n</tool_call>'],
  ['mistral', '[TOOL_CALLS][{"name": "lookup", "arguments": {"a": 1}}]'],
  ['llama3', '{"name": "lookup", "parameters": {"a": 1}}'],
  ['phi', '<|tool_call|>[{"name": "lookup", "arguments": {"a": 1}}]<|/tool_call|>'],
] as const)('beside it calls are calls (%s)', async (toolFormat, said) => {
  const engine = new ScriptedEngine({ ...MODEL, toolFormat });
  engine.pieces = [...said];
  const response = await api(engine).chat({ tools: [LOOKUP], response_format: schema(CITY) });
  const { choices } = (await response.json()) as { choices: object[] };
  expect(choices[0]).toMatchObject({
    message: { content: null, tool_calls: [{ function: { name: 'lookup', arguments: '{"a": 1}' } }] },
    finish_reason: 'tool_calls',
  });
});

test.each([
  ['any object', { type: 'json_object' }],
  ['one with a name', schema({ type: 'object', properties: { name: { type: 'string' } }, required: ['name'] })],
  ['one that is open', schema({ ...CITY, additionalProperties: true })],
  ['one of several', schema({ anyOf: [CITY] })],
])('where calls have no mark, an answer that could be one is refused by name: %s', async (_, format) => {
  const engine = new ScriptedEngine({ ...MODEL, toolFormat: 'llama3' });
  const response = await api(engine).chat({ tools: [LOOKUP], response_format: format });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { param: 'response_format' } });
});
