/** Numbers with units that people know, as a language writes them. */

const BYTES = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;

/** 134217728 -> «128 MB», in the powers of 1024 that memory comes in; from 1000 of one on in the next: «1 GB». */
export function formatBytes(bytes: number, language = 'en'): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1) * (1024 / 1000)) / 10), BYTES.length - 1);
  const value = bytes / 1024 ** power;
  return withUnit(value, BYTES[power]!, value >= 100 ? 0 : 1, language, power === 0 ? 'long' : 'short');
}

/** 0.8123 -> «0.81 ms», 1234 -> «1.2 seconds». */
export function formatDuration(ms: number, language = 'en'): string {
  if (ms >= 1000) return withUnit(ms / 1000, 'second', 1, language, 'long');
  return withUnit(ms, 'millisecond', ms < 10 ? 2 : 0, language, 'short');
}

/** Of anything that is counted each second: 3.1, 31, 314. */
export function formatRate(perSecond: number, language = 'en'): string {
  const maximumFractionDigits = perSecond < 10 ? 1 : 0;
  return perSecond.toLocaleString(language, { maximumFractionDigits, minimumFractionDigits: maximumFractionDigits });
}

/** 0.42 -> «42 %». */
export function formatPercent(part: number, language = 'en'): string {
  return part.toLocaleString(language, { style: 'percent', maximumFractionDigits: 0 });
}

function withUnit(
  value: number,
  unit: string,
  maximumFractionDigits: number,
  language: string,
  unitDisplay: 'short' | 'long',
): string {
  return value.toLocaleString(language, { style: 'unit', unit, unitDisplay, maximumFractionDigits });
}
