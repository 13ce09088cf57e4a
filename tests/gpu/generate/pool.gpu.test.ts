/**
 * Several conversations over one model: whatever happened before, the text is that of a fresh session, and no more is
 * computed than has to be.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Session, SessionPool, type GenerateOptions, type GenerationEnd } from '$gpu/generate';
import { cacheBytes, type Model } from '$gpu/model';
import { TINY, tinyModel, tinyWeights } from '../../support/llama';
import { random, useBareGpu } from '../../support/gpu';

const gpu = useBareGpu({ selfTest: false });
let model: Model;
beforeAll(async () => {
  model = await tinyModel(gpu(), TINY, tinyWeights(TINY, 'F32'), { kv: 'f32' });
});
afterAll(() => model.destroy());

const PER_TOKEN = cacheBytes(TINY, 'f32', 1);

/** A conversation's ids, seeded. */
function idsOf(length: number, seed: number): number[] {
  const next = random(seed);
  return Array.from({ length }, () => Math.floor(next() * TINY.vocab));
}

interface Generates {
  generate: Session['generate'];
}

async function collect(from: Generates, ids: readonly number[], options: GenerateOptions = {}) {
  const tokens: number[] = [];
  const generation = from.generate(ids, { maxTokens: 6, ...options });
  let step = await generation.next();
  for (; !step.done; step = await generation.next()) tokens.push(step.value.id);
  return { tokens, end: step.value satisfies GenerationEnd };
}

/** What a session says that has never seen anything else. */
async function fresh(ids: readonly number[], options?: GenerateOptions, of = model): Promise<number[]> {
  const session = new Session(of);
  const { tokens } = await collect(session, ids, options);
  session.destroy();
  return tokens;
}

async function withPool(budget: number | undefined, body: (pool: SessionPool) => Promise<void>): Promise<void> {
  const pool = new SessionPool(model, budget === undefined ? {} : { memoryBudget: budget });
  try {
    await body(pool);
    expect(pool.bytes).toBeLessThanOrEqual(budget ?? TINY.context * PER_TOKEN);
  } finally {
    pool.destroy();
  }
}

/** Asks the pool, checks the text, and tells how much of the prompt was there. */
async function reusedBy(pool: SessionPool, ids: readonly number[], options?: GenerateOptions): Promise<number> {
  const { tokens, end } = await collect(pool, ids, options);
  expect(tokens).toEqual(await fresh(ids, options));
  return end.prefill.reused;
}

const ROOMY = 8 * TINY.context * PER_TOKEN;
const [a, b] = [idsOf(150, 1), idsOf(130, 2)];

describe('histories', () => {
  test('another conversation in between', () =>
    withPool(ROOMY, async (pool) => {
      const first = await collect(pool, a);
      expect(await reusedBy(pool, b)).toBe(0);
      expect(await reusedBy(pool, [...a, ...first.tokens, ...idsOf(20, 3)])).toBe(155);
      expect(await reusedBy(pool, [...b, 1, 2, 3])).toBe(130);
      expect(pool.size).toBe(2);
    }));

  test('stopped in the middle of an answer, and gone on', () =>
    withPool(ROOMY, async (pool) => {
      const stop = new AbortController();
      const seen: number[] = [];
      for await (const { id } of pool.generate(a, { signal: stop.signal })) {
        seen.push(id);
        if (seen.length === 4) stop.abort();
      }
      expect(await reusedBy(pool, [...a, ...seen, 9])).toBe(153);
      expect(pool.size).toBe(1);
    }));

  test('stopped in the middle of a prompt', () =>
    withPool(ROOMY, async (pool) => {
      const long = idsOf(560, 4);
      const stop = new AbortController();
      const onPrefill = (): void => stop.abort();
      const { end } = await collect(pool, long, { signal: stop.signal, onPrefill });
      expect(end.reason).toBe('aborted');
      const reused = await reusedBy(pool, long);
      expect(reused).toBeGreaterThanOrEqual(8);
      expect(reused).toBeLessThan(560);
    }));

  test('regenerated, and gone on from either answer', () =>
    withPool(ROOMY, async (pool) => {
      const draw = (seed: number): GenerateOptions => ({ sampling: { temperature: 2, seed }, maxTokens: 100 });
      const one = (await collect(pool, a, draw(1))).tokens;
      const two = (await collect(pool, a, draw(2))).tokens;
      expect(one).not.toEqual(two);
      expect(pool.size).toBe(2);
      expect(await reusedBy(pool, [...a, ...two, 5])).toBe(249);
      expect(await reusedBy(pool, [...a, ...one, 6])).toBe(249);
      expect(pool.size).toBe(2);
    }));

  test('an earlier message edited, and the edit taken back', () =>
    withPool(ROOMY, async (pool) => {
      const whole = [...a, ...b];
      await collect(pool, whole);
      expect(await reusedBy(pool, [...a, ...idsOf(40, 5)])).toBe(150);
      expect(await reusedBy(pool, [...whole, 8])).toBe(280);
    }));

  test('a few tokens are computed again rather than kept twice', () =>
    withPool(ROOMY, async (pool) => {
      await collect(pool, a);
      expect(await reusedBy(pool, [...a.slice(0, 120), 1, 2])).toBe(120);
      expect(pool.size).toBe(1);
    }));

  test('any of these, in any order', () =>
    withPool(5 * 256 * PER_TOKEN, async (pool) => {
      const next = random(77);
      const pick = (below: number): number => Math.floor(next() * below);
      let known: (readonly number[])[] = [a, b];
      for (let round = 0; round < 12; round++) {
        const from = known[pick(known.length)]!;
        const ids = [...from.slice(0, 20 + pick(from.length - 20)), ...idsOf(1 + pick(60), round)].slice(0, 400);
        const maxTokens = 1 + pick(8);
        const { tokens } = await collect(pool, ids, { maxTokens });
        expect(tokens, `round ${round}`).toEqual(await fresh(ids, { maxTokens }));
        expect(pool.bytes).toBeLessThanOrEqual(5 * 256 * PER_TOKEN);
        known = [...known.slice(-4), [...ids, ...tokens]];
      }
    }));
});

describe('the memory budget', () => {
  test('one sequence as long as the context, unless said otherwise', () =>
    withPool(undefined, async (pool) => {
      expect(pool.context).toBe(TINY.context);
      await collect(pool, a);
      await collect(pool, b);
      const { tokens, end } = await collect(pool, idsOf(TINY.context - 4, 6), { maxTokens: 100 });
      expect([tokens.length, end.reason]).toEqual([4, 'context']);
      expect(pool.size).toBe(1);
    }));

  test('the least recently used conversation goes first', () =>
    withPool(2 * 256 * PER_TOKEN, async (pool) => {
      const c = idsOf(140, 7);
      await collect(pool, a);
      await collect(pool, b);
      await collect(pool, [...a, 1]);
      expect(await reusedBy(pool, c)).toBe(0);
      expect(await reusedBy(pool, [...a, 2])).toBe(150);
      expect(await reusedBy(pool, [...c, 2])).toBe(140);
      expect(await reusedBy(pool, b)).toBe(0);
    }));

  test('where it is tight, no other conversation is given up for what one said before', () =>
    withPool(3 * 256 * PER_TOKEN, async (pool) => {
      await collect(pool, b);
      await collect(pool, [...a, ...idsOf(100, 8)]);
      expect(await reusedBy(pool, [...a, ...idsOf(100, 9)])).toBe(150);
      expect(await reusedBy(pool, [...b, 4])).toBe(130);
    }));

  test('a small one shortens the context', () =>
    withPool(300 * PER_TOKEN, async (pool) => {
      expect(pool.context).toBe(300);
      const { tokens, end } = await collect(pool, idsOf(290, 10), { maxTokens: 100 });
      expect([tokens.length, end.reason]).toEqual([10, 'context']);
      await expect(collect(pool, idsOf(301, 10))).rejects.toThrow(/at most the context's 300/);
      expect(await reusedBy(pool, a)).toBe(0);
    }));

  test('that has no room for anything is refused', () => {
    expect(() => new SessionPool(model, { memoryBudget: PER_TOKEN })).toThrow(/memoryBudget: got 512 bytes/);
    expect(() => new SessionPool(model, { memoryBudget: NaN })).toThrow(/memoryBudget/);
  });

  test('memory comes back', async () => {
    const before = gpu().memory().used;
    const pool = new SessionPool(model, { memoryBudget: ROOMY });
    for (const seed of [1, 2, 3, 4]) await collect(pool, idsOf(100, 20 + seed));
    expect(pool.size).toBe(4);
    pool.destroy();
    expect(gpu().memory().used).toBe(before);
  });
});

test('keys and values of 8 bits grow and are copied like others', async () => {
  const small = await tinyModel(gpu(), TINY, tinyWeights(TINY, 'F32'), { kv: 'q8' });
  const pool = new SessionPool(small, { memoryBudget: ROOMY });
  const whole = [...a, ...idsOf(120, 11)];
  await collect(pool, whole);
  for (const ids of [[...a, ...b], whole, [...whole, 3]]) {
    const { tokens, end } = await collect(pool, ids);
    expect(tokens).toEqual(await fresh(ids, {}, small));
    expect(end.prefill.reused).toBeGreaterThanOrEqual(150);
  }
  expect(pool.size).toBe(2);
  pool.destroy();
  small.destroy();
});

describe('several at a time', () => {
  test('each has its own text, also of the same prompt', () =>
    withPool(ROOMY, async (pool) => {
      const prompts = [a, b, a, [...a.slice(0, 90), ...b]];
      const running = prompts.map((ids) => ({
        ids,
        run: pool.generate(ids, { maxTokens: 6 }),
        tokens: [] as number[],
      }));
      for (let n = 0; n < 6; n++) {
        for (const { run, tokens } of running) {
          const { value } = await run.next();
          tokens.push((value as { id: number }).id);
        }
      }
      for (const { run, ids, tokens } of running) {
        expect(await run.next()).toMatchObject({ done: true });
        expect(tokens).toEqual(await fresh(ids));
      }
      expect(pool.size).toBe(4);
    }));

  test('as far as the budget has room', () =>
    withPool(256 * PER_TOKEN, async (pool) => {
      const run = pool.generate(a, { maxTokens: 6 });
      await run.next();
      await expect(collect(pool, b)).rejects.toThrow(/several answers at a time/);
      await run.return({} as GenerationEnd);
      expect(await reusedBy(pool, [...a, 3])).toBe(150);
    }));
});
