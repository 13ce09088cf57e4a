/** The worker's side without the worker: which way a model takes, one thing at a time, and what the page is told. */
import { expect, test } from 'vitest';
import { GpuError } from '$gpu';
import { ChatModel } from '$lib/engine/chat-model';
import { Host, type HostParts, type Opened, type Way } from '$lib/engine/host';
import type { GenerateProgress, LoadProgress } from '$lib/engine/protocol';
import { ChatTemplate, jsonTemplates } from '$lib/text';
import { pocketFile, pocketTokenizer } from '../../../support/text/tokenizers';
import { SaidRunner } from './fakes';

const tokenizer = pocketTokenizer();
const template = new ChatTemplate(jsonTemplates(pocketFile('tokenizer_config.json')), tokenizer.specialTexts());
const url = 'http://localhost/model.gguf';
const messages = [{ role: 'user', content: 'Hi' }] as const;
const endless = new AbortController().signal;
const ignore = (): void => {};

function opened(name: string, runner = new SaidRunner(['Hel', 'lo'])): Opened {
  return { model: new ChatModel({ tokenizer, template, runner }), facts: { name, bytes: 1 } };
}

function hostOf(parts: Partial<HostParts>): Host {
  return new Host({
    choose: async () => ({ path: 'cpu', reason: 'no-adapter', detail: 'no GPU' }),
    openOnCpu: async () => opened('on the processor'),
    ...parts,
  });
}

function gpuWay(open: () => Promise<Opened>): Pick<HostParts, 'choose'> {
  return { choose: async (): Promise<Way> => ({ path: 'gpu', reason: 'gpu', open }) };
}

test('without a GPU it is the processor, with the reason', async () => {
  const seen: LoadProgress[] = [];
  const model = await hostOf({}).load({ url, quant: 'auto' }, (progress) => seen.push(progress), endless);
  expect(model).toMatchObject({ name: 'on the processor', path: 'cpu', reason: 'no-adapter', detail: 'no GPU' });
  expect(model.context).toBe(100);
  expect(seen[0]).toEqual({ phase: 'device' });
});

test('with a GPU it is that', async () => {
  const host = hostOf(gpuWay(async () => opened('on the GPU')));
  expect(await host.load({ url }, ignore, endless)).toMatchObject({ name: 'on the GPU', path: 'gpu', reason: 'gpu' });
});

test('a GPU that fails is a reason for the processor, unless it was asked for', async () => {
  const host = hostOf(gpuWay(() => Promise.reject(new GpuError('self-test', 'it computes wrongly'))));
  expect(await host.load({ url, quant: 'auto' }, ignore, endless)).toMatchObject({
    path: 'cpu',
    reason: 'gpu-failed',
    detail: 'it computes wrongly',
  });
  await expect(host.load({ url, path: 'gpu' }, ignore, endless)).rejects.toMatchObject({ code: 'self-test' });
});

test('the processor quantises nothing, and says so; nor is it taken where a GPU fails at that', async () => {
  await expect(hostOf({}).load({ url, quant: 'q8' }, ignore, endless)).rejects.toMatchObject({
    code: 'cpu',
    message: expect.stringContaining('«quant»') as string,
  });
  const broken = hostOf(gpuWay(() => Promise.reject(new GpuError('self-test', 'it computes wrongly'))));
  await expect(broken.load({ url, quant: 'q8' }, ignore, endless)).rejects.toMatchObject({ code: 'self-test' });
});

test('what quantising cost is told', async () => {
  const quantised = [{ name: 'a.weight', type: 'F16', layout: 'q8', rms: 0.002, max: 0.004 }] as const;
  const one = opened('on the GPU');
  const host = hostOf(gpuWay(async () => ({ ...one, facts: { ...one.facts, quantised } })));
  expect(await host.load({ url, quant: 'q8' }, ignore, endless)).toMatchObject({ quantised });
});

test('a file that is broken is broken on every path', async () => {
  const host = hostOf(gpuWay(() => Promise.reject(new Error('no such file'))));
  await expect(host.load({ url }, ignore, endless)).rejects.toThrow('no such file');
});

test('an answer comes as progress, and ends with its figures', async () => {
  const host = hostOf({});
  await host.load({ url }, ignore, endless);
  const seen: GenerateProgress[] = [];
  expect(host.count({ messages })).toBeGreaterThan(0);
  const end = await host.generate({ messages }, (progress) => seen.push(progress), endless);
  expect(end).toMatchObject({ reason: 'end' });
  expect(seen[0]).toMatchObject({ type: 'prefill' });
  expect(seen.slice(1)).toEqual([
    { type: 'text', text: 'Hel', tokens: [{ id: 0 }] },
    { type: 'text', text: 'lo', tokens: [{ id: 1 }] },
  ]);
});

test('what the request asks of tokens goes to the model; a mask only if it says so', async () => {
  const runner = new SaidRunner(['a']);
  const host = hostOf({ openOnCpu: async () => opened('a model', runner) });
  expect((await host.load({ url }, ignore, endless)).abilities).toEqual(runner.abilities);
  const mask = (): undefined => undefined;
  await host.generate({ messages, logprobs: 2, sampling: { typicalP: 0.5 } }, ignore, endless, mask);
  await host.generate({ messages, masked: true }, ignore, endless, mask);
  expect(runner.asked[0]!.options).toMatchObject({ logprobs: 2, sampling: { typicalP: 0.5 } });
  expect(runner.asked[0]!.options).not.toHaveProperty('mask');
  expect(runner.asked[1]!.options.mask).toBe(mask);
});

test('without a model there is no answer', async () => {
  const host = hostOf({});
  await expect(host.generate({ messages }, ignore, endless)).rejects.toMatchObject({ code: 'no-model' });
  await host.load({ url }, ignore, endless);
  host.unload();
  expect(() => host.count({ messages })).toThrow(expect.objectContaining({ code: 'no-model' }) as Error);
  await expect(host.generate({ messages }, ignore, endless)).rejects.toMatchObject({ code: 'no-model' });
});

test('a new model takes the place of the old one, whose memory is given back', async () => {
  const first = new SaidRunner(['1']);
  const runners = [first, new SaidRunner(['2'])];
  const host = hostOf({ openOnCpu: async () => opened('a model', runners.shift()) });
  await host.load({ url }, ignore, endless);
  await host.load({ url }, ignore, endless);
  expect(first.closed).toBe(true);
});

test('one model is opened at a time; a load that was stopped gives its memory back, and leaves room', async () => {
  const stop = new AbortController();
  const late = new SaidRunner([]);
  const host = hostOf({
    openOnCpu: async ({ signal }) => {
      if (signal === stop.signal) await new Promise((done) => signal.addEventListener('abort', done));
      return opened('a model', signal === stop.signal ? late : undefined);
    },
  });
  const first = host.load({ url }, ignore, stop.signal);
  await expect(host.load({ url }, ignore, endless)).rejects.toMatchObject({ code: 'busy' });
  stop.abort();
  await expect(first).rejects.toMatchObject({ name: 'AbortError' });
  expect(late.closed).toBe(true);
  expect(await host.load({ url }, ignore, endless)).toMatchObject({ path: 'cpu' });
});

test('measuring tells rates on any path, and where the time goes where the GPU can be asked', async () => {
  const step = {
    tokens: 1,
    position: 0,
    dispatches: 0,
    operations: [],
    leastMs: 0,
    medianMs: 0,
    clock: 'gpu',
  } as const;
  const asked: number[] = [];
  const runner = (): SaidRunner => new SaidRunner(['a'], 4096);
  const profile = async (promptTokens: number) => {
    asked.push(promptTokens);
    return { prompt: step, token: step, weightBytes: 7 };
  };
  const gpu = hostOf(gpuWay(async () => ({ ...opened('on the GPU', runner()), profile })));
  await expect(gpu.measure(ignore)).rejects.toMatchObject({ code: 'no-model' });
  await gpu.load({ url }, ignore, endless);
  const steps: string[] = [];
  expect((await gpu.measure(({ step: now }) => steps.push(now))).profile?.weightBytes).toBe(7);
  expect(asked).toEqual([3]);
  expect([...new Set(steps)]).toEqual(['answers', 'operations']);

  const cpu = hostOf({ openOnCpu: async () => opened('on the processor', runner()) });
  await cpu.load({ url }, ignore, endless);
  const figures = await cpu.measure(ignore);
  expect(figures.answers.prefill.median).toBe(3000);
  expect(figures.profile).toBeUndefined();
});
