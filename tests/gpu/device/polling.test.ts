/** How Dawn in Node is kept from taking a core while it waits: what of `setImmediate` changes for it, and for nobody else. */
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { pollGently } from '../../../gpu/device/polling';

const plain = globalThis.setImmediate;

beforeEach(() => {
  globalThis.setImmediate = plain;
  pollGently();
});

afterEach(() => {
  vi.restoreAllMocks();
  globalThis.setImmediate = plain;
});

/** Nameless, and without JavaScript to show: what a native module makes. */
function native(turn: () => void): () => void {
  return new Proxy(
    (() =>
      function () {
        turn();
      })(),
    {},
  );
}

/** Asks again from within, as Dawn does, and counts how often in `ms`. */
async function turnsIn(ms: number, wrap: (turn: () => void) => () => void): Promise<number> {
  let turns = 0;
  const end = performance.now() + ms;
  await new Promise<void>((resolve) => {
    const ask = (): void => {
      turns += 1;
      if (performance.now() > end) resolve();
      else setImmediate(wrap(ask));
    };
    ask();
  });
  return turns;
}

test('Dawn rests between two questions, once it has waited for a while', async () => {
  const clock = vi.spyOn(globalThis, 'setTimeout');
  const turns = await turnsIn(50, native);
  // At first it asks in every turn; then it comes once a timer.
  expect(clock.mock.calls.length).toBeGreaterThan(2);
  expect(clock.mock.calls.length).toBeLessThan(60);
  expect(turns).toBeGreaterThan(clock.mock.calls.length);
});

test('a new wait begins without a rest', async () => {
  await turnsIn(20, native);
  await new Promise((resolve) => setTimeout(resolve, 30));
  const clock = vi.spyOn(globalThis, 'setTimeout');
  await new Promise<void>((resolve) => setImmediate(native(resolve)));
  expect(clock).not.toHaveBeenCalled();
});

test('everybody else is called in the next turn, with what they gave', async () => {
  const clock = vi.spyOn(globalThis, 'setTimeout');
  await turnsIn(10, (turn) => () => turn());
  expect(await new Promise((resolve) => setImmediate((a, b) => resolve([a, b]), 1, 2))).toEqual([1, 2]);
  expect(await promisify(setImmediate)(3)).toBe(3);
  expect(clock).not.toHaveBeenCalled();
  const never = vi.fn();
  clearImmediate(setImmediate(never));
  await promisify(setImmediate)();
  expect(never).not.toHaveBeenCalled();
});

test('it is put in place once', () => {
  const gentle = globalThis.setImmediate;
  pollGently();
  expect(globalThis.setImmediate).toBe(gentle);
});
