/** What `fireside bench NAME` finds in this folder. */
import type { Gpu } from '$gpu';

export interface Bench {
  readonly summary: string;
  /** Its own options, a line each; none where it has none. */
  readonly options?: readonly string[];
  /** `args`: what follows the name. `save` keeps figures that are ready, so that a run cut short leaves something. */
  run(gpu: Gpu, args: string[], save: (figures: unknown) => void): Promise<BenchResult>;
}

export interface BenchResult {
  /** For people. */
  readonly table: string;
  /** The same figures, and whatever else is worth keeping. */
  readonly figures: unknown;
  /** What was wrong, if the run has to count as failed. */
  readonly failure?: string;
}
