/** How fast this device was seen to answer, and which models tell. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { LoadedModel } from '$lib/engine/protocol';
import { noteSpeed, seenSpeeds } from '$lib/models/speed';

const MIB = 2 ** 20;
const kept = new Map<string, string>();

beforeEach(() => {
  kept.clear();
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
  });
});

afterEach(() => vi.unstubAllGlobals());

function model(bytes: number, given: Partial<LoadedModel> = {}): LoadedModel {
  const abilities = { mask: true, logprobs: true, penaltiesCount: 'answer' } as const;
  return { name: 'one', path: 'gpu', reason: 'asked', abilities, context: 4096, bytes, loadMs: 1, ...given };
}

test('bytes of the file, once a token; each way for itself', () => {
  noteSpeed(model(400 * MIB), { tokens: 100, ms: 4000 });
  noteSpeed(model(200 * MIB, { path: 'cpu' }), { tokens: 16, ms: 1600 });
  expect(seenSpeeds()).toEqual({ gpu: 25 * 400 * MIB, cpu: 10 * 200 * MIB });
});

test('the fastest so far, since a busy device shows less than it can do', () => {
  noteSpeed(model(400 * MIB), { tokens: 100, ms: 4000 });
  noteSpeed(model(400 * MIB), { tokens: 100, ms: 9000 });
  expect(seenSpeeds().gpu).toBe(25 * 400 * MIB);
  noteSpeed(model(800 * MIB), { tokens: 100, ms: 4000 });
  expect(seenSpeeds().gpu).toBe(25 * 800 * MIB);
});

test.each([
  ['one that is made of dispatches more than of weights', model(27 * MIB), 100],
  ['a short answer', model(400 * MIB), 15],
  ['one that was made smaller than its file', model(400 * MIB, { quantised: [] }), 100],
  ['a server', model(400 * MIB, { path: 'server' }), 100],
])('nothing is learned from %s', (_, one, tokens) => {
  noteSpeed(one, { tokens, ms: 1000 });
  expect(seenSpeeds()).toEqual({});
});

test('what others have written there, and a browser that keeps nothing, are as good as nothing', () => {
  for (const text of ['{', 'null', '7', '{"gpu":"fast","cpu":-1}']) {
    kept.set('fireside.speed', text);
    expect(seenSpeeds()).toEqual({});
  }
  vi.stubGlobal('localStorage', undefined);
  noteSpeed(model(400 * MIB), { tokens: 100, ms: 4000 });
  expect(seenSpeeds()).toEqual({});
});
