/** The page's end of the engine, against a worker that the test plays. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Engine, EngineError } from '$lib/engine/client';
import type { Inspection, MaskAnswer, Reply, Request, Stop } from '$lib/engine/protocol';

/** Stands in for the browser's Worker: keeps what was posted, and says what the test wants. */
class PlayedWorker extends EventTarget {
  static last: PlayedWorker;
  readonly posted: (Request | Stop | MaskAnswer)[] = [];
  terminated = false;

  constructor() {
    super();
    PlayedWorker.last = this;
  }

  postMessage(request: Request | Stop | MaskAnswer): void {
    this.posted.push(request);
  }

  terminate(): void {
    this.terminated = true;
  }

  reply(data: Reply): void {
    this.dispatchEvent(new MessageEvent('message', { data }));
  }

  breakDown(message: string): void {
    this.dispatchEvent(Object.assign(new Event('error'), { message }));
  }
}

beforeEach(() => vi.stubGlobal('Worker', PlayedWorker));
afterEach(() => vi.unstubAllGlobals());

const result = { text: 'a GPU' } as Inspection;

test('a call tells its progress and returns its result', async () => {
  const engine = new Engine();
  const stages: string[] = [];
  const call = engine.inspect((stage) => stages.push(stage));
  expect(PlayedWorker.last.posted).toEqual([{ id: 1, method: 'inspect' }]);
  PlayedWorker.last.reply({ id: 1, type: 'progress', progress: 'opening' });
  PlayedWorker.last.reply({ id: 1, type: 'progress', progress: 'measuring' });
  PlayedWorker.last.reply({ id: 1, type: 'done', result });
  expect(await call).toBe(result);
  expect(stages).toEqual(['opening', 'measuring']);
});

test('calls at the same time do not mix', async () => {
  const engine = new Engine();
  const first = engine.inspect();
  const second = engine.inspect();
  PlayedWorker.last.reply({ id: 2, type: 'failed', failure: { code: 'no-adapter', message: 'no GPU' } });
  PlayedWorker.last.reply({ id: 1, type: 'done', result });
  expect(await first).toBe(result);
  await expect(second).rejects.toMatchObject({ code: 'no-adapter', message: 'no GPU' });
});

test('a reply to a call that is over is let go', async () => {
  const engine = new Engine();
  const call = engine.inspect();
  PlayedWorker.last.reply({ id: 1, type: 'done', result });
  PlayedWorker.last.reply({ id: 1, type: 'failed', failure: { code: 'lost', message: 'late' } });
  expect(await call).toBe(result);
});

test('a worker that breaks fails every call under way, in words', async () => {
  const engine = new Engine();
  const calls = [engine.inspect(), engine.inspect()];
  PlayedWorker.last.breakDown('');
  for (const call of calls) {
    await expect(call).rejects.toThrow(EngineError);
    await expect(call).rejects.toMatchObject({ code: 'worker' });
    await expect(call).rejects.toThrow('could not be loaded');
  }
});

test('closing ends the worker and fails what is under way', async () => {
  const engine = new Engine();
  const call = engine.inspect();
  engine.close();
  expect(PlayedWorker.last.terminated).toBe(true);
  await expect(call).rejects.toMatchObject({ code: 'worker' });
});

test('a conversation goes out whole, and comes back in pieces', async () => {
  const engine = new Engine();
  const request = { messages: [{ role: 'user', content: 'Hi' }], maxTokens: 8 } as const;
  let text = '';
  const call = engine.generate(request, (progress) => {
    if (progress.type === 'text') text += progress.text;
  });
  expect(PlayedWorker.last.posted).toEqual([{ id: 1, method: 'generate', params: request }]);
  PlayedWorker.last.reply({ id: 1, type: 'progress', progress: { type: 'prefill', done: 1, total: 2 } });
  PlayedWorker.last.reply({ id: 1, type: 'progress', progress: { type: 'text', text: 'Hel', tokens: [{ id: 1 }] } });
  PlayedWorker.last.reply({ id: 1, type: 'progress', progress: { type: 'text', text: 'lo', tokens: [{ id: 2 }] } });
  const timings = { tokens: 2, prefill: { tokens: 2, reused: 0, ms: 1 }, decode: { tokens: 2, ms: 1 } };
  PlayedWorker.last.reply({ id: 1, type: 'done', result: { reason: 'end', timings } });
  expect(await call).toEqual({ reason: 'end', timings });
  expect(text).toBe('Hello');
});

test('one answer at a time: others wait their turn, and whoever stops waiting leaves', async () => {
  const engine = new Engine();
  const timings = { tokens: 1, prefill: { tokens: 1, reused: 0, ms: 1 }, decode: { tokens: 0, ms: 0 } };
  const done = (id: number): void => PlayedWorker.last.reply({ id, type: 'done', result: { reason: 'end', timings } });
  const stop = new AbortController();
  const first = engine.generate({ text: '1' });
  const second = engine.generate({ text: '2' }, undefined, stop.signal);
  const third = engine.generate({ text: '3' });
  stop.abort();
  expect(await second).toMatchObject({ reason: 'aborted', timings: { tokens: 0 } });
  expect(PlayedWorker.last.posted).toHaveLength(1);
  done(1);
  await first;
  await vi.waitFor(() => expect(PlayedWorker.last.posted).toMatchObject([{ id: 1 }, { id: 2, params: { text: '3' } }]));
  done(2);
  expect(await third).toMatchObject({ reason: 'end' });
  void engine.generate({ text: '4' });
  await vi.waitFor(() => expect(PlayedWorker.last.posted).toHaveLength(3));
});

test('a mask is asked for by the worker, before every token, and answered', async () => {
  const engine = new Engine();
  const masks = [new Uint32Array([1]), undefined];
  const told: (readonly number[])[] = [];
  const call = engine.generate({
    messages: [],
    mask: async (drawn) => {
      told.push(drawn);
      return masks[drawn.length];
    },
  });
  expect(PlayedWorker.last.posted).toEqual([{ id: 1, method: 'generate', params: { messages: [], masked: true } }]);
  for (const drawn of [[], [5]]) {
    PlayedWorker.last.reply({ id: 1, type: 'mask', drawn });
    await vi.waitFor(() => expect(PlayedWorker.last.posted).toHaveLength(drawn.length + 2));
    expect(PlayedWorker.last.posted.at(-1)).toEqual({ maskFor: 1, mask: masks[drawn.length] });
  }
  expect(told).toEqual([[], [5]]);
  PlayedWorker.last.reply({ id: 1, type: 'failed', failure: { code: 'nothing-allowed', message: 'none' } });
  await expect(call).rejects.toMatchObject({ code: 'nothing-allowed' });
});

test('what a mask throws ends the call on both sides', async () => {
  const engine = new Engine();
  const broken = new Error('the grammar is broken');
  const call = engine.generate({
    messages: [],
    mask: () => {
      throw broken;
    },
  });
  PlayedWorker.last.reply({ id: 1, type: 'mask', drawn: [] });
  await expect(call).rejects.toMatchObject({ code: 'unknown', message: 'the grammar is broken', cause: broken });
  expect(PlayedWorker.last.posted.at(-1)).toEqual({ maskFor: 1, failed: 'the grammar is broken' });
});

test('a signal stops the call that it was given to, and no other', async () => {
  const engine = new Engine();
  const stop = new AbortController();
  void engine.unload();
  const call = engine.load({ url: 'http://localhost/a.gguf' }, undefined, stop.signal);
  stop.abort();
  expect(PlayedWorker.last.posted.at(-1)).toEqual({ stop: 2 });
  PlayedWorker.last.reply({ id: 2, type: 'failed', failure: { code: 'aborted', message: 'It was stopped.' } });
  await expect(call).rejects.toMatchObject({ code: 'aborted' });
});

test('a call whose signal was given before is stopped at once; after its end a signal says nothing', async () => {
  const engine = new Engine();
  const call = engine.generate({ messages: [] }, undefined, AbortSignal.abort());
  expect(PlayedWorker.last.posted).toMatchObject([{ id: 1 }, { stop: 1 }]);
  PlayedWorker.last.reply({ id: 1, type: 'failed', failure: { code: 'no-model', message: 'none' } });
  await expect(call).rejects.toThrow('none');
  const stop = new AbortController();
  const over = engine.load({ url: 'http://localhost/a.gguf' }, undefined, stop.signal);
  PlayedWorker.last.reply({ id: 2, type: 'failed', failure: { code: 'source', message: 'gone' } });
  await expect(over).rejects.toThrow('gone');
  stop.abort();
  expect(PlayedWorker.last.posted).toHaveLength(3);
});
