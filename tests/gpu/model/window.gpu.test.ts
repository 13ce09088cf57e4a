/** Layers that look back only so far keep a ring of rows: what comes out is what all rows would give, bit for bit. */
import { describe, expect, test } from 'vitest';
import { WINDOW_SLACK } from '$gpu/formats/window';
import { Session, SessionPool, type GenerationEnd } from '$gpu/generate';
import { cacheBytes, type Model, type ModelOptions } from '$gpu/model';
import { tinyModel, tinyOf, tinyWeights } from '../../support/llama';
import { tinyReference } from '../../support/transformer';
import { useBareGpu } from '../../support/gpu';

const gpu = useBareGpu({ selfTest: false });
const WINDOW = 40;
const SLACK = 64;
/** Window and slack, in whole pages. */
const RING = 256;
const config = tinyOf('gemma3', {
  tiedHead: true,
  layers: [{ rope: 'local', window: WINDOW }, { rope: 'global' }],
  localRope: { theta: 1000, dims: 16, pairing: 'halves' },
});
const weights = tinyWeights(config, 'F32');
const idsOf = (length: number, seed: number): number[] =>
  Array.from({ length }, (_, n) => (n * 37 + seed * 11 + (n >> 3)) % config.vocab);
const long = idsOf(config.context - 10, 1);

async function withModel<T>(options: ModelOptions, body: (model: Model) => Promise<T>): Promise<T> {
  const model = await tinyModel(gpu(), config, weights, { kv: 'f32', windowSlack: SLACK, ...options });
  try {
    return await body(model);
  } finally {
    model.destroy();
  }
}

async function scores(options: ModelOptions): Promise<unknown[]> {
  return withModel(options, async (model) => {
    const session = new Session(model);
    const rows = [];
    for await (const row of session.score(long, { top: 20 })) rows.push(row);
    const answer = await collect(session, long, 8);
    session.destroy();
    return [rows, answer.tokens];
  });
}

async function collect(from: Session | SessionPool, ids: readonly number[], maxTokens = 4) {
  const tokens: number[] = [];
  const generation = from.generate(ids, { maxTokens });
  let step = await generation.next();
  for (; !step.done; step = await generation.next()) tokens.push(step.value.id);
  return { tokens, reused: (step.value satisfies GenerationEnd).prefill.reused };
}

describe('a ring of rows', () => {
  test.each([
    ['f32', 'flash'],
    ['f32', 'standard'],
    ['q8', 'flash'],
  ] as const)(
    '%s, %s attention: the same log-probabilities and the same tokens as with all rows',
    async (kv, attention) => {
      const kept = await scores({ kv, attention });
      expect(kept).toEqual(await scores({ kv, attention, windowSlack: Infinity }));
    },
  );

  test('and as float64 has them', () =>
    withModel({}, async (model) => {
      const session = new Session(model);
      const wanted = tinyReference(config, weights, long);
      let position = 0;
      for await (const row of session.score(long, { top: 5 })) {
        for (const [id, logprob] of row) expect(Math.abs(logprob - wanted[position]![id]!)).toBeLessThanOrEqual(1e-4);
        position++;
      }
      expect(position).toBe(long.length);
      session.destroy();
    }));

  test('its memory does not grow with the sequence', () =>
    withModel({}, async (model) => {
      const layer = cacheBytes({ ...config, layers: [{ rope: 'global' }] }, 'f32', 1);
      const session = new Session(model);
      await collect(session, long.slice(0, 200));
      expect(session.cacheBytes).toBe(2 * 256 * layer);
      await collect(session, long);
      expect(session.cacheBytes).toBe((RING + config.context) * layer);
      session.destroy();
      expect(cacheBytes({ ...config, layers: [{ rope: 'global', window: 512 }] }, 'f32', 32768)).toBe(
        (512 + WINDOW_SLACK) * layer,
      );
    }));
});

describe('going on from an earlier place', () => {
  /** The same request of a session that has seen nothing. */
  const fresh = async (model: Model, ids: readonly number[]): Promise<number[]> => {
    const session = new Session(model);
    const { tokens } = await collect(session, ids);
    session.destroy();
    return tokens;
  };

  // Of 593 positions written the ring has the newest 256, and a query at n sees those from n - 39 on.
  test.each([
    ['just before the end', 560, true],
    ['as far back as the ring has what its window sees', 376, true],
    ['a token further back', 375, false],
    ['from the first page', 30, false],
    ['at the very beginning', 1, false],
  ])('%s', (_, cut, isKept) =>
    withModel({}, async (model) => {
      const session = new Session(model);
      await collect(session, long);
      const ids = [...long.slice(0, cut), ...idsOf(5, 7)];
      const { tokens, reused } = await collect(session, ids);
      expect(reused).toBe(isKept ? cut : 0);
      expect(tokens).toEqual(await fresh(model, ids));
      // And on from there: what was lost before does not count any more.
      const on = await collect(session, [...ids, ...tokens.slice(0, 2), 3]);
      expect(on.reused).toBe(ids.length + 2);
      expect(on.tokens).toEqual(await fresh(model, [...ids, ...tokens.slice(0, 2), 3]));
      session.destroy();
    }),
  );

  test('in a session of its own, which begins with a copy', () =>
    withModel({}, async (model) => {
      const pool = new SessionPool(model, { memoryBudget: 8 * model.cacheBytes(config.context) });
      await collect(pool, long);
      const near = [...long.slice(0, 450), ...idsOf(100, 5)];
      const first = await collect(pool, near);
      expect([first.tokens, first.reused]).toEqual([await fresh(model, near), 450]);
      expect(pool.size).toBe(2);
      const far = [...long.slice(0, 200), ...idsOf(30, 6)];
      const second = await collect(pool, far);
      expect([second.tokens, second.reused]).toEqual([await fresh(model, far), 0]);
      expect((await collect(pool, [...long, 1])).reused).toBe(long.length);
      pool.destroy();
    }));

  test('a budget is of what windows leave', () =>
    withModel({}, async (model) => {
      const pool = new SessionPool(model, { memoryBudget: model.cacheBytes(500) });
      expect(pool.context).toBe(500);
      pool.destroy();
    }));
});
