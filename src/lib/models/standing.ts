/** Where a model stands, by what the store tells. Pure functions of its state. */
import type { ModelState, StoreState } from '$lib/store';

/** `unknown`: the store was not read yet. `coming`: begun, and not whole (any more). */
export type Standing = 'unknown' | 'gone' | 'coming' | 'whole';

/** Ready to be opened, also while it is being read back. */
export function isWhole({ status, addedAt }: ModelState): boolean {
  return status === 'whole' || (status === 'checking' && addedAt !== undefined);
}

/** Something is done about it now, or will be by itself. */
export function isMoving({ status }: ModelState): boolean {
  return status === 'downloading' || status === 'queued' || status === 'waiting' || status === 'checking';
}

export function canPause({ status }: ModelState): boolean {
  return status === 'downloading' || status === 'queued' || status === 'waiting';
}

export function canResume({ status }: ModelState): boolean {
  return status === 'paused' || status === 'failed' || status === 'damaged';
}

/** From 0 to 1. */
export function partDone({ done, bytes }: Pick<ModelState, 'done' | 'bytes'>): number {
  return bytes > 0 ? done / bytes : 0;
}

/** Where the store has trouble nobody knows: whoever opens the model is told. */
export function standing(state: StoreState | undefined, id: string): Standing {
  if (!state?.ready) return 'unknown';
  const model = state.models.find((one) => one.id === id);
  if (model) return isWhole(model) ? 'whole' : 'coming';
  return state.trouble ? 'whole' : 'gone';
}
