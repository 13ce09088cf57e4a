/** What `--quant` has cost, as a table. */
import type { QuantisedTensor } from '$lib/engine/protocol';

/** A line for each tensor, and one for the worst of them. Errors are relative: see `QuantisationError`. */
export function quantisedTable(tensors: readonly QuantisedTensor[]): string {
  const width = Math.max(...tensors.map(({ name }) => name.length));
  const rows = tensors.map(({ name, type, layout, rms, max }) => {
    return `${name.padEnd(width)}  ${type.padStart(4)} to ${layout}  error: rms ${percent(rms)}, largest ${percent(max)}`;
  });
  const worst = tensors.reduce((a, b) => (b.rms > a.rms ? b : a));
  return [
    ...rows,
    `${tensors.length} tensors quantised; the most by rms loses ${worst.name}, ${percent(worst.rms)}.`,
  ].join('\n');
}

function percent(part: number): string {
  return `${(part * 100).toFixed(3)} %`;
}
