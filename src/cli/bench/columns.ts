/** Tables for people: aligned columns, and numbers with as many digits as they deserve. */
import type { Ratio } from '$lib/engine/bench/statistics';

/** Lines of a table whose columns named in `left` begin at the same place; the others end at the same place. */
export function alignColumns(table: readonly (readonly string[])[], left: readonly number[] = [0]): string[] {
  const count = Math.max(0, ...table.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, column) =>
    Math.max(...table.map((row) => row[column]?.length ?? 0)),
  );
  return table.map((row) =>
    row
      .map((cell, column) => (left.includes(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
}

/** Three digits that count; all of them where there are more before the point. */
export function threeDigits(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const before = Math.floor(Math.log10(Math.abs(value))) + 1;
  return value.toFixed(Math.min(6, Math.max(0, 3 - before)));
}

/** «1.94x ±3%» */
export function formatRatio({ value, noise }: Ratio): string {
  return `${value.toFixed(2)}x ${formatNoise(noise)}`;
}

/** «±3%» */
export function formatNoise(share: number): string {
  const percent = share * 100;
  return `±${percent < 10 ? percent.toFixed(percent < 0.95 ? 1 : 0) : percent.toFixed(0)}%`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const [amount, unit] = bytes < 2 ** 20 ? [bytes / 2 ** 10, 'KiB'] : [bytes / 2 ** 20, 'MiB'];
  return `${amount < 100 ? amount.toFixed(1) : amount.toFixed(0)} ${unit}`;
}
