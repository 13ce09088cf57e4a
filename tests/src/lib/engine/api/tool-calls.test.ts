/** Calls of tools, in the formats of the families, found in answers cut into pieces anywhere. */
import { expect, test } from 'vitest';
import { ToolCallParser, type AnswerEvent } from '$lib/engine/api/tool-calls';
import { TOOL_FORMATS } from '$lib/engine/api/tool-formats';
import type { ToolFormatName } from '$lib/engine/protocol';
import { api, eventsOf, MODEL, ScriptedEngine } from './scripted';

const NAMES = ['weather', 'add'];

interface Found {
  text: string;
  calls: { name: string; arguments: string }[];
}

function found(events: readonly AnswerEvent[]): Found {
  const all: Found = { text: '', calls: [] };
  for (const event of events) {
    if (event.type === 'text') all.text += event.text;
    else if (event.type === 'call') all.calls.push({ name: event.name, arguments: '' });
    else all.calls[event.index]!.arguments += event.text;
  }
  return all;
}

function parse(format: ToolFormatName, text: string, size: number): Found {
  const parser = new ToolCallParser(TOOL_FORMATS[format], NAMES);
  const events: AnswerEvent[] = [];
  for (let at = 0; at < text.length; at += size) events.push(...parser.push(text.slice(at, at + size)));
  return found([...events, ...parser.finish()]);
}

const PARIS = { name: 'weather', arguments: '{"city": "Paris, {<\\"tool_call>", "days": [1, 2]}' };
const SUM = { name: 'add', arguments: '{"a":1,"b":{}}' };
const object = ({ name, arguments: given }: typeof SUM, key = 'arguments'): string =>
  `{"name": "${name}", "${key}": ${given}}`;

test.each<[string, ToolFormatName, string, Found]>([
  ['text alone', 'hermes', 'It is < 3 <tool> warm.', { text: 'It is < 3 <tool> warm.', calls: [] }],
  ['one call', 'hermes', `<tool_call>\n${object(PARIS)}\n</tool_call>`, { text: '', calls: [PARIS] }],
  [
    'text, then two',
    'hermes',
    `Let me see.\n<tool_call>\n${object(PARIS)}\n</tool_call>\n<tool_call>${object(SUM)}</tool_call>`,
    { text: 'Let me see.', calls: [PARIS, SUM] },
  ],
  [
    'arguments first',
    'hermes',
    '<tool_call>{"arguments": {"a":1,"b":{}}, "name": "add"}</tool_call>',
    { text: '', calls: [SUM] },
  ],
  [
    'no arguments',
    'hermes',
    '<tool_call>{"name": "add"}</tool_call>',
    { text: '', calls: [{ name: 'add', arguments: '{}' }] },
  ],
  [
    'cut off',
    'hermes',
    '<tool_call>{"name": "add", "arguments": {"a":',
    { text: '', calls: [{ name: 'add', arguments: '{"a":' }] },
  ],
  ['cut off before the name', 'hermes', '<tool_call>{"na', { text: '{"na', calls: [] }],
  ['no call after the mark', 'hermes', '<tool_call>nonsense here', { text: 'nonsense here', calls: [] }],
  ['bare', 'llama3', object(PARIS, 'parameters'), { text: '', calls: [PARIS] }],
  [
    'bare, two',
    'llama3',
    `${object(PARIS, 'parameters')}; ${object(SUM, 'parameters')}`,
    { text: '', calls: [PARIS, SUM] },
  ],
  ['marked', 'llama3', `<|python_tag|>${object(SUM, 'parameters')}<|eom_id|>`, { text: '', calls: [SUM] }],
  [
    'an object that is no call',
    'llama3',
    '{"name": "Bob", "age": 3} is JSON.',
    { text: '{"name": "Bob", "age": 3} is JSON.', calls: [] },
  ],
  ['JSON in a text', 'llama3', `Call ${object(SUM)}`, { text: `Call ${object(SUM)}`, calls: [] }],
  ['a list', 'mistral', `[TOOL_CALLS] [${object(PARIS)}, ${object(SUM)}]`, { text: '', calls: [PARIS, SUM] }],
  [
    'by name',
    'mistral',
    `[TOOL_CALLS]weather[ARGS]${PARIS.arguments}[TOOL_CALLS]add${SUM.arguments}`,
    { text: '', calls: [PARIS, SUM] },
  ],
  ['a list in text', 'mistral', '[1, 2]', { text: '[1, 2]', calls: [] }],
  ['a list', 'phi', `functools[${object(PARIS)}, ${object(SUM)}]`, { text: '', calls: [PARIS, SUM] }],
  ['marked', 'phi', `<|tool_call|>[${object(SUM)}]<|/tool_call|>`, { text: '', calls: [SUM] }],
  ['bare list', 'phi', `[${object(SUM)}]`, { text: '', calls: [SUM] }],
])('%s (%s)', (_, format, text, expected) => {
  for (const size of [1, 2, 3, 7, 1000]) expect(parse(format, text, size), `pieces of ${size}`).toEqual(expected);
});

test('text goes out as it comes, arguments too', () => {
  const parser = new ToolCallParser(TOOL_FORMATS.hermes, NAMES, () => 'call_1');
  expect(parser.push('Well, ')).toEqual([{ type: 'text', text: 'Well,' }]);
  expect(parser.push('so.')).toEqual([{ type: 'text', text: ' so.' }]);
  expect(parser.push('<tool_call>{"name": "add",')).toEqual([{ type: 'call', index: 0, id: 'call_1', name: 'add' }]);
  expect(parser.push(' "arguments": {"a"')).toEqual([{ type: 'arguments', index: 0, text: '{"a"' }]);
});

const tools = [
  {
    type: 'function',
    function: { name: 'add', parameters: { type: 'object', properties: { a: { type: 'integer' } } } },
  },
];

test('a call is told whole, and streamed', async () => {
  const engine = new ScriptedEngine();
  engine.pieces = ['<tool_', 'call>\n{"name": "add", ', '"arguments": {"a"', ': 1}}\n</tool_call>'];
  const { chat } = api(engine);
  const whole = (await (await chat({ tools })).json()) as { choices: [{ message: { tool_calls: object[] } }] };
  expect(whole).toMatchObject({
    choices: [
      {
        finish_reason: 'tool_calls',
        message: {
          content: null,
          tool_calls: [{ type: 'function', function: { name: 'add', arguments: '{"a": 1}' } }],
        },
      },
    ],
  });
  const events = await eventsOf(await chat({ tools, stream: true }));
  const calls = events.flatMap(
    ({ choices }) =>
      (choices as [{ delta: { tool_calls?: { id?: string; function: { arguments: string } }[] } }])[0].delta
        .tool_calls ?? [],
  );
  expect(calls[0]!.id).toMatch(/^call_\w{24}$/);
  expect(calls.map((call) => call.function.arguments).join('')).toBe('{"a": 1}');
  expect(engine.asked[0]).toMatchObject({ tools: [{ type: 'function', function: { name: 'add' } }] });
});

test('none, required, named, strict, and one alone', async () => {
  const engine = new ScriptedEngine();
  const { chat } = api(engine);
  await chat({ tools, tool_choice: 'none' });
  expect(engine.asked.at(-1)).not.toHaveProperty('tools');
  await chat({ tools });
  expect(engine.asked.at(-1)).not.toHaveProperty('grammar');
  await chat({ tools, tool_choice: 'required' });
  expect(engine.asked.at(-1)!.grammar).toMatch(/^root ::= .*call \("\\u000a" call\)\*/);
  await chat({ tools, tool_choice: { type: 'function', function: { name: 'add' } } });
  expect(engine.asked.at(-1)!.grammar).toMatch(/^root ::= "" call ""$/m);
  await chat({ tools: [{ ...tools[0], function: { ...tools[0]!.function, strict: true } }] });
  expect(engine.asked.at(-1)!.grammar).toMatchObject({
    trigger: '<tool_call>',
    tags: [{ begin: '<tool_call>\n{"name": "add", "arguments": ' }],
  });
  const call = '<tool_call>{"name": "add", "arguments": {"a": 1}}</tool_call>';
  engine.pieces = [call, call, 'more'];
  const told = (await (await chat({ tools, parallel_tool_calls: false })).json()) as {
    choices: [{ message: { tool_calls: object[] } }];
  };
  expect(told).toMatchObject({ choices: [{ finish_reason: 'tool_calls' }] });
  expect(told.choices[0].message.tool_calls).toHaveLength(1);
});

test('a model whose template knows no tools refuses them', async () => {
  const engine = new ScriptedEngine();
  engine.model = { ...MODEL };
  delete (engine.model as { toolFormat?: unknown }).toolFormat;
  expect((await api(engine).chat({ tools })).status).toBe(400);
});
