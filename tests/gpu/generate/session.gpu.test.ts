/** The token loop: what comes out is what a forward pass a token gives, whatever was cached, stopped or in flight. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NothingAllowedError, Session, type GenerateOptions, type GenerationEnd } from '$gpu/generate';
import { drawToken, keepTokens } from '$gpu/generate/reference';
import { checkSampling } from '$gpu/generate/sampling';
import type { Model } from '$gpu/model';
import { TINY, tinyModel, tinyWeights } from '../../support/llama';
import { tinyGreedy, tinyReference } from '../../support/transformer';
import { useBareGpu } from '../../support/gpu';

const gpu = useBareGpu({ selfTest: false });
const weights = tinyWeights(TINY, 'F32');
const prompt = Array.from({ length: 20 }, (_, n) => (n * 29 + 3) % TINY.vocab);
const greedy = tinyGreedy(TINY, weights, prompt, 24);

let model: Model;
beforeAll(async () => {
  model = await tinyModel(gpu(), TINY, weights, { kv: 'f32' });
});
afterAll(() => model.destroy());

async function collect(session: Session, ids: readonly number[], options?: GenerateOptions) {
  const tokens: number[] = [];
  const generation = session.generate(ids, options);
  let step = await generation.next();
  for (; !step.done; step = await generation.next()) tokens.push(step.value.id);
  return { tokens, end: step.value satisfies GenerationEnd };
}

async function withSession(body: (session: Session) => Promise<void>): Promise<void> {
  const session = new Session(model);
  try {
    await body(session);
  } finally {
    session.destroy();
  }
}

describe('generate', () => {
  test('greedy is what float64 says', () =>
    withSession(async (session) => {
      const { tokens, end } = await collect(session, prompt, { maxTokens: 24 });
      expect(tokens).toEqual(greedy);
      expect(end).toMatchObject({ reason: 'length', prefill: { tokens: 20, reused: 0 }, decode: { tokens: 23 } });
    }));

  test('only what is new is computed, after going on, editing, and starting over', () =>
    withSession(async (session) => {
      const first = await collect(session, prompt, { maxTokens: 10 });
      // Of ten tokens drawn the last was never computed.
      const on = await collect(session, [...prompt, ...first.tokens], { maxTokens: 14 });
      expect(on.tokens).toEqual(greedy.slice(10));
      expect(on.end.prefill).toMatchObject({ reused: 29, tokens: 1 });

      const edited = [...prompt.slice(0, 12), 5, 6, 7];
      const other = await collect(session, edited, { maxTokens: 6 });
      expect(other.tokens).toEqual(tinyGreedy(TINY, weights, edited, 6));
      expect(other.end.prefill).toMatchObject({ reused: 12, tokens: 3 });

      const again = await collect(session, prompt, { maxTokens: 24 });
      expect(again.tokens).toEqual(greedy);
      expect(again.end.prefill).toMatchObject({ reused: 12, tokens: 8 });

      const same = await collect(session, prompt, { maxTokens: 3 });
      expect(same.end.prefill).toMatchObject({ reused: 19, tokens: 1 });
      expect(same.tokens).toEqual(greedy.slice(0, 3));
    }));

  test('an end token ends exactly, and is not given out', () =>
    withSession(async (session) => {
      const at = greedy.findIndex((id, n) => n >= 5 && !greedy.slice(0, n).includes(id));
      const { tokens, end } = await collect(session, prompt, { endIds: new Set([greedy[at]!]), maxTokens: 24 });
      expect(tokens).toEqual(greedy.slice(0, at));
      expect(end.reason).toBe('end');
    }));

  test('leaving the loop leaves a session that goes on rightly', () =>
    withSession(async (session) => {
      const seen: number[] = [];
      for await (const { id } of session.generate(prompt)) {
        seen.push(id);
        if (seen.length === 4) break;
      }
      const { tokens } = await collect(session, [...prompt, ...seen], { maxTokens: 20 });
      expect([...seen, ...tokens]).toEqual(greedy);
    }));

  test('a signal ends it: before it began, and within a token', () =>
    withSession(async (session) => {
      expect((await collect(session, prompt, { signal: AbortSignal.abort() })).end.reason).toBe('aborted');
      const stop = new AbortController();
      const seen: number[] = [];
      const generation = session.generate(prompt, { signal: stop.signal });
      let step = await generation.next();
      for (; !step.done; step = await generation.next()) {
        seen.push(step.value.id);
        if (seen.length === 3) stop.abort();
      }
      expect(seen).toEqual(greedy.slice(0, 3));
      expect(step.value.reason).toBe('aborted');
    }));

  test('the cache grows under way, and the context ends', () =>
    withSession(async (session) => {
      const long = Array.from({ length: 250 }, (_, n) => (n * 31) % TINY.vocab);
      const { tokens } = await collect(session, long, { maxTokens: 12 });
      expect(tokens).toEqual(tinyGreedy(TINY, weights, long, 12));
      const full = Array.from({ length: TINY.context - 3 }, (_, n) => (n * 31) % TINY.vocab);
      const { tokens: last, end } = await collect(session, full);
      expect(last).toHaveLength(3);
      expect(end.reason).toBe('context');
      expect(end.prefill.reused).toBe(250);
    }));

  test('prefill tells how far it is', () =>
    withSession(async (session) => {
      const long = Array.from({ length: 150 }, (_, n) => (n * 31) % TINY.vocab);
      const told: [number, number][] = [];
      await collect(session, long, { maxTokens: 1, onPrefill: (done, total) => told.push([done, total]) });
      expect(told.at(-1)).toEqual([150, 150]);
      expect(told.map(([done]) => done)).toEqual([...told.map(([done]) => done)].sort((a, b) => a - b));
    }));

  test('log-probabilities are of the tokens drawn', () =>
    withSession(async (session) => {
      const ids = [...prompt];
      for await (const { id, logprob, top } of session.generate(prompt, { maxTokens: 5, logprobs: 4 })) {
        const row = tinyReference(TINY, weights, ids).at(-1)!;
        expect(logprob).toBeCloseTo(row[id]!, 3);
        expect(top).toHaveLength(4);
        for (const [other, value] of top!) expect(value).toBeCloseTo(row[other]!, 3);
        ids.push(id);
      }
      expect(ids.slice(prompt.length)).toEqual(greedy.slice(0, 5));
    }));

  test('the same seed gives the same tokens, another one others', () =>
    withSession(async (session) => {
      const draw = async (seed: number) => {
        const sampling = { temperature: 1, topK: 40, topP: 0.95, seed };
        return (await collect(session, prompt, { sampling, maxTokens: 24 })).tokens;
      };
      const first = await draw(1);
      expect(await draw(1)).toEqual(first);
      expect(await draw(2)).not.toEqual(first);
      // A session of its own has nothing cached: the same all the same.
      await withSession(async (other) => {
        const sampling = { temperature: 1, topK: 40, topP: 0.95, seed: 1 };
        expect((await collect(other, prompt, { sampling, maxTokens: 24 })).tokens).toEqual(first);
      });
    }));

  // What float64 draws of float64's logits: so it is the same text on every adapter.
  test('a seed says what is drawn, whatever computes it', () =>
    withSession(async (session) => {
      const sampling = { temperature: 1.2, topK: 40, topP: 0.95, minP: 0.01, typicalP: 0.9, seed: 2027 };
      const expected: number[] = [];
      for (let n = 0; n < 16; n++) {
        const row = tinyReference(TINY, weights, [...prompt, ...expected]).at(-1)!;
        const kept = keepTokens(row, checkSampling(sampling));
        const { id, margin } = drawToken(row, kept.ids, checkSampling(sampling), prompt.length + n);
        expect(margin, `draw ${n} is beyond doubt`).toBeGreaterThan(1e-3);
        expect(kept.slack, `cut ${n} is beyond doubt`).toBeGreaterThan(1e-5);
        expected.push(id);
      }
      expect((await collect(session, prompt, { sampling, maxTokens: 16 })).tokens).toEqual(expected);
    }));

  test('a bias holds for its request alone', () =>
    withSession(async (session) => {
      const logitBias = Object.fromEntries(greedy.slice(0, 3).map((id) => [id, -Infinity]));
      const { tokens } = await collect(session, prompt, { sampling: { logitBias }, maxTokens: 12 });
      expect(tokens.filter((id) => id in logitBias)).toEqual([]);
      expect((await collect(session, prompt, { maxTokens: 12 })).tokens).toEqual(greedy.slice(0, 12));
    }));

  test('two sessions of one model, in turns', async () => {
    const [a, b] = [new Session(model), new Session(model)];
    const other = [...prompt].reverse();
    const [one, two] = [a.generate(prompt, { maxTokens: 8 }), b.generate(other, { maxTokens: 8 })];
    const tokens: [number[], number[]] = [[], []];
    for (let n = 0; n < 8; n++) {
      for (const [at, generation] of [one, two].entries()) {
        const { value } = await generation.next();
        tokens[at]!.push((value as { id: number }).id);
      }
    }
    expect(tokens).toEqual([greedy.slice(0, 8), tinyGreedy(TINY, weights, other, 8)]);
    a.destroy();
    b.destroy();
  });
});

describe('a mask', () => {
  const maskOf = (...ids: number[]): Uint32Array => {
    const words = new Uint32Array(TINY.vocab / 32);
    for (const id of ids) words[id >> 5]! |= 1 << (id & 31);
    return words;
  };

  test('is asked before every token, with those before it, and decides', () =>
    withSession(async (session) => {
      const rows = [[7], [11, 12], [95], [greedy[0]!, 3, 4], [64]];
      const told: number[][] = [];
      const mask = async (drawn: readonly number[]) => {
        told.push([...drawn]);
        await Promise.resolve();
        return maskOf(...rows[drawn.length]!);
      };
      const { tokens, end } = await collect(session, prompt, { mask, maxTokens: 8, endIds: new Set([64]) });
      expect(end.reason).toBe('end');
      expect(tokens).toHaveLength(4);
      tokens.forEach((id, n) => expect(rows[n]).toContain(id));
      expect(told).toEqual([0, 1, 2, 3, 4].map((n) => tokens.slice(0, n)));
    }));

  test('that allows all changes nothing, and nothing is left of it', () =>
    withSession(async (session) => {
      const all = maskOf(...Array.from({ length: TINY.vocab }, (_, id) => id));
      const mask = (drawn: readonly number[]) => (drawn.length % 2 ? all : undefined);
      expect((await collect(session, prompt, { mask, maxTokens: 8 })).tokens).toEqual(greedy.slice(0, 8));
      expect((await collect(session, prompt, { mask: () => maskOf(5), maxTokens: 3 })).tokens).toEqual([5, 5, 5]);
      expect((await collect(session, prompt, { maxTokens: 8 })).tokens).toEqual(greedy.slice(0, 8));
    }));

  test('that allows nothing is an error that says where, and the session goes on', () =>
    withSession(async (session) => {
      const mask = (drawn: readonly number[]) => (drawn.length < 2 ? undefined : maskOf());
      const failed = await collect(session, prompt, { mask }).catch((error: unknown) => error);
      expect(failed).toBeInstanceOf(NothingAllowedError);
      expect(failed).toMatchObject({ code: 'nothing-allowed', drawn: 2 });
      const { tokens, end } = await collect(session, [...prompt, ...greedy.slice(0, 2)], { maxTokens: 4 });
      expect(tokens).toEqual(greedy.slice(2, 6));
      expect(end.prefill.reused).toBe(21);
    }));

  test('what the hook throws, or gives of another length, ends the generation', () =>
    withSession(async (session) => {
      const broken = new Error('the grammar is broken');
      const mask = (drawn: readonly number[]) => {
        if (drawn.length === 1) throw broken;
        return undefined;
      };
      await expect(collect(session, prompt, { mask })).rejects.toBe(broken);
      await expect(collect(session, prompt, { mask: () => new Uint32Array(2) })).rejects.toThrow(/expected 3/);
      expect((await collect(session, prompt, { maxTokens: 2 })).tokens).toEqual(greedy.slice(0, 2));
    }));

  test('nobody waits for a hook after a stop', () =>
    withSession(async (session) => {
      const stop = new AbortController();
      const mask = (drawn: readonly number[]) => {
        if (drawn.length < 2) return undefined;
        setTimeout(() => stop.abort(), 1);
        return new Promise<undefined>(() => {});
      };
      const { tokens, end } = await collect(session, prompt, { mask, signal: stop.signal });
      expect(tokens).toEqual(greedy.slice(0, 2));
      expect(end.reason).toBe('aborted');
    }));
});

describe('a stop', () => {
  const long = Array.from({ length: 590 }, (_, n) => (n * 37 + 5) % TINY.vocab);

  test('in the middle of a prompt is not waited for, and what was computed is kept', () =>
    withSession(async (session) => {
      const stop = new AbortController();
      let stopped = 0;
      const onPrefill = () => {
        // By then the next part is on its way.
        queueMicrotask(() => {
          stopped = performance.now();
          stop.abort();
        });
      };
      const { end } = await collect(session, long, { signal: stop.signal, onPrefill, maxTokens: 1 });
      expect(performance.now() - stopped).toBeLessThan(100);
      expect(end.reason).toBe('aborted');
      const { tokens, end: again } = await collect(session, long, { maxTokens: 5 });
      expect(again.prefill.reused).toBeGreaterThanOrEqual(8);
      await withSession(async (fresh) => {
        expect((await collect(fresh, long, { maxTokens: 5 })).tokens).toEqual(tokens);
      });
    }));
});

describe('what cannot be done is said', () => {
  test('ids that are none, too many, or out of the vocabulary', () =>
    withSession(async (session) => {
      await expect(collect(session, [])).rejects.toThrow(/at least one/);
      await expect(collect(session, [1, TINY.vocab])).rejects.toThrow(/0 to 95/);
      await expect(collect(session, Array<number>(TINY.context + 1).fill(1))).rejects.toThrow(
        /at most the context's 600/,
      );
      expect((await collect(session, prompt, { maxTokens: 2 })).tokens).toEqual(greedy.slice(0, 2));
    }));

  test('a second call while one runs', () =>
    withSession(async (session) => {
      const first = session.generate(prompt, { maxTokens: 4 });
      await first.next();
      await expect(collect(session, prompt)).rejects.toThrow(/one at a time/);
      const rest: number[] = [];
      for await (const { id } of first) rest.push(id);
      expect(rest).toEqual(greedy.slice(1, 4));
    }));

  test('weights that are no numbers', async () => {
    const broken = new Map(weights);
    const norm = broken.get('output_norm.weight')!;
    broken.set('output_norm.weight', { ...norm, bytes: new Uint8Array(norm.values.map(() => NaN).buffer) });
    const bad = await tinyModel(gpu(), TINY, broken, { kv: 'f32' });
    const session = new Session(bad);
    await expect(collect(session, prompt)).rejects.toThrow(/not a number/);
    session.destroy();
    bad.destroy();
  });
});
