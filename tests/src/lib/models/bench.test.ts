/** Measured figures in words, lines and bars. */
import { expect, test } from 'vitest';
import { attentionLines, attentionWords, operationBars, timeWords } from '$lib/models/bench/words';
import type { AttentionPoint, Figure, KernelTime, StepFigures } from '$lib/engine/protocol';
import { dataOf } from '$lib/ui/line-chart';

function figure(median: number): Figure {
  return { median, low: median * 0.9, high: median * 1.1, least: median, most: median, samples: 5 };
}

function time(ms: number, extraBytes: number): KernelTime {
  return { ms: figure(ms), extraBytes };
}

const points: readonly AttentionPoint[] = [
  { schedule: 'prefill', keys: 64, flash: time(1, 0), standard: time(0.5, 1024) },
  { schedule: 'prefill', keys: 128, flash: time(2, 0), standard: time(5, 2048) },
  { schedule: 'prefill', keys: 256, flash: time(4, 0), standard: { missing: 'slow' } },
];

test('the longest length that both took is compared, in time and in memory', () => {
  expect(attentionWords(points)).toBe(
    'At 128 tokens FlashAttention is 2.5 times as fast. It needs 0 bytes of memory beyond its input and output, the other way 2 kB.',
  );
  expect(attentionWords(points.slice(0, 1))).toContain('At 64 tokens FlashAttention takes 2 times as long.');
  expect(attentionWords(points.slice(2))).toBe('');
});

test('a line has no point where nothing was measured, and the chart a gap', () => {
  const lines = attentionLines(points);
  expect([...lines[1]!.points]).toEqual([
    [64, 0.5],
    [128, 5],
  ]);
  expect(dataOf(lines)).toEqual([
    [64, 128, 256],
    [1, 2, 4],
    [0.5, 5, null],
  ]);
});

test('a cell tells the spread, or why there is no time', () => {
  expect(timeWords(points[0]!.flash)).toBe('1 ms ± 10%');
  expect(timeWords({ ms: { ...figure(2), samples: 1 }, extraBytes: 0 })).toBe('2 ms');
  expect(timeWords(points[2]!.standard)).toBe('too slow');
  expect(timeWords({ missing: 'failed', why: 'a limit' })).toBe('not possible');
});

test('the dispatches of a step are summed by what they do, the largest part first', () => {
  const operation = (label: string, ms: number) => ({ label, ms, calls: 1, workgroups: [1, 1, 1] as const });
  const step: StepFigures = {
    tokens: 1,
    position: 0,
    dispatches: 5,
    leastMs: 0,
    medianMs: 0,
    clock: 'gpu',
    operations: [
      operation('attention/decode', 1),
      operation('matvec q8 normed', 5),
      operation('matmul q8', 1),
      operation('generate/sample_scan', 2),
      operation('rope append', 0.5),
    ],
  };
  expect(operationBars(step).map(({ name, amount }) => [name, amount])).toEqual([
    ['Products with weights', 6],
    ['Drawing the token', 2],
    ['Attention', 1],
    ['Norms, positions, embedding', 0.5],
  ]);
});
