/**
 * `fireside bench attention`: FlashAttention against the materialised way and against ONNX Runtime's WebGPU provider,
 * in one run on one adapter.
 */
import { nameOf } from '$lib/engine/bench/attention/cases';
import { AttentionBench } from './attention/run';
import { OPTIONS, settingsFrom } from './attention/settings';
import { formatFigures, formatProgress } from './attention/table';
import type { Bench } from './bench';

export const attentionBench: Bench = {
  summary: 'FlashAttention against standardAttention and ONNX Runtime',
  options: OPTIONS,

  async run(gpu, args, save) {
    const bench = new AttentionBench(gpu, settingsFrom(args));
    await bench.run((one, rows) => {
      console.error(`${nameOf(one)}: ${formatProgress(rows)}`);
      save(bench.figures());
    });
    const figures = bench.figures();
    return {
      table: formatFigures(figures),
      figures,
      ...(bench.wrong > 0 ? { failure: `${bench.wrong} kernels were wrong or failed; see the last lines` } : {}),
    };
  },
};
