/**
 * Stop strings in a stream: the text up to the one that ends first, exact whatever the portions it arrives in.
 *
 * For each stop string a Knuth-Morris-Pratt automaton says how many of its characters the text ends with. As many as
 * the furthest of them has are held back, since they may be its beginning, and not one more. Of stop strings that end
 * at the same character the longest counts. O(1) a character for each stop string.
 */
import { ArgumentError } from './errors';

interface Automaton {
  readonly stop: string;
  /** failure[n]: the longest beginning of `stop` that its first n + 1 characters end with, themselves excepted */
  readonly failure: Int32Array;
  /** How many characters of `stop` the text ends with. */
  matched: number;
}

export class StopMatcher {
  readonly #automata: readonly Automaton[];
  #held = '';
  #found: string | undefined;

  constructor(stops: readonly string[]) {
    this.#automata = stops.map((stop) => ({ stop, failure: failureOf(stop), matched: 0 }));
  }

  /** The stop string that was found. */
  get found(): string | undefined {
    return this.#found;
  }

  /** More text; returns what is certain to come before any stop string. */
  push(text: string): string {
    if (this.#found !== undefined) return '';
    const all = this.#held + text;
    for (let i = this.#held.length; i < all.length; i++) {
      const stop = this.#advance(all.charCodeAt(i));
      if (stop === undefined) continue;
      this.#found = stop;
      this.#held = '';
      return all.slice(0, i + 1 - stop.length);
    }
    const held = this.#automata.reduce((most, { matched }) => Math.max(most, matched), 0);
    this.#held = all.slice(all.length - held);
    return all.slice(0, all.length - held);
  }

  /** The text has ended: what was held back. */
  finish(): string {
    const held = this.#held;
    this.#held = '';
    for (const automaton of this.#automata) automaton.matched = 0;
    return held;
  }

  #advance(codeUnit: number): string | undefined {
    let found: string | undefined;
    for (const automaton of this.#automata) {
      const { stop, failure } = automaton;
      let matched = automaton.matched;
      while (matched > 0 && stop.charCodeAt(matched) !== codeUnit) matched = failure[matched - 1] as number;
      if (stop.charCodeAt(matched) === codeUnit) matched += 1;
      automaton.matched = matched;
      if (matched === stop.length && stop.length > (found?.length ?? 0)) found = stop;
    }
    return found;
  }
}

function failureOf(stop: string): Int32Array {
  if (stop === '') throw new ArgumentError('stop', 'a stop string must not be empty');
  const failure = new Int32Array(stop.length);
  for (let i = 1, matched = 0; i < stop.length; i++) {
    while (matched > 0 && stop[i] !== stop[matched]) matched = failure[matched - 1] as number;
    if (stop[i] === stop[matched]) matched += 1;
    failure[i] = matched;
  }
  return failure;
}
