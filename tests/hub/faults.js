/** What can be made to go wrong, how often, and where. */

/**
 * @typedef {object} Fault
 * @property {'status' | 'cut' | 'stall' | 'wrong' | 'no-range'} kind `status`: an error instead of an answer. `cut`: the
 *   connection breaks, `stall`: it falls silent, after `after` bytes. `wrong`: the byte at `offset` of the file comes
 *   flipped. `no-range`: Range is ignored.
 * @property {'api' | 'resolve' | 'file'} [where] lists, redirects, or the bytes themselves; default: bytes
 * @property {string} [path] of one file; default: of all
 * @property {number} [times] how often; default once. `Infinity` for ever.
 * @property {number} [skip] answers that are spared before
 * @property {number} [status]
 * @property {Record<string, string>} [headers] that come with the status, such as Retry-After
 * @property {number} [after]
 * @property {number} [offset]
 */

export class Faults {
  /** @type {(Fault & { left: number, spared: number })[]} */
  #list = [];

  /** @param {Fault} fault */
  add(fault) {
    this.#list.push({ ...fault, left: fault.times ?? 1, spared: fault.skip ?? 0 });
  }

  clear() {
    this.#list = [];
  }

  /**
   * The faults that this answer is to have; each counts as used.
   *
   * @param {'api' | 'resolve' | 'file'} where
   * @param {string} path of the file; of a list ''
   * @param {{ first: number, last: number }} [range] a wrong byte shows only where it is in the range
   * @returns {{ [K in Fault['kind']]?: Fault }}
   */
  take(where, path, range) {
    /** @type {{ [K in Fault['kind']]?: Fault }} */
    const taken = {};
    for (const fault of this.#list) {
      if (fault.left <= 0 || (fault.where ?? 'file') !== where) continue;
      if (fault.path !== undefined && fault.path !== path) continue;
      const offset = fault.offset ?? 0;
      if (fault.kind === 'wrong' && range && (offset < range.first || offset > range.last)) continue;
      if (fault.spared > 0) {
        fault.spared -= 1;
        continue;
      }
      fault.left -= 1;
      taken[fault.kind] = fault;
    }
    return taken;
  }
}
