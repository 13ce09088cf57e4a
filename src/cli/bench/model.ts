/**
 * `fireside bench model`: what loading a model takes, how fast it answers, and where the time goes; each part beside
 * ONNX Runtime's WebGPU provider, in one run on one adapter.
 */
import type { Bench } from './bench';
import { ModelBench } from './model/run';
import { OPTIONS, settingsFrom } from './model/settings';
import { formatFigures } from './model/table';

export const modelBench: Bench = {
  summary: 'loading, prefill and decode of a model, by operation, beside ONNX Runtime',
  options: OPTIONS,

  async run(gpu, args) {
    const bench = new ModelBench(gpu, settingsFrom(args));
    const figures = await bench.run((what) => console.error(what));
    return { table: formatFigures(figures), figures };
  },
};
