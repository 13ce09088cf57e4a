/** What a page says to the service worker that waits: take over now. The page reloads when it has. */
export const TAKE_OVER = 'fireside:take-over';
