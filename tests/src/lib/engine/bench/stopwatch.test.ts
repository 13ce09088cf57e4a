/** How many replays a submit holds, and which clock is believed. */
import { expect, test } from 'vitest';
import { judgeClock, replaysFor } from '$lib/engine/bench/stopwatch';

test('short work is repeated until a submit is worth timing, long work runs alone', () => {
  expect(replaysFor(0.01)).toBe(2048);
  expect(replaysFor(0.1)).toBe(250);
  expect(replaysFor(10)).toBe(3);
  expect(replaysFor(1000)).toBe(1);
  expect(replaysFor(0)).toBe(2048);
});

test('timestamps count where the wall clock bears them out', () => {
  expect(judgeClock([5, 5, 5, 5], 21)).toMatchObject({ clock: 'gpu' });
  expect(judgeClock([5, 5, 5, 5], 21).reason).toBe('4 passes take 20.00 ms by timestamps, 21.00 ms by the wall');
});

test('timestamps that stand still, run backwards, or tell of more than there was do not', () => {
  for (const stamped of [
    [0, 0, 0, 0],
    [5, -5, 5, 5],
    [5, 0, 5, 5],
    [50, 50, 50, 50],
    [1, 1, 1, 1],
  ]) {
    expect(judgeClock(stamped, 21).clock, String(stamped)).toBe('wall');
  }
});
