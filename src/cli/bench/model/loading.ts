/** What loading a model takes: milliseconds by phase, and memory of the process. */
import type { Gpu } from '$gpu/device';
import { openOnGpu, type ModelOnGpu } from '$lib/engine/gpu-open';
import { modelPlace } from '../../model/place';
import { storeFrom } from '../../model/store';
import { memoryNow, MemoryPeak, settleHeap, type Memory } from './memory';

/** `open`: header and tokenizer; the others are the engine's own phases. */
export type Phase = 'open' | 'read' | 'upload' | 'compile';

export interface PhaseFigures {
  readonly phase: Phase;
  readonly ms: number;
  /** The most of each kind while the phase ran. */
  readonly peak: Memory;
  /** Bytes that the GPU held for the model in the end. */
  readonly gpuBytes: number;
}

export interface LoadingFigures {
  readonly phases: readonly PhaseFigures[];
  /** Of the files. */
  readonly fileBytes: number;
  readonly before: Memory;
  readonly after: Memory;
  /** Most bytes that it took until all weights were on the GPU, beyond what was there before and what the GPU keeps. */
  readonly extra: number;
}

export interface Loaded {
  readonly opened: ModelOnGpu;
  readonly figures: LoadingFigures;
}

export async function timeLoading(gpu: Gpu, name: string): Promise<Loaded> {
  const { signal } = new AbortController();
  const place = await modelPlace(name, signal, storeFrom({}));
  await settleHeap(gpu);
  const before = memoryNow();
  const phases = new Phases(gpu);
  try {
    const progress = ({ phase }: { phase: string }): void => phases.enter(phaseOf(phase));
    const opened = await openOnGpu(gpu, place, { context: undefined, signal, progress });
    phases.close();
    const { done } = phases;
    const extra = extraOf(done, before, gpu.info.isFallback);
    return { opened, figures: { phases: done, fileBytes: opened.bytes, before, after: memoryNow(), extra } };
  } finally {
    phases.stop();
  }
}

function phaseOf(phase: string): Phase {
  return phase === 'upload' || phase === 'compile' ? phase : 'read';
}

/** Where a processor stands in for a GPU, what the GPU keeps is memory of the process. */
function extraOf(phases: readonly PhaseFigures[], before: Memory, software: boolean): number {
  const loading = phases.filter(({ phase }) => phase !== 'compile');
  const most = Math.max(...loading.map(({ peak }) => peak.data));
  return most - before.data - (software ? loading.at(-1)!.gpuBytes : 0);
}

class Phases {
  readonly done: PhaseFigures[] = [];
  readonly #peak = new MemoryPeak();
  readonly #held: number;
  #phase: Phase = 'open';
  #start = performance.now();

  constructor(private readonly gpu: Gpu) {
    this.#held = gpu.memory().reserved;
  }

  enter(phase: Phase): void {
    if (phase === this.#phase) return;
    this.close();
    this.#phase = phase;
  }

  close(): void {
    const gpuBytes = this.gpu.memory().reserved - this.#held;
    this.done.push({ phase: this.#phase, ms: performance.now() - this.#start, peak: this.#peak.take(), gpuBytes });
    this.#start = performance.now();
  }

  stop(): void {
    this.#peak.stop();
  }
}
