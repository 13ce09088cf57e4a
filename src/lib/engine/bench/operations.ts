/** GPU time of a step by operation: of the decode step as the session replays it, and of a prompt's. */
import type { Gpu, Plan, ProfileRow } from '$gpu';
import { forward, logitsOf, type Model } from '$gpu/model';

/** All dispatches of a plan that do the same on the same shape. */
export interface Operation {
  readonly label: string;
  readonly workgroups: readonly [number, number, number];
  readonly calls: number;
  /** Milliseconds of all calls. */
  readonly ms: number;
}

export interface StepFigures {
  /** Tokens that the step computes. */
  readonly tokens: number;
  /** Positions in the cache before it. */
  readonly position: number;
  readonly dispatches: number;
  /** The costliest first. */
  readonly operations: readonly Operation[];
  /** Milliseconds of all dispatches, each at its least and at its median. */
  readonly leastMs: number;
  readonly medianMs: number;
  readonly clock: 'gpu' | 'wall';
}

const REPEATS = 5;

/**
 * `least`: of the repeats, which tells best what a dispatch needs. `mean`: where clocks are coarse, as in browsers, whose
 * timestamps are rounded to 0.1 ms: right over many repeats, when each alone is not.
 */
export type Taken = 'least' | 'mean';

export interface StepOptions {
  readonly repeats?: number;
  readonly taken?: Taken;
}

/** A plan of the session's moves on by a position with every replay. */
export async function profileStep(
  gpu: Gpu,
  plan: Plan,
  tokens: number,
  position: number,
  { repeats = REPEATS, taken = 'least' }: StepOptions = {},
): Promise<StepFigures> {
  const rows = await gpu.profile(plan, { repeats });
  const operations = operationsOf(rows, taken);
  return {
    tokens,
    position,
    dispatches: rows.length,
    operations,
    leastMs: rows.reduce((sum, { least }) => sum + least, 0),
    medianMs: rows.reduce((sum, { median }) => sum + median, 0),
    clock: rows[0]?.clock ?? 'wall',
  };
}

/** A prompt's step from an empty cache to the logits of its last token. */
export async function profilePrompt(
  gpu: Gpu,
  model: Model,
  tokens: number,
  options: StepOptions = {},
): Promise<StepFigures> {
  const cache = model.createCache();
  cache.reserve(tokens);
  const state = gpu.upload(Int32Array.of(0), [1]);
  const ids = gpu.upload(
    Int32Array.from({ length: tokens }, (_, n) => n % model.config.vocab),
    [tokens],
  );
  const plan = gpu.record(() =>
    gpu.scoped(() => {
      const x = forward(gpu, model, { ids, first: 0, tokens, state, cache });
      logitsOf(gpu, model, x, tokens - 1);
    }),
  );
  try {
    return await profileStep(gpu, plan, tokens, 0, options);
  } finally {
    plan.destroy();
    ids.destroy();
    state.destroy();
    cache.destroy();
  }
}

function operationsOf(rows: readonly ProfileRow[], taken: Taken): Operation[] {
  const groups = new Map<string, ProfileRow[]>();
  for (const row of rows) {
    const key = `${row.label} ${row.workgroups.join('x')}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()]
    .map((group) => ({
      label: group[0]!.label,
      workgroups: group[0]!.workgroups,
      calls: group.length,
      ms: group.reduce((sum, row) => sum + row[taken], 0),
    }))
    .sort((a, b) => b.ms - a.ms);
}

/** Milliseconds of the operations whose label begins with one of these words. */
export function sumOf(step: StepFigures, ...labels: readonly string[]): number {
  const chosen = step.operations.filter(({ label }) => labels.some((word) => label.startsWith(word)));
  return chosen.reduce((sum, { ms }) => sum + ms, 0);
}

/** Bytes of weights that a decoded token reads: all matrices once, but for the embedding's other rows. */
export function weightBytes({ weights }: Model): number {
  const layers = weights.layers.flatMap(({ qkv, o, gateUp, down }) => [qkv, o, gateUp, down]);
  return [...layers, weights.head].reduce((sum, { bytes }) => sum + bytes, 0);
}
