/** `fireside bench gpu`: how fast the GPU reads, multiplies and attends; what the page `/bench` measures, by its code. */
import { measureOn } from '$lib/engine/bench/gpu';
import type { AttentionPoint, Figure, GpuFigures, KernelTime } from '$lib/engine/bench/figures';
import { noiseOf } from '$lib/engine/bench/statistics';
import type { Bench } from './bench';
import { alignColumns, formatBytes, formatNoise, threeDigits } from './columns';

export const gpuBench: Bench = {
  summary: 'reading, products and attention over length: what the page /bench measures',

  async run(gpu, _, save) {
    const figures = await measureOn(gpu, 0, ({ step, figures: now }) => {
      console.error(step);
      save(now);
    });
    return { table: formatFigures(figures), figures };
  },
};

function formatFigures({ reading, products, attention }: GpuFigures): string {
  const rates = [
    ...(reading
      ? [['reads', `${threeDigits(reading.gigabytesPerSecond)} GB/s`, spread(reading.ms), formatBytes(reading.bytes)]]
      : []),
    ...products.map(({ dtype, gflops, ms, name }) => [
      `multiplies ${dtype}`,
      `${threeDigits(gflops)} GFLOP/s`,
      spread(ms),
      name,
    ]),
  ];
  const head = ['attention', 'keys', 'flash, ms', '', 'standard, ms', '', 'more memory: flash', 'standard'];
  return [...alignColumns(rates, [0, 3]), '', ...alignColumns([head, ...attention.map(rowOf)])].join('\n');
}

function rowOf({ schedule, keys, flash, standard }: AttentionPoint): string[] {
  return [schedule, String(keys), ...timeOf(flash), ...timeOf(standard), memoryOf(flash), memoryOf(standard)];
}

function timeOf(time: KernelTime): string[] {
  return 'ms' in time ? [threeDigits(time.ms.median), spread(time.ms)] : [time.why ?? time.missing, ''];
}

function memoryOf(time: KernelTime): string {
  return 'ms' in time ? formatBytes(time.extraBytes) : '';
}

function spread(figure: Figure): string {
  return formatNoise(noiseOf(figure));
}
