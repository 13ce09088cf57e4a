/**
 * Waiting for a buffer to be mapped.
 *
 * Firefox looks for finished GPU work from a timer of 100 ms (Mozilla bug 1870699), so that every readback, and every
 * token of a chat, would take that long. A submit makes it look at once. While we wait there, we therefore submit empty
 * command buffers: about one a millisecond, since more of them flood its GPU process. (Found by jax-js, which measured
 * some 1.4 ms instead of 100.)
 *
 * This is the only place where we look at the user agent: nothing else tells the timer from a GPU that is busy, and
 * where the guess is wrong, the only cost is a few empty submits.
 */

const NUDGE_EVERY_MS = 1;
/** Past this wait the GPU is busy with something long, and a look every few milliseconds is soon enough. */
const EAGER_MS = 20;
const PATIENT_MS = 5;
/** A map that never comes: stop pushing. The promise still settles if the browser settles it. */
const GIVE_UP_MS = 10_000;

export function needsNudge(userAgent = (globalThis.navigator as Partial<Navigator> | undefined)?.userAgent): boolean {
  return userAgent !== undefined && userAgent.includes('Firefox/') && !userAgent.includes('Seamonkey/');
}

/** Resolves when `wait` does, pushing the queue along in the meantime where the browser needs that. */
export async function nudged<T>(device: GPUDevice, wait: Promise<T>, needed = needsNudge()): Promise<T> {
  if (!needed) return wait;
  let settled = false;
  const tracked = wait.finally(() => {
    settled = true;
  });
  // What `tracked` rejects with reaches the caller below; the loop only wants to know that it ended.
  tracked.catch(() => undefined);
  const start = performance.now();
  let last = -Infinity;
  for (let now = start; now - start < GIVE_UP_MS; now = performance.now()) {
    await nextTask(now - start < EAGER_MS ? 0 : PATIENT_MS);
    if (settled) break;
    if (performance.now() - last < NUDGE_EVERY_MS) continue;
    last = performance.now();
    device.queue.submit([device.createCommandEncoder().finish()]);
  }
  return tracked;
}

/** `setTimeout` waits 4 ms at least once nested; a message comes back at once. */
function nextTask(delay: number): Promise<void> {
  if (delay > 0) return new Promise((resolve) => setTimeout(resolve, delay));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(0);
  });
}
