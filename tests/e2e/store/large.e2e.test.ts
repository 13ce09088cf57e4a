/** A model of a gigabyte goes through the browser, and the page stays small. */
import type { CDPSession, Page } from 'playwright';
import { expect, inject, test, vi } from 'vitest';
import { StoreBrowser } from './browser';
import { FILE, hashOf, MIB, openHub, REPO, whole } from './kills';

const SIZE = 1024 * MIB;

test('one gigabyte: downloaded, checked, and read back, with less than 128 MB live in the page’s heap', async (context) => {
  if (!inject('large')) return context.skip('a gigabyte is downloaded by npm run test:large alone');
  const hub = await openHub(SIZE);
  const browser = await StoreBrowser.open();
  try {
    const page = await browser.page(hub.url);
    const heap = await HeapWatch.begin(page);
    const start = performance.now();
    const id = await page.evaluate((repo) => globalThis.store.download(repo), REPO);
    await page.waitForFunction(() => globalThis.store.state.models[0]?.status === 'checking', undefined, {
      timeout: 600_000,
    });
    const came = (performance.now() - start) / 1000;
    await whole(page, id, 600_000);
    const seconds = (performance.now() - start) / 1000;
    const { live, most } = await heap.end();
    expect(hub.log.sent(FILE)).toBe(SIZE);
    expect(await page.evaluate((model) => globalThis.store.fileHashOf(model), id)).toBe(hashOf(SIZE));
    const heaps = `${Math.round(live / MIB)} MiB live, ${Math.round(most / MIB)} MiB with garbage`;
    await context.annotate(`${came.toFixed(1)} s, checked after ${seconds.toFixed(1)} s; heap at most ${heaps}`);
    expect(live).toBeLessThan(128 * MIB);
    // When garbage is collected is the browser's business; that it does not grow with the model is ours.
    expect(most).toBeLessThan(256 * MIB);
  } finally {
    await browser.close();
    hub.close();
  }
});

/** Looks at the heaps of a page and its workers, buffers included, a few times a second. */
class HeapWatch {
  #most = 0;
  #live = 0;
  #looks = 0;
  #watching = true;
  readonly #over: Promise<void>;
  readonly #session: CDPSession;
  readonly #workers: readonly string[];

  private constructor(session: CDPSession, workers: readonly string[]) {
    this.#session = session;
    this.#workers = workers;
    this.#over = this.#watch();
  }

  static async begin(page: Page): Promise<HeapWatch> {
    const session = await page.context().newCDPSession(page);
    const workers: string[] = [];
    session.on('Target.attachedToTarget', ({ sessionId }) => workers.push(sessionId));
    await session.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
    await vi.waitUntil(() => workers.length > 0);
    return new HeapWatch(session, workers);
  }

  /** The most bytes that were seen: right after garbage was collected, and at any time. */
  async end(): Promise<{ live: number; most: number }> {
    this.#watching = false;
    await this.#over;
    expect(this.#looks).toBeGreaterThan(20);
    return { live: this.#live, most: this.#most };
  }

  async #watch(): Promise<void> {
    for (; this.#watching; this.#looks += 1) {
      this.#most = Math.max(this.#most, await this.#bytes());
      if (this.#looks % 10 === 9) {
        await this.#ask('HeapProfiler.collectGarbage');
        this.#live = Math.max(this.#live, await this.#bytes());
      }
      await new Promise((done) => setTimeout(done, 100));
    }
  }

  async #bytes(): Promise<number> {
    const heaps = (await this.#ask('Runtime.getHeapUsage')) as Heap[];
    const sizes = heaps.map((heap) => heap.usedSize + heap.embedderHeapUsedSize + heap.backingStorageSize);
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  /** The page, and each of its workers. */
  #ask(method: 'HeapProfiler.collectGarbage' | 'Runtime.getHeapUsage'): Promise<unknown[]> {
    const workers = this.#workers.map((worker) => askWorker(this.#session, worker, method));
    return Promise.all([this.#session.send(method), ...workers]);
  }
}

interface Heap {
  readonly usedSize: number;
  readonly embedderHeapUsedSize: number;
  readonly backingStorageSize: number;
}

let lastId = 0;

/** Asked through the page's session, as workers have none of their own here. */
function askWorker(session: CDPSession, sessionId: string, method: string): Promise<unknown> {
  const id = (lastId += 1);
  return new Promise((done, failed) => {
    const listen = (event: { sessionId: string; message: string }): void => {
      const answer = JSON.parse(event.message) as { id?: number; result?: unknown };
      if (event.sessionId !== sessionId || answer.id !== id) return;
      session.off('Target.receivedMessageFromTarget', listen);
      if (answer.result) done(answer.result);
      else failed(new Error(event.message));
    };
    session.on('Target.receivedMessageFromTarget', listen);
    const message = JSON.stringify({ id, method });
    session.send('Target.sendMessageToTarget', { sessionId, message }).catch(failed);
  });
}
