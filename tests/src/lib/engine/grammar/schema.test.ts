/** Whatever a grammar lets through is valid by its schema: random answers, judged by Ajv. */
import { afterAll, expect, inject, test } from 'vitest';
import { readChatCompletion } from '$lib/engine/api/chat-request';
import { ebnfOfSchema } from '$lib/engine/grammar';
import { missingPackage } from '../../../../support/oracles';
import { pocketTokenizer, spmTokenizer } from '../../../../support/text/tokenizers';
import { MODEL } from '../api/scripted';
import { RandomWalker } from './random-walk';
import { SCHEMAS } from './schemas';
import { validator } from './validator';

const walker = new RandomWalker(pocketTokenizer());
afterAll(() => walker.close());

const walks = inject('large') ? 50 : 5;

test.for(Object.keys(SCHEMAS))('%s', async (name, context) => {
  const missing = missingPackage('ajv');
  if (missing) return context.skip(missing);
  const schema = SCHEMAS[name];
  const ajv = await validator(name === 'draft4tuple' ? 'draft7' : '2020');
  const validate = ajv.compile(schema);
  const grammar = ebnfOfSchema(schema, 'schema');
  let ended = 0;
  for (let seed = 0; seed < walks; seed++) {
    const walk = await walker.walk(grammar, seed);
    if (!walk.ended) continue;
    ended += 1;
    const value: unknown = JSON.parse(walk.text);
    expect(validate(value), `${walk.text}\n${JSON.stringify(validate.errors)}`).toBe(true);
  }
  expect(ended).toBeGreaterThan(0);
});

test('a SentencePiece vocabulary, with more logits than tokens', async () => {
  const spm = new RandomWalker(spmTokenizer(), 320);
  const { text, ended } = await spm.walk(ebnfOfSchema(SCHEMAS.contact, 'schema'), 1);
  expect(ended).toBe(true);
  expect(Object.keys(JSON.parse(text) as object)).toEqual(['name', 'email', 'phone']);
  spm.close();
});

test('a grammar that is none is an error, and the next one is read', async () => {
  await expect(walker.walk('root ::= "', 0)).rejects.toMatchObject({ code: 'grammar' });
  expect(await walker.walk('root ::= "yes" | "no"', 0)).toMatchObject({ ended: true });
});

test('free text with tags that hold', async () => {
  const grammar = {
    trigger: '<tool_call>',
    tags: [{ begin: '<tool_call>{"a": ', grammar: 'root ::= [0-9]', end: '}</tool_call>' }],
  };
  const { text } = await walker.walk(grammar, 3);
  for (const call of text.split('<tool_call>').slice(1)) expect(call).toMatch(/^\{"a": \d\}<\/tool_call>/);
});

test.each([
  ['hermes', /(<tool_call>\{"name":"add","arguments":\{"b":(true|false)\}\}<\/tool_call>)+/],
  [
    'llama3',
    /\{"name":"add","parameters":\{"b":(true|false)\}\}(;\{"name":"add","parameters":\{"b":(true|false)\}\})*/,
  ],
] as const)('an answer by a schema or calls of tools, whichever the model begins (%s)', async (toolFormat, calls) => {
  const body = {
    model: 'scripted',
    messages: [{ role: 'user', content: 'Hi' }],
    response_format: {
      type: 'json_schema',
      json_schema: { name: 'a', schema: { type: 'object', properties: { a: { enum: [1, 2] } }, required: ['a'] } },
    },
    tools: [
      {
        type: 'function',
        function: {
          name: 'add',
          parameters: { type: 'object', properties: { b: { type: 'boolean' } }, required: ['b'] },
        },
      },
    ],
  };
  const { grammar } = readChatCompletion(body, { ...MODEL, toolFormat });
  const seen = new Set<string>();
  for (let seed = 0; seed < 60; seed++) {
    const { text, ended } = await walker.walk(grammar!, seed);
    if (!ended) continue;
    const said = text.replace(/\s/g, '');
    expect(said).toMatch(new RegExp(`^(\\{"a":[12]\\}|${calls.source})$`));
    seen.add(/^\{"a"/.test(said) ? 'answer' : 'call');
  }
  expect([...seen].sort()).toEqual(['answer', 'call']);
  const regex = { ...body, response_format: { type: 'regex', regex: 'a' } };
  expect(() => readChatCompletion(regex, MODEL)).toThrow('two grammars');
});

test.each([
  ['not', { not: {} }, 's.not'],
  ['if', { type: 'object', if: {}, then: {} }, 's.if'],
  ['uniqueItems', { type: 'array', uniqueItems: true, items: { type: 'string' } }, 's.uniqueItems'],
  ['a reference elsewhere', { $ref: 'https://example.com/x.json' }, 's.$ref'],
  ['a reference to nothing', { properties: { a: { $ref: '#/$defs/a' } } }, 's.properties.a.$ref'],
  ['a reference to itself', { $ref: '#' }, 's'],
  ['looking ahead', { type: 'string', pattern: '^(?=a)' }, 's.pattern'],
  ['oneOf that overlaps', { oneOf: [{ type: 'integer' }, { type: 'number' }] }, 's.oneOf'],
  ['a type that is none', { type: 'float' }, 's.type'],
  ['nothing', { allOf: [{ type: 'string' }, { type: 'object' }] }, 's'],
  ['an empty range', { type: 'integer', minimum: 3, maximum: 2 }, 's'],
  ['multiples without bounds', { type: 'integer', multipleOf: 7 }, 's'],
  ['bounds that a pattern breaks', { type: 'string', pattern: '^a{5}$', maxLength: 3 }, 's.pattern'],
])('refuses %s by its path', (_, schema, path) => {
  expect(() => ebnfOfSchema(schema, 's')).toThrow(expect.objectContaining({ path }) as Error);
});
