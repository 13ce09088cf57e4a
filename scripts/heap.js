/**
 * The heaps of a page and of its workers, buffers included, looked at a few times a second while something runs.
 * Workers are asked through the page's session: Playwright gives them none of their own.
 */
const PAUSE_MS = 50;

/** @import { CDPSession, Page } from 'playwright' */

/**
 * @typedef {object} Heap
 * @property {number} usedSize
 * @property {number} embedderHeapUsedSize
 * @property {number} backingStorageSize of array buffers
 */

let lastId = 0;

export class HeapWatch {
  #watching = true;
  #most = 0;
  #first = 0;
  /** @type {Promise<void>} */
  #over;

  /**
   * @param {CDPSession} session
   * @param {Set<string>} workers
   */
  constructor(session, workers) {
    this.#over = this.#watch(session, workers);
  }

  /** @param {Page} page */
  static async begin(page) {
    const session = await page.context().newCDPSession(page);
    /** @type {Set<string>} */
    const workers = new Set();
    session.on('Target.attachedToTarget', ({ sessionId }) => workers.add(sessionId));
    session.on('Target.detachedFromTarget', ({ sessionId }) => workers.delete(sessionId));
    await session.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
    return new HeapWatch(session, workers);
  }

  /** @returns {Promise<{ first: number, most: number }>} bytes: at the beginning, and the most that were seen */
  async end() {
    this.#watching = false;
    await this.#over;
    return { first: this.#first, most: this.#most };
  }

  /**
   * @param {CDPSession} session
   * @param {Set<string>} workers
   */
  async #watch(session, workers) {
    while (this.#watching) {
      const own = session.send('Runtime.getHeapUsage');
      const heaps = await Promise.all([own, ...[...workers].map((worker) => heapOf(session, worker))]);
      const bytes = heaps.reduce((sum, heap) => sum + sizeOf(heap), 0);
      this.#first ||= bytes;
      this.#most = Math.max(this.#most, bytes);
      await new Promise((done) => setTimeout(done, PAUSE_MS));
    }
  }
}

/** @param {Heap | undefined} heap */
function sizeOf(heap) {
  return heap ? heap.usedSize + heap.embedderHeapUsedSize + heap.backingStorageSize : 0;
}

/**
 * @param {CDPSession} session
 * @param {string} sessionId
 * @returns {Promise<Heap | undefined>} undefined: the worker has ended
 */
function heapOf(session, sessionId) {
  const id = (lastId += 1);
  return new Promise((done) => {
    /** @param {{ sessionId: string, message: string }} event */
    const listen = (event) => {
      const answer = /** @type {{ id?: number, result?: Heap }} */ (JSON.parse(event.message));
      if (event.sessionId === sessionId && answer.id === id) finish(answer.result);
    };
    /** @param {{ sessionId: string }} event */
    const gone = (event) => {
      if (event.sessionId === sessionId) finish(undefined);
    };
    /** @param {Heap | undefined} heap */
    const finish = (heap) => {
      session.off('Target.receivedMessageFromTarget', listen);
      session.off('Target.detachedFromTarget', gone);
      done(heap);
    };
    session.on('Target.receivedMessageFromTarget', listen);
    session.on('Target.detachedFromTarget', gone);
    const message = JSON.stringify({ id, method: 'Runtime.getHeapUsage' });
    session.send('Target.sendMessageToTarget', { sessionId, message }).catch(() => finish(undefined));
  });
}
