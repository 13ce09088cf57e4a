/** The verdict before a download: from facts alone, with what is to be said of it. */
import { describe, expect, test } from 'vitest';
import { cacheBytes } from '$gpu/model';
import {
  CATALOG,
  type DeviceFacts,
  fit,
  guess,
  memoryAt,
  memoryBudget,
  type ModelFacts,
  recommend,
} from '$lib/catalog';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** Qwen3 0.6B as Q8_0. */
const small: ModelFacts = {
  format: 'gguf',
  fileBytes: 640 * MIB,
  weightBytes: 640 * MIB,
  shape: { layers: 28, width: 1024, ffnWidth: 3072, headsKv: 8, headDim: 128, vocab: 151936, context: 40960 },
};
const large: ModelFacts = { ...small, fileBytes: 7 * GIB, weightBytes: 7 * GIB };
const desktop: DeviceFacts = {
  gpu: { maxBufferSize: 2 * GIB, maxStorageBufferBindingSize: 2 * GIB, isFallback: false, f16: true },
  memory: 8 * GIB,
  free: 50 * GIB,
  bytesPerSecond: 100e9,
  processor: true,
};
const bare: DeviceFacts = { memory: 2 * GIB, processor: true };
const reasons = (model: ModelFacts, device: DeviceFacts): string[] =>
  fit(model, device).reasons.map(({ reason }) => reason);

test('a small model on a computer with a GPU runs well, at its whole context', () => {
  const verdict = fit(small, desktop);
  expect(verdict).toMatchObject({ runs: 'well', path: 'gpu', context: 40960, reasons: [] });
  const { memory } = verdict;
  // 28 layers, keys and values, 8 heads of 128, two bytes: 112 KiB a token.
  const step =
    memory.find(({ context }) => context === 8192)!.bytes - memory.find(({ context }) => context === 4096)!.bytes;
  expect(step).toBe(4096 * 28 * 2 * 8 * 128 * 2);
});

test('without f16 a context takes twice the memory', () => {
  const { gpu } = desktop;
  const wide = { gpu: { ...gpu!, f16: false } };
  const cache = (device: Pick<DeviceFacts, 'gpu'>): number =>
    memoryAt(small, 8192, device, 'gpu') - memoryAt(small, 4096, device, 'gpu');
  expect(cache(wide)).toBe(2 * cache(desktop));
});

test('layers that look back only so far take no more for a longer context, on the GPU', () => {
  const windows = { layers: 26, headsKv: 1, headDim: 256 };
  const shape = { ...windows, width: 1152, ffnWidth: 6912, vocab: 262144, context: 32768 };
  const gemma: ModelFacts = { ...small, shape: { ...shape, windowed: { layers: 22, window: 512 } } };
  const cache = (model: ModelFacts, path: 'gpu' | 'cpu'): number =>
    memoryAt(model, 32768, desktop, path) - memoryAt(model, 16384, desktop, path);
  expect(cache(gemma, 'gpu')).toBe(4 * 16384 * 2 * 256 * 2);
  expect(cache(gemma, 'cpu')).toBe(26 * 16384 * 2 * 256 * 2);
  // What the GPU's own cache says.
  const layers = Array.from({ length: 26 }, (_, n) => ({ rope: 'global' as const, ...(n < 22 && { window: 512 }) }));
  const without = memoryAt({ ...gemma, shape: { ...shape, layers: 0 } }, 32768, desktop, 'gpu');
  expect(memoryAt(gemma, 32768, desktop, 'gpu') - without).toBe(cacheBytes({ ...windows, layers }, 'f16', 32768));
});

describe('what is in the way, or slows it down', () => {
  test.each<[string, ModelFacts, DeviceFacts, 'well' | 'slowly' | 'no', string]>([
    [
      'a family that is not known',
      { ...small, unsupported: 'Models of the family bert are not known here.' },
      desktop,
      'no',
      'unsupported',
    ],
    ['a full disk', small, { ...desktop, free: 100 * MIB }, 'no', 'no-room'],
    ['too little memory', large, { ...desktop, memory: 4 * GIB }, 'no', 'memory'],
    ['safetensors without a GPU', { ...small, format: 'safetensors' }, bare, 'no', 'safetensors-need-gpu'],
    ['no GPU, and an old browser', small, { ...bare, processor: false }, 'no', 'no-gpu'],
    ['no GPU', small, bare, 'slowly', 'no-gpu'],
    [
      'a GPU of software',
      small,
      { ...desktop, bytesPerSecond: 2e9, gpu: { ...desktop.gpu!, isFallback: true } },
      'slowly',
      'software-gpu',
    ],
    ['a slow GPU', large, { ...desktop, memory: 16 * GIB, bytesPerSecond: 20e9 }, 'slowly', 'slow'],
  ])('%s', (_, model, device, runs, reason) => {
    expect(fit(model, device).runs).toBe(runs);
    expect(reasons(model, device)[0]).toBe(reason);
    expect(fit(model, device).reasons.every(({ message }) => /^[A-Z].*\.$/.test(message))).toBe(true);
  });

  test('a context that memory or a buffer’s limit cuts short', () => {
    const { gpu } = desktop;
    const tight = { ...desktop, memory: memoryAt(small, 2048, desktop, 'gpu') };
    expect(fit(small, tight)).toMatchObject({ runs: 'well', context: 2048 });
    expect(reasons(small, tight)).toContain('short-context');
    const bound = { ...desktop, gpu: { ...gpu!, maxStorageBufferBindingSize: 16 * MIB } };
    expect(fit(small, bound).context).toBe(8192);
  });

  test('a model that nobody has looked into yet', () => {
    const { format, fileBytes, weightBytes } = small;
    expect(fit({ format, fileBytes, weightBytes }, desktop)).toMatchObject({ runs: 'well', context: 1024 });
  });
});

test('what a page may take of the memory', () => {
  expect(memoryBudget(8, false)).toBe(4 * GIB);
  expect(memoryBudget(undefined, true)).toBeLessThan(1.5 * GIB);
});

describe('what is recommended', () => {
  test('the best that runs well: more on a better device', () => {
    const rank = (device: DeviceFacts): number => recommend(device)?.entry.rank ?? 0;
    const phone = { ...desktop, memory: memoryBudget(4, true), bytesPerSecond: 15e9 };
    expect(rank(desktop)).toBeGreaterThan(rank(phone));
    expect(rank(phone)).toBeGreaterThan(rank({ ...bare, memory: GIB }));
    expect(recommend({ ...bare, memory: 50 * MIB })).toBeUndefined();
  });

  test('nothing that takes an account first', () => {
    expect(recommend(desktop)?.entry.gated).toBe(false);
  });

  test('nothing that takes an evening to come, whatever the device', () => {
    const large = { ...desktop, memory: 64 * GIB, bytesPerSecond: 3e12 };
    expect(recommend(large)!.verdict.runs).toBe('well');
    expect(recommend(large)!.entry.parameters).toBeLessThan(2.5);
  });
});

test('the room that is asked for before a download is the room that the verdict asks for', () => {
  const free = small.fileBytes + 64 * MIB;
  expect(fit(small, { ...desktop, free }).runs).toBe('well');
  expect(reasons(small, { ...desktop, free: free - 1 })).toEqual(['no-room']);
});

test('what is guessed is of the files that publishers have', () => {
  const of = (id: string): ModelFacts => guess(CATALOG.find((entry) => entry.id === id)!);
  // As their repositories have them: bytes of Qwen3-1.7B-Q8_0.gguf, of two shards of Phi-3.5 mini.
  expect(of('qwen3-1.7b').fileBytes / 1_834_426_016).toBeCloseTo(1, 1);
  expect(of('phi-3.5-mini').fileBytes / 7_642_181_880).toBeCloseTo(1, 1);
  expect(of('phi-3.5-mini')).toMatchObject({ format: 'safetensors', quant: 'q4' });
  expect(of('gemma-3-270m')).toMatchObject({ format: 'safetensors', quant: 'q8' });
  // Nothing but a GPU runs safetensors, and that is said before they are fetched.
  expect(reasons(of('tinyllama-1.1b'), bare)[0]).toBe('safetensors-need-gpu');
});

test('the list is whole: every name once, ranks in order of quality', () => {
  expect(CATALOG).toHaveLength(13);
  for (const field of ['id', 'repo', 'rank', 'name'] as const) {
    expect(new Set(CATALOG.map((entry) => entry[field])).size).toBe(CATALOG.length);
  }
  for (const { repo, languages, context } of CATALOG) {
    expect(repo).toMatch(/^[\w-]+\/[\w.-]+$/);
    expect(languages.length).toBeGreaterThan(0);
    expect(context).toBeGreaterThanOrEqual(2048);
  }
});

test.each(CATALOG.map((entry) => [entry.id, entry] as const))(
  '%s: its shape has as many weights as it says',
  (_, entry) => {
    const { layers, width, ffnWidth, headsKv, headDim, vocab } = entry.shape;
    // Queries and outputs are about as wide as the model; head and embedding are one matrix in small models.
    const each = 2 * width * width + 2 * width * headsKv * headDim + 3 * width * ffnWidth;
    const weights = (layers * each + vocab * width) / 1e9;
    expect(weights / entry.parameters).toBeGreaterThan(0.85);
    expect(weights / entry.parameters).toBeLessThan(1.12);
  },
);
