/** Opens a model on this machine's GPU for a command, and closes it whatever happens. */
import { openGpu } from '$gpu';
import { openOnGpu, type ModelOnGpu } from '$lib/engine/gpu-open';
import type { ModelChoice } from './options';
import { modelPlace } from './place';
import { ProgressLine } from './progress';
import { quantisedTable } from './quantised';

/** Shells take this number for a program that Ctrl+C ended. */
export const INTERRUPTED = 130;

/**
 * Runs `use` with the model. Ctrl+C gives its signal, so that it ends with what it has; a second one ends the program.
 * Returns the exit code of `use`.
 */
export async function withModel(
  choice: ModelChoice,
  use: (opened: ModelOnGpu, signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.once('SIGINT', interrupt);
  try {
    const opened = await open(choice, stop.signal);
    try {
      return await use(opened, stop.signal);
    } finally {
      opened.model.close();
    }
  } catch (error) {
    if (stop.signal.aborted) return INTERRUPTED;
    throw error;
  } finally {
    process.off('SIGINT', interrupt);
  }
}

async function open({ model, store, ...choice }: ModelChoice, signal: AbortSignal): Promise<ModelOnGpu> {
  const line = new ProgressLine(process.stderr);
  const progress = line.show.bind(line);
  try {
    const place = await modelPlace(model, signal, store, line.showDownload.bind(line));
    progress({ phase: 'device' });
    const gpu = await openGpu({ prepare: [] });
    try {
      const opened = await openOnGpu(gpu, place, { ...choice, signal, progress });
      line.clear();
      if (choice.quant) console.error(quantisedTable(opened.quantised));
      return opened;
    } catch (error) {
      gpu.destroy();
      throw error;
    }
  } finally {
    line.clear();
  }
}
