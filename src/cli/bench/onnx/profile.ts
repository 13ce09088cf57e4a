/** What ONNX Runtime's profile says of the GPU: a trace in Chrome's format, one event a dispatch, by timestamps. */

export interface TraceEvent {
  readonly cat: string;
  readonly name: string;
  /** Microseconds. */
  readonly ts: number;
  readonly dur: number;
}

export interface KernelTimes {
  /** Milliseconds of one node's kernels, without what moves a cache; an entry a run. */
  readonly node: readonly number[];
  /** Dispatches of one node, by name, with the milliseconds of all that bear it. */
  readonly programs: Readonly<Record<string, number>>;
}

/** Where the operator moves new keys and values into its cache: work that ours are not timed with. */
const MOVES_CACHE = 'CopyKVCache';

/**
 * Times by run, for `runs` runs of a chain of `nodes` nodes; the first `warm` runs do not count. Undefined where the
 * trace has no dispatches of the GPU, or not as many a run.
 */
export function kernelTimes(
  events: readonly TraceEvent[],
  { nodes, runs, warm }: { nodes: number; runs: number; warm: number },
): KernelTimes | undefined {
  // The runtime writes them in their order, as their timestamps come back.
  const dispatches = events.filter(({ cat }) => cat === 'Api');
  if (dispatches.length === 0 || dispatches.length % runs !== 0) return undefined;
  const each = dispatches.length / runs;
  const timed = dispatches.slice(warm * each);
  const programs: Record<string, number> = {};
  for (const { name, dur } of timed) {
    const short = name.split('&').at(-1)!;
    programs[short] = (programs[short] ?? 0) + dur / 1000 / nodes / (runs - warm);
  }
  const node = Array.from({ length: runs - warm }, (_, run) =>
    timed
      .slice(run * each, (run + 1) * each)
      .filter(({ name }) => !name.endsWith(MOVES_CACHE))
      .reduce((sum, { dur }) => sum + dur / 1000 / nodes, 0),
  );
  return { node, programs };
}
