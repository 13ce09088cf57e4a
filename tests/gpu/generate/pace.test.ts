/** How many tokens of a prompt at once, by how long they took. */
import { describe, expect, test } from 'vitest';
import { ABORTED, unlessAborted } from '$gpu/generate/flight';
import { Pace } from '$gpu/generate/pace';

const paceOf = (isFallback: boolean): Pace =>
  new Pace({ info: { isFallback } } as ConstructorParameters<typeof Pace>[0]);

/** The sizes that parts settle on, and the longest of the last ten, where `ms` tells how long one takes. */
function settle(pace: Pace, ms: (tokens: number) => number): { sizes: number[]; longest: number } {
  const sizes = Array.from({ length: 30 }, () => {
    const { tokens } = pace;
    pace.took(tokens, ms(tokens));
    return tokens;
  });
  const last = sizes.slice(-10);
  return { sizes: [...new Set(last)], longest: Math.max(...last.map(ms)) };
}

describe('parts of a prompt', () => {
  test.each([
    ['a fast GPU', false, 0.01, [512], 6],
    ['a slow GPU', false, 1, [64], 64],
    ['a software adapter', true, 2.5, [32], 80],
    ['one that is slower than that', true, 30, [8], 240],
    ['a GPU whose tiles take a little too long', false, 5, [32], 160],
    ['one whose tiles take far too long', false, 10, [8], 80],
  ])('%s', (_, isFallback, msPerToken, sizes, longest) => {
    const settled = settle(paceOf(isFallback), (tokens) => tokens * msPerToken);
    expect(settled.sizes).toEqual(sizes);
    expect(settled.longest).toBeLessThanOrEqual(longest);
  });

  test('that are short say nothing', () => {
    const pace = paceOf(false);
    const before = pace.tokens;
    pace.took(3, 1000);
    pace.took(3, 0.1);
    expect(pace.tokens).toBe(before);
  });
});

describe('steps of an answer under way', () => {
  const settled = (...ms: number[]): number => {
    const pace = paceOf(false);
    ms.forEach((one) => pace.stepTook(one));
    return pace.steps;
  };

  test('as many as take a tenth of a second, four at most and one at least', () => {
    expect([5, 30, 45, 180].map((ms) => settled(...Array<number>(8).fill(ms)))).toEqual([4, 3, 2, 1]);
    expect(settled()).toBe(2);
  });

  test('a reader who takes long once changes little', () => {
    expect(settled(20, 20, 60, 20)).toBe(4);
    expect(settled(1000, 20)).toBe(4);
  });
});

describe('unlessAborted', () => {
  test('gives the value, or the error', async () => {
    const { signal } = new AbortController();
    expect(await unlessAborted(4, signal)).toBe(4);
    expect(await unlessAborted(Promise.resolve(4), undefined)).toBe(4);
    await expect(unlessAborted(Promise.reject(new Error('no')), signal)).rejects.toThrow('no');
  });

  test('does not wait after the signal, and leaves no error behind', async () => {
    const stop = new AbortController();
    let fail: (error: Error) => void = () => {};
    const work = new Promise<never>((_, reject) => (fail = reject));
    const waiting = unlessAborted(work, stop.signal);
    stop.abort();
    expect(await waiting).toBe(ABORTED);
    expect(await unlessAborted(Promise.resolve(1), stop.signal)).toBe(ABORTED);
    fail(new Error('too late for anybody'));
    await new Promise((resolve) => setTimeout(resolve));
  });
});
