/** The processor's engine, played by the test: what it is asked, and what is made of what it says. */
import { expect, test } from 'vitest';
import { type CpuEngine, CpuRunner } from '$lib/engine/cpu-runner';
import type { RunOptions } from '$lib/engine/runner';

type Params = Parameters<CpuEngine['createCompletion']>[0];
type Chunk = Awaited<ReturnType<CpuEngine['createCompletion']>> extends AsyncIterable<infer C> ? C : never;

function chunk(text: string, tokens: number, finish: 'stop' | 'length' | null = null): Chunk {
  const timings = { cache_n: 5, prompt_n: 7, prompt_ms: 70, predicted_n: tokens, predicted_ms: 10 * tokens };
  return { choices: [{ text, index: 0, finish_reason: finish, logprobs: null }], timings } as unknown as Chunk;
}

class PlayedEngine implements CpuEngine {
  asked: Params | undefined;
  exited = false;

  constructor(readonly say: (params: Params) => AsyncGenerator<Chunk>) {}

  async createCompletion(params: Params): Promise<AsyncIterable<Chunk>> {
    this.asked = params;
    return this.say(params);
  }

  async exit(): Promise<void> {
    this.exited = true;
  }
}

const prompt = { ids: [1, 2, 3], text: '<s>Hi' };
const endless = new AbortController().signal;

interface Ran {
  readonly text: string;
  readonly count: number;
  readonly end: unknown;
}

async function runOf(engine: PlayedEngine, options: Partial<RunOptions> = {}): Promise<Ran> {
  const run = new CpuRunner(engine, 64).run(prompt, { maxTokens: 10, signal: endless, ...options });
  let text = '';
  let count = 0;
  let step = await run.next();
  for (; !step.done; step = await run.next()) {
    text += step.value.text;
    count += step.value.count;
  }
  return { text, count, end: step.value };
}

test('it is given the spelt prompt, and nothing of llama.cpp’s own defaults', async () => {
  const engine = new PlayedEngine(async function* () {
    yield chunk('', 0);
    yield chunk('Par', 1);
    yield chunk('is', 2);
    yield chunk('', 3, 'stop');
  });
  expect(await runOf(engine)).toEqual({
    text: 'Paris',
    count: 2,
    end: { reason: 'end', prefill: { tokens: 7, reused: 5, ms: 70 }, decode: { tokens: 2, ms: 30 } },
  });
  expect(engine.asked).toMatchObject({
    prompt: '<s>Hi',
    max_tokens: 10,
    temperature: 0,
    top_k: 0,
    top_p: 1,
    min_p: 0,
    repeat_penalty: 1,
  });
  await expect(runOf(engine, { sampling: { topP: 2 } })).rejects.toMatchObject({ code: 'argument' });
});

test('sampling options have its names', async () => {
  const engine = new PlayedEngine(async function* () {
    yield chunk('a', 1, 'stop');
  });
  const sampling = {
    temperature: 0.5,
    topK: 40,
    topP: 0.9,
    minP: 0.1,
    repetitionPenalty: 1.1,
    presencePenalty: 0.2,
    frequencyPenalty: 0.3,
    typicalP: 0.8,
    logitBias: { 15: -2.5, 2: -Infinity },
    seed: 7,
  };
  await runOf(engine, { sampling });
  expect(engine.asked).toMatchObject({
    temperature: 0.5,
    top_k: 40,
    top_p: 0.9,
    min_p: 0.1,
    repeat_penalty: 1.1,
    presence_penalty: 0.2,
    frequency_penalty: 0.3,
    typical_p: 0.8,
    // Whole numbers as names come in their order.
    logit_bias: [
      [2, false],
      [15, -2.5],
    ],
    samplers: ['penalties', 'temperature', 'top_k', 'top_p', 'min_p', 'typ_p'],
    seed: 7,
  });
});

test('what the processor’s engine has not is refused by name, and told before', async () => {
  const engine = new PlayedEngine(async function* () {});
  expect(new CpuRunner(engine, 64).abilities).toEqual({
    mask: false,
    logprobs: false,
    penaltiesCount: 'prompt-and-answer',
  });
  for (const [name, options] of Object.entries({ mask: { mask: () => undefined }, logprobs: { logprobs: 0 } })) {
    const message = expect.stringContaining(`«${name}» needs the GPU`) as string;
    await expect(runOf(engine, options)).rejects.toMatchObject({ code: 'ability', message });
  }
  expect(engine.asked).toBeUndefined();
});

test('it tells how far the prompt is read', async () => {
  const engine = new PlayedEngine(async function* () {
    yield { ...chunk('', 0), prompt_progress: { total: 12, cache: 0, processed: 4, time_ms: 1 } };
    yield chunk('a', 1, 'stop');
  });
  const seen: number[][] = [];
  await runOf(engine, { onPrefill: (...progress) => seen.push(progress) });
  expect(seen).toEqual([[4, 12]]);
});

test('as many tokens as were asked for, or as the context holds', async () => {
  const engine = new PlayedEngine(async function* () {
    yield chunk('a', 2, 'length');
  });
  expect(await runOf(engine, { maxTokens: 2 })).toMatchObject({ end: { reason: 'length' } });
  expect(await runOf(engine, { maxTokens: 20 })).toMatchObject({ end: { reason: 'context' } });
});

test('stopped, it is done with what it has', async () => {
  const stop = new AbortController();
  const engine = new PlayedEngine(async function* () {
    yield chunk('a', 1);
    stop.abort();
    throw Object.assign(new Error('Operation aborted'), { name: 'AbortError' });
  });
  const run = runOf(engine, { signal: stop.signal });
  expect(await run).toMatchObject({ text: 'a', end: { reason: 'aborted', decode: { tokens: 0 } } });
});

test('what breaks is told in words, with a code', async () => {
  const engine = new PlayedEngine(async function* () {
    yield chunk('a', 1);
    throw new Error('out of memory');
  });
  await expect(runOf(engine)).rejects.toMatchObject({
    code: 'cpu',
    message: expect.stringContaining('out of memory') as string,
  });
});

test('closing ends the engine', () => {
  const engine = new PlayedEngine(async function* () {});
  new CpuRunner(engine, 64).close();
  expect(engine.exited).toBe(true);
});
