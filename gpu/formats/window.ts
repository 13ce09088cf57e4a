/**
 * How much of a sequence a layer keeps that looks back only so far: a ring of rows, so that a long conversation costs it
 * no more than a short one. gpu/model keeps it, the catalogue counts it.
 */

/** Rows that a cache grows by at least. */
export const CACHE_PAGE = 256;

/**
 * Rows kept beyond the window. So far back a sequence can be cut (asked again, edited) and go on from there; further back
 * what the window saw is overwritten. A part of a prompt, whose keys all come before its first query looks, has room too.
 */
export const WINDOW_SLACK = 2048;

/** Rows that a layer's cache has once there are `positions`; all of them where there is no window. */
export function rowsKept(window: number | undefined, positions: number, slack = WINDOW_SLACK): number {
  if (window === undefined || slack === Infinity) return positions;
  return Math.min(positions, Math.ceil((window + slack) / CACHE_PAGE) * CACHE_PAGE);
}
