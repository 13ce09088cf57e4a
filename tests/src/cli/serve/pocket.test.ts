/** `fireside serve` as people start it, with the pocket model: what README shows, and answers that hold to a form. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildCli } from '../../../../scripts/builds.js';
import { findEnvironments, vulkanEnvironment } from '../../../../scripts/environments.js';
import { root } from '../../../../scripts/packages.js';
import { ensurePocket } from '../../../../scripts/pocket.js';

const { lavapipe } = findEnvironments();

interface Answer {
  readonly choices: readonly [
    {
      readonly text: string;
      readonly finish_reason: string;
      readonly message: { content: string; tool_calls: { function: { name: string; arguments: string } }[] };
      readonly logprobs: { content: { token: string; logprob: number; bytes: number[]; top_logprobs: object[] }[] };
    },
  ];
  readonly usage: {
    prompt_tokens: number;
    completion_tokens: number;
    prompt_tokens_details: { cached_tokens: number };
  };
}

describe.skipIf(!lavapipe)('the pocket model', () => {
  let program: ChildProcess;
  let address = '';
  let model = '';

  beforeAll(async () => {
    expect(buildCli()).toBe(0);
    const { path } = await ensurePocket();
    program = spawn(
      process.execPath,
      [join(root, 'dist', 'cli.js'), 'serve', '--model', path, '--port', '0', '--context', '1024'],
      {
        env: { ...process.env, ...vulkanEnvironment(lavapipe!) },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const [line] = (await once(program.stdout!, 'data')) as [Buffer];
    [, model = '', address = ''] = /^(.*) answers at (\S+)/.exec(line.toString()) ?? [];
  });
  afterAll(() => program.kill('SIGKILL'));

  async function post(path: string, fields: object): Promise<Response> {
    const body = JSON.stringify({ model, temperature: 0, ...fields });
    return fetch(`${address}${path}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
  }
  async function chat(content: string, fields: object = {}): Promise<Answer> {
    const response = await post('/chat/completions', { messages: [{ role: 'user', content }], ...fields });
    expect(response.status, await response.clone().text()).toBe(200);
    return (await response.json()) as Answer;
  }

  test('it knows the capital of France, and the second time its prompt too', async () => {
    const first = await chat('What is the capital of France?', { stop: [' Paris'], logprobs: true, top_logprobs: 2 });
    expect(first.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: 'The capital of France is' } });
    const told = first.choices[0].logprobs.content;
    expect(told.map(({ token }) => token).join('')).toBe('The capital of France is');
    expect(told.every(({ logprob, top_logprobs: top }) => logprob <= 0 && top.length === 2)).toBe(true);
    expect(first.usage.prompt_tokens).toBe(33);
    const second = await chat('What is the capital of France?', { max_tokens: 3 });
    expect(second.choices[0].finish_reason).toBe('length');
    expect(second.usage).toMatchObject({ completion_tokens: 3, prompt_tokens_details: { cached_tokens: 32 } });
  });

  test('the same seed says the same, and a bias is felt', async () => {
    const hot = { temperature: 1.5, seed: 7, max_tokens: 12 };
    expect((await chat('Tell me a story.', hot)).choices[0].message).toEqual(
      (await chat('Tell me a story.', hot)).choices[0].message,
    );
    const [{ logprobs }] = (await chat('What is the capital of France?', { max_tokens: 1, logprobs: true })).choices;
    expect(logprobs.content[0]!.token).toBe('The');
    const response = await post('/completions', { prompt: 'Once upon a time', max_tokens: 5, logit_bias: { 2: -100 } });
    expect(((await response.json()) as Answer).choices[0].text).not.toBe('');
  });

  test('it streams', async () => {
    const response = await post('/chat/completions', {
      messages: [{ role: 'user', content: 'Hi' }],
      stream: true,
      max_tokens: 5,
    });
    const text = await response.text();
    expect(text).toMatch(/^data: \{"id":"chatcmpl-/);
    expect(text).toMatch(/"finish_reason":"length"/);
    expect(text).toMatch(/data: \[DONE\]\n\n$/);
  });

  test('held to a schema, a small model writes what it has to', async () => {
    const schema = {
      type: 'object',
      properties: {
        city: { type: 'string', maxLength: 12 },
        size: { enum: ['small', 'large'] },
        count: { type: 'integer', minimum: 1, maximum: 9 },
      },
      required: ['city', 'size', 'count'],
    };
    const response_format = { type: 'json_schema', json_schema: { name: 'city', schema } };
    const { choices } = await chat('Tell me of a city as JSON.', {
      response_format,
      max_tokens: 100,
      temperature: 1,
      seed: 1,
    });
    expect(choices[0].finish_reason).toBe('stop');
    const told = JSON.parse(choices[0].message.content) as { city: string; size: string; count: number };
    expect(Object.keys(told)).toEqual(['city', 'size', 'count']);
    expect(['small', 'large']).toContain(told.size);
    const regex = { response_format: { type: 'regex', regex: '(yes|no), (sure|perhaps)' }, max_tokens: 20 };
    expect((await chat('Is it warm?', regex)).choices[0].message.content).toMatch(/^(yes|no), (sure|perhaps)$/);
    const grammar = { response_format: { type: 'grammar', grammar: 'root ::= "a" [bc]{3} "d"' }, max_tokens: 20 };
    expect((await chat('Say something.', grammar)).choices[0].message.content).toMatch(/^a[bc]{3}d$/);
  });

  test('README’s request is answered as README says', async () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    const [, body = ''] = /curl \S+\/v1\/chat\/completions .* -d '(.*)'/.exec(readme) ?? [];
    const told = (await (await post('/chat/completions', JSON.parse(body) as object)).json()) as Answer;
    expect(['red', 'green']).toContain((JSON.parse(told.choices[0].message.content) as { colour: string }).colour);
  });

  test('a tool that has to be called is called', async () => {
    const parameters = {
      type: 'object',
      properties: { city: { enum: ['Paris', 'Rome'] }, days: { type: 'integer', minimum: 1, maximum: 9 } },
      required: ['city', 'days'],
    };
    const tools = [{ type: 'function', function: { name: 'weather', description: 'The weather', parameters } }];
    const tool_choice = { type: 'function', function: { name: 'weather' } };
    const [choice] = (await chat('How is the weather in Paris?', { tools, tool_choice, max_tokens: 80 })).choices;
    expect(choice.finish_reason).toBe('tool_calls');
    const [{ function: called }] = choice.message.tool_calls as [{ function: { name: string; arguments: string } }];
    expect(called.name).toBe('weather');
    expect(['Paris', 'Rome']).toContain((JSON.parse(called.arguments) as { city: string }).city);
  });

  test('a grammar that is none, and a prompt too long, are told', async () => {
    const grammar = await post('/chat/completions', {
      messages: [{ role: 'user', content: 'Hi' }],
      response_format: { type: 'grammar', grammar: 'root ::= "' },
    });
    expect(grammar.status).toBe(400);
    expect(await grammar.json()).toMatchObject({ error: { code: 'invalid_grammar' } });
    const long = await post('/completions', { prompt: 'word '.repeat(3000) });
    expect(await long.json()).toMatchObject({ error: { code: 'context_length_exceeded' } });
  });

  test('Ctrl+C ends it cleanly', async (context) => {
    if (process.platform === 'win32') return context.skip('Windows has no signals');
    program.kill('SIGINT');
    expect(await once(program, 'exit')).toEqual([0, null]);
  });
});
