/**
 * Dawn in Node has nobody who wakes it: while a promise of its waits for the GPU, it asks the driver again in every turn
 * of the event loop, through `setImmediate`. That takes a whole processor core for as long as the GPU computes, which a
 * software GPU would rather have for itself (docs/log.md has the figures).
 */

/** A short wait is over before a timer would have come: asked without a rest, in milliseconds. */
const EAGER = 1;
/** Whoever has not asked for so long, in milliseconds, begins a new wait. */
const APART = 5;
const REST = 1;

type Turn = (...args: unknown[]) => void;

/** On the function that was put in place: a second copy of this module finds it there. */
const mark = Symbol.for('fireside.gentle-polling');

/**
 * Lets Dawn rest for a millisecond between two questions, once a wait has lasted one. Dawn looks `setImmediate` up on
 * `globalThis` each time, so that is where it has to be met; the calls of everybody else go through as they were.
 */
export function pollGently(): void {
  const plain = globalThis.setImmediate;
  if (mark in plain) return;
  let asked = -Infinity;
  let began = 0;
  const gentle = (turn: Turn, ...args: unknown[]): NodeJS.Immediate | NodeJS.Timeout => {
    if (!isDawns(turn)) return plain(turn, ...args);
    const now = performance.now();
    if (now - asked > APART) began = now;
    asked = now;
    return now - began < EAGER ? plain(turn, ...args) : setTimeout(turn, REST, ...args);
  };
  // With what hangs on it (`promisify.custom`), and what says that it is ours.
  globalThis.setImmediate = Object.assign(gentle, plain, { [mark]: true });
}

/** A function without a name and without JavaScript: made by a native module, as Dawn makes one for every turn. */
function isDawns(turn: Turn): boolean {
  return turn.name === '' && Function.prototype.toString.call(turn).endsWith('{ [native code] }');
}
