/** Numbers with units that people know. */

/** 134217728 -> «128 MB», in the powers of 1024 that memory comes in. */
export function formatBytes(bytes: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB'];
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1);
  const value = bytes / 1024 ** power;
  return `${value >= 100 ? Math.round(value) : Number(value.toFixed(1))} ${units[power]}`;
}

/** 0.8123 -> «0.81 ms», 1234 -> «1.2 seconds». */
export function formatDuration(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} seconds`;
  return `${ms.toFixed(ms < 10 ? 2 : 0)} ms`;
}

/** Of anything that is counted each second: 3.14, 31, 314. */
export function formatRate(perSecond: number): string {
  return perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond).toLocaleString('en');
}
