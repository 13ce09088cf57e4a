/** What pages and the service worker say to each other. */

/** A page to the service worker that waits: take over now. The page reloads when it has. */
export const TAKE_OVER = 'fireside:take-over';

/** The service worker to every page: have you a model open? With a port, on which the page answers, and all else goes. */
export const FIND_ENGINE = 'fireside:find-engine';

/** The page's first word on the port. */
export interface EngineFound {
  readonly has: boolean;
}

/** The service worker's first: a request for the engine. */
export interface PassedRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: ArrayBuffer | null;
}

/** Then the page's: the answer's head. */
export interface PassedHead {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
}

/** Its body is asked for piece by piece, as fast as somebody reads it; whoever stops reading says so. */
export type PassedWish = 'more' | 'enough';

/** The next piece; an end; what broke it. */
export type PassedPiece = { readonly piece: Uint8Array } | { readonly end: true } | { readonly broken: string };
