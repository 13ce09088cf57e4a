/** The small parts of the store: patience, speed, turns, what was here before, files that a person chose. */
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { folderLocks } from '$lib/store/folder-locks';
import { tabLocks } from '$lib/store/locks';
import { localChoice, type LocalFile } from '$lib/store/local';
import { Meter } from '$lib/store/meter';
import { hasFiles, type Manifest } from '$lib/store/records';
import type { Choice } from '$lib/store/offer';
import { ENDLESS, retryAfter, wait, waitBefore } from '$lib/store/retry';
import { checkHub } from '$lib/store/settings';
import { Slots } from '$lib/store/slots';
import type { StoreState } from '$lib/store/state';
import { evictedOf, recall, remember } from '$lib/store/witness';

describe('patience', () => {
  test('each wait is twice as long, spread, and no longer than the longest', () => {
    expect([1, 2, 3, 9].map((failures) => waitBefore(failures, ENDLESS, undefined, 1))).toEqual([
      1000, 2000, 4000, 30_000,
    ]);
    expect(waitBefore(1, ENDLESS, undefined, 0)).toBe(500);
    expect(waitBefore(1, ENDLESS, 45_000)).toBe(45_000);
    // «At once», over and over, would be a storm of our own.
    expect(waitBefore(4, ENDLESS, 0, 1)).toBe(8000);
    expect(waitBefore(1, ENDLESS, Infinity)).toBe(3_600_000);
  });

  test.each<[Record<string, string>, number | undefined]>([
    [{ 'Retry-After': '7' }, 7000],
    [{ 'Retry-After': 'Thu, 01 Jan 1970 00:01:00 GMT' }, 20_000],
    [{ 'Retry-After': 'soon' }, undefined],
    [{ RateLimit: '"resolvers";r=0;t=55' }, 55_000],
    [{ RateLimit: '"resolvers";r=10;t=55' }, undefined],
    [{}, undefined],
  ])('%o', (headers, ms) => {
    expect(retryAfter(new Headers(headers), 40_000)).toBe(ms);
  });

  test('the network’s return ends a wait, and so does a stop', async () => {
    const network = new EventTarget();
    const waiting = wait(60_000, new AbortController().signal, network);
    network.dispatchEvent(new Event('online'));
    await waiting;
    const stop = new AbortController();
    const stopped = wait(60_000, stop.signal);
    stop.abort(new Error('stopped'));
    await expect(stopped).rejects.toThrow('stopped');
  });
});

test('speed is that of the last seconds', () => {
  let now = 0;
  const meter = new Meter(() => now);
  expect(meter.rate()).toBeUndefined();
  for (now = 0; now <= 10_000; now += 100) meter.add(now < 5000 ? 100 : 1000);
  now = 10_000;
  expect(meter.rate()).toBeCloseTo(10_000, -3);
  now = 16_000;
  expect(meter.rate()).toBe(0);
  meter.reset();
  expect(meter.rate()).toBeUndefined();
});

test('so many at once, in order; who leaves the queue takes nobody’s place', async () => {
  const slots = new Slots(1);
  const { signal } = new AbortController();
  const first = await slots.take(signal);
  const order: string[] = [];
  const stop = new AbortController();
  const left = slots.take(stop.signal);
  const second = slots.take(signal).then((release) => {
    order.push('second');
    release();
  });
  stop.abort(new Error('left'));
  await expect(left).rejects.toThrow('left');
  first();
  first();
  await second;
  (await slots.take(signal))();
  expect(order).toEqual(['second']);
});

describe('locks between programs', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fireside-locks-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('one at a time, and each in its turn', async () => {
    const { signal } = new AbortController();
    const [one, two] = [folderLocks(folder), folderLocks(folder)];
    const order: string[] = [];
    let end = (): void => {};
    let first = Promise.resolve();
    await new Promise<void>((begun) => {
      const use = (): Promise<void> => {
        begun();
        return new Promise((done) => (end = done));
      };
      first = one.hold('model', signal, use);
    });
    const second = two.hold('model', signal, async () => void order.push('second'));
    await new Promise((done) => setTimeout(done, 300));
    order.push('first');
    end();
    await Promise.all([first, second]);
    expect(order).toEqual(['first', 'second']);
    expect(readdirSync(join(folder, 'locks'))).toEqual([]);
  });

  test('what a program left behind that is gone, or whose number another has by now', async () => {
    const { signal } = new AbortController();
    const locks = folderLocks(folder);
    let path = '';
    await locks.hold('model', signal, async () => {
      path = join(folder, 'locks', readdirSync(join(folder, 'locks'))[0]!);
    });
    writeFileSync(path, '999999999');
    await locks.hold('model', signal, async () => {});
    writeFileSync(path, String(process.pid));
    utimesSync(path, new Date(0), new Date(0));
    await locks.hold('model', signal, async () => {});
  });
});

test('the same files, by what is known of them', () => {
  const file = { path: 'a.gguf', size: 3, sha256: 'x', chunks: [], version: '"1"' };
  const whole = { files: [file] } as unknown as Manifest;
  const has = (facts: object): boolean => hasFiles(whole, [{ path: 'a.gguf', size: 3, ...facts }]);
  expect([{ sha256: 'x' }, { version: '"1"' }, {}].map(has)).toEqual([true, true, true]);
  expect([{ sha256: 'y' }, { version: '"2"' }, { size: 4 }, { path: 'b' }].map(has)).toEqual([
    false,
    false,
    false,
    false,
  ]);
  expect(hasFiles(whole, [])).toBe(false);
});

describe('locks between tabs', () => {
  afterEach(() => vi.unstubAllGlobals());
  const { signal } = new AbortController();
  const locksOf = (request: unknown) => {
    vi.stubGlobal('navigator', { locks: { request } });
    return tabLocks();
  };

  test('denied to a frame, they are as if there were none', async () => {
    const denied = locksOf(() => Promise.reject(new DOMException('The request was denied.', 'SecurityError')));
    expect(await denied.hold('model', signal, async () => 'done')).toBe('done');
    const other = locksOf(() => Promise.reject(new TypeError('no such mode')));
    await expect(other.hold('model', signal, async () => 'done')).rejects.toThrow('no such mode');
  });

  test('stolen by somebody, what was begun comes to its end', async () => {
    const stolen = locksOf((_: string, __: unknown, use: () => Promise<unknown>) => {
      void use();
      return Promise.reject(new DOMException('stolen', 'AbortError'));
    });
    const use = vi.fn(async () => 'done');
    expect(await stolen.hold('model', signal, use)).toBe('done');
    expect(use).toHaveBeenCalledTimes(1);
  });
});

test('what was here and is gone', () => {
  const kept = new Map<string, string>();
  const witness = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, text: string) => kept.set(key, text),
  };
  const state = (models: readonly { name: string; bytes: number }[], ready = true): StoreState =>
    ({ ready, models, evicted: [], stored: 0, space: undefined, persisted: false }) as unknown as StoreState;
  remember(witness, state([{ name: 'small', bytes: 5 }]));
  const seen = recall(witness);
  expect(evictedOf(seen, state([], false))).toEqual([]);
  expect(evictedOf(seen, state([]))).toEqual([{ name: 'small', bytes: 5 }]);
  expect(evictedOf(seen, state([{ name: 'other', bytes: 1 }]))).toEqual([]);
  // Where nothing could be read, nobody says that it was cleared away.
  const trouble = { problem: 'unavailable', message: 'Nothing is kept here.' } as const;
  expect(evictedOf(seen, { ...state([]), trouble })).toEqual([]);
  kept.set('fireside.models', '{"not": "ours"}');
  expect(recall(witness)).toEqual([]);
  kept.set('fireside.models', 'nor this');
  expect(recall(witness)).toEqual([]);
  expect(recall(undefined)).toEqual([]);
});

describe('files that a person chose', () => {
  const file = (path: string, size = 3): LocalFile => {
    const name = path.split('/').at(-1)!;
    return { path, file: new File([new Uint8Array(size)], name, { lastModified: 7 }) };
  };
  const chosen = (...paths: readonly string[]): Choice => localChoice(paths.map((path) => file(path))).choice;
  const pathsOf = ({ files }: Choice): string[] => files.map(({ path }) => path);
  const FOLDER = ['config.json', 'tokenizer.json', 'model.safetensors'];
  const inside = (folder: string): string[] => FOLDER.map((name) => `${folder}/${name}`);

  test('a GGUF file, or a folder’s files', () => {
    expect(chosen('Small-Q8_0.gguf')).toMatchObject({ name: 'Small-Q8_0', quantization: 'Q8_0', bytes: 3 });
    expect(pathsOf(chosen(...FOLDER, 'README.md'))).toEqual(FOLDER);
    expect(chosen(...FOLDER).name).toBe('model');
    // The folder gives the name, and what lies deeper is not of the model's.
    const nested = chosen(
      'models/small/onnx/config.json',
      'models/small/original/model.safetensors',
      ...inside('models/small'),
    );
    expect(nested.name).toBe('small');
    expect(pathsOf(nested)).toEqual(FOLDER);
  });

  test('a model in several parts is one', () => {
    const parts = ['big-Q4_K_M-00002-of-00002.gguf', 'big-Q4_K_M-00001-of-00002.gguf'];
    expect(chosen(...parts)).toMatchObject({ name: 'big-Q4_K_M', quantization: 'Q4_K_M', bytes: 6 });
    expect(pathsOf(chosen(...parts))).toEqual([...parts].reverse());
    const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
    const index = 'model.safetensors.index.json';
    const beside = ['config.json', 'tokenizer.json', index];
    expect(pathsOf(chosen(...shards, ...beside))).toEqual([...beside, ...shards]);
    expect(() => chosen(shards[0]!, ...beside)).toThrow(/one of 2 parts, of which 1 are missing/);
    expect(() => chosen(...shards, 'config.json', 'tokenizer.json')).toThrow(
      /there is no model.safetensors.index.json/,
    );
  });

  test.each([
    [['a.gguf', 'b.gguf'], /2 GGUF models/],
    [['a-00001-of-00003.gguf', 'a-00003-of-00003.gguf'], /one of 3 parts, of which 1 are missing/],
    [['readme.md'], /no model here/],
    [['mmproj-f16.gguf'], /mmproj-f16.gguf is not the model itself/],
    [['adapter_model.safetensors', 'config.json', 'tokenizer.json'], /an adapter \(LoRA\)/],
    [['model.safetensors'], /no config.json, and no tokenizer.json/],
    [[...inside('all/one'), ...inside('all/two')], /several models/],
    [[], /no model here/],
  ])('%o', (paths, says) => {
    expect(() => chosen(...paths)).toThrow(says);
  });

  test('chosen again they are the same, and changed they are not', () => {
    const { id } = localChoice([file('a.gguf')]).choice;
    expect(localChoice([file('a.gguf')]).choice.id).toBe(id);
    expect(localChoice([file('a.gguf', 4)]).choice.id).not.toBe(id);
  });
});

test.each([
  ['https://hub.example/', 'https://hub.example'],
  ['hub.example/hf/', 'https://hub.example/hf'],
  ['http://localhost:5180', 'http://localhost:5180'],
])('the hub %s', (text, hub) => {
  expect(checkHub(text)).toBe(hub);
});

test.each(['http://hub.example', 'not a hub', 'ftp://x'])('no hub: %s', (text) => {
  expect(() => checkHub(text)).toThrow(/hub/);
});
