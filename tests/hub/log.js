/** What a hub was asked, and which bytes of which file it sent how often. */

/**
 * @typedef {object} Entry
 * @property {number} time milliseconds since the hub was started
 * @property {string} method
 * @property {'api' | 'resolve' | 'file'} where
 * @property {string} path of the file; of a list, what was asked
 * @property {number} status
 * @property {boolean} token whether the request came with one
 * @property {number} first the first byte asked for
 * @property {number} sent how many bytes of the file left, from `first` on
 */

export class RequestLog {
  /** @type {Entry[]} */
  entries = [];
  #start = performance.now();

  /**
   * @param {Omit<Entry, 'time' | 'sent'>} entry
   * @returns {Entry} to be counted up while bytes are sent
   */
  add(entry) {
    const kept = { ...entry, time: performance.now() - this.#start, sent: 0 };
    this.entries.push(kept);
    return kept;
  }

  clear() {
    this.entries = [];
  }

  /** @param {string} [path] */
  sent(path) {
    return this.#of(path).reduce((sum, { sent }) => sum + sent, 0);
  }

  /**
   * How many bytes were sent more than once; one that was sent three times counts twice.
   *
   * @param {string} path
   */
  sentAgain(path) {
    const ends = this.#of(path).flatMap(({ first, sent }) => [
      { at: first, step: 1 },
      { at: first + sent, step: -1 },
    ]);
    ends.sort((a, b) => a.at - b.at);
    let again = 0;
    let depth = 0;
    let before = 0;
    for (const { at, step } of ends) {
      again += Math.max(0, depth - 1) * (at - before);
      depth += step;
      before = at;
    }
    return again;
  }

  /** @param {string | undefined} path */
  #of(path) {
    return this.entries.filter((entry) => entry.where === 'file' && (path === undefined || entry.path === path));
  }
}
