/** Tables for people. */
import { expect, test } from 'vitest';
import { alignColumns, formatBytes, formatNoise, formatRatio, threeDigits } from '../../../../src/cli/bench/columns';

test('columns end at the same place, those of words begin there', () => {
  const table = [
    ['n', 'what', 'ms'],
    ['1', 'a', '10.5'],
    ['100', 'long one', '2'],
  ];
  expect(alignColumns(table, [1])).toEqual(['  n  what        ms', '  1  a         10.5', '100  long one     2']);
  expect(alignColumns([])).toEqual([]);
});

test('three digits that count', () => {
  for (const [value, text] of [
    [0.0001234, '0.000123'],
    [0.01234, '0.0123'],
    [1.234, '1.23'],
    [12.34, '12.3'],
    [123.4, '123'],
    [12345.6, '12346'],
    [0, '0'],
  ] as const) {
    expect(threeDigits(value)).toBe(text);
  }
});

test('shares, ratios and bytes', () => {
  expect(formatNoise(0.004)).toBe('±0.4%');
  expect(formatNoise(0.034)).toBe('±3%');
  expect(formatRatio({ value: 1.987, noise: 0.12 })).toBe('1.99x ±12%');
  expect(formatBytes(512)).toBe('512 B');
  expect(formatBytes(8192)).toBe('8.0 KiB');
  expect(formatBytes(2 ** 30)).toBe('1024 MiB');
});
