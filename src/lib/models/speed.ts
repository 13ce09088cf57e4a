/**
 * How fast this device was seen to answer: what verdicts on other models go by, in place of what is usual. Every token
 * reads all weights once, so that bytes a second are the same for models of any size, as long as they are large.
 */
import type { LoadedModel, Timings } from '$lib/engine/protocol';
import { remember, remembered } from '$lib/ui/memory';

export type Speeds = Partial<Record<LoadedModel['path'], number>>;

const KEY = 'fireside.speed';
/** With less, a token is made of dispatches more than of weights. */
const LEAST_BYTES = 128 * 2 ** 20;
/** Fewer say nothing. */
const LEAST_TOKENS = 16;

/** Of a model that answered: remembers it where it was the fastest so far, since a busy device shows less than it can do. */
export function noteSpeed(model: LoadedModel, { tokens, ms }: Timings['decode']): void {
  // What was made smaller on its way to the GPU has not as many bytes as its file; a server is not this device.
  if (model.path === 'server' || model.quantised || model.bytes < LEAST_BYTES || tokens < LEAST_TOKENS || ms <= 0)
    return;
  const seen = seenSpeeds();
  const speed = (model.bytes * tokens * 1000) / ms;
  if (speed > (seen[model.path] ?? 0)) remember(KEY, JSON.stringify({ ...seen, [model.path]: speed }));
}

/** Bytes a second, by the way that a model was computed. */
export function seenSpeeds(): Speeds {
  let kept: unknown;
  try {
    kept = JSON.parse(remembered(KEY) ?? '{}');
  } catch {
    // Written by somebody else: as if there were nothing.
  }
  const { gpu, cpu } = Object(kept) as Record<string, unknown>;
  return { ...(isRate(gpu) && { gpu }), ...(isRate(cpu) && { cpu }) };
}

function isRate(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}
