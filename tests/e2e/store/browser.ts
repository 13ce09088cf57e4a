/** A real browser with a profile of its own, that can be killed as a crash kills it, and opened again. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright';
import { build } from 'vite';
import { vi } from 'vitest';
import { chromiumSwitches, findChromium } from '../../../scripts/environments.js';
import { serve } from '../../../scripts/serve.js';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const BUILT = here('../../../.cache/store-page');
let built: Promise<unknown> | undefined;

/** The page of page/, built as the app is. */
function buildPage(): Promise<unknown> {
  built ??= build({
    configFile: false,
    logLevel: 'error',
    root: here('page'),
    resolve: { alias: { $lib: here('../../../src/lib'), $gpu: here('../../../gpu') } },
    worker: { format: 'es' },
    build: { outDir: BUILT, emptyOutDir: true, target: 'es2023' },
  });
  return built;
}

export class StoreBrowser {
  /** The last one is the site; those before keep their ports. */
  readonly #servers: Server[] = [];
  readonly #profile: string;
  #process: ChildProcess | undefined;
  #browser: Browser | undefined;

  private constructor(folder: string) {
    this.#profile = mkdtempSync(join(folder, 'fireside-profile-'));
  }

  /** @param folder where its profile is to lie */
  static async open(folder = tmpdir()): Promise<StoreBrowser> {
    await buildPage();
    const opened = new StoreBrowser(folder);
    await opened.launch();
    await opened.renew();
    return opened;
  }

  /** Another site, at which nothing is stored, without another browser; the pages of the one before are closed. */
  async renew(): Promise<void> {
    for (const page of this.context.pages().slice(1)) await page.close();
    this.#servers.push(await serve({ folder: BUILT, port: 0, host: '127.0.0.1' }));
  }

  get origin(): string {
    const address = this.#servers.at(-1)?.address();
    return `http://localhost:${typeof address === 'object' ? address?.port : ''}`;
  }

  get context(): BrowserContext {
    const context = this.#browser?.contexts()[0];
    if (!context) throw new Error('The browser is not open.');
    return context;
  }

  /** Not through Playwright's own launch: that kills politely, and takes the profile away. */
  async launch(): Promise<void> {
    const program = findChromium();
    if (!program) throw new Error('no browser; this project should not run');
    const portFile = join(this.#profile, 'DevToolsActivePort');
    rmSync(portFile, { force: true });
    const own = ['--headless=new', '--remote-debugging-port=0', `--user-data-dir=${this.#profile}`, 'about:blank'];
    this.#process = spawn(program, [...chromiumSwitches, ...own], {
      stdio: 'ignore',
      detached: true,
    });
    await vi.waitUntil(() => existsSync(portFile) && readFileSync(portFile, 'utf8').includes('\n'), {
      timeout: 30_000,
    });
    const [port] = readFileSync(portFile, 'utf8').split('\n');
    this.#browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`);
  }

  /** A tab with the store open. */
  async page(hub: string): Promise<Page> {
    const page = await this.context.newPage();
    await page.goto(this.origin);
    await page.waitForFunction(() => 'store' in globalThis);
    await page.evaluate((address) => globalThis.store.start(address), hub);
    return page;
  }

  /** As the system does when memory runs out: at once, all of its processes. */
  async kill(): Promise<void> {
    const { pid } = this.#process ?? {};
    const ended = new Promise((done) => this.#process?.once('exit', done));
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    await ended;
    await this.#browser?.close().catch(() => undefined);
    // What a crashed browser leaves behind would keep the next one from this profile.
    for (const name of ['SingletonLock', 'SingletonCookie', 'SingletonSocket']) {
      rmSync(join(this.#profile, name), { force: true });
    }
  }

  async close(): Promise<void> {
    await this.kill();
    for (const server of this.#servers) {
      server.closeAllConnections();
      server.close();
    }
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A disk that is soon full. */
export class SmallDisk {
  readonly path = mkdtempSync(join(tmpdir(), 'fireside-disk-'));

  /** @param size in MiB. Undefined: this system, or its user, cannot make one. */
  static make(size: number): SmallDisk | undefined {
    const disk = new SmallDisk();
    const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}m`, 'fireside-test', disk.path]);
    if (status === 0) return disk;
    rmSync(disk.path, { recursive: true });
    return undefined;
  }

  /** Makes it so large that so many MiB are free. */
  leave(free: number): void {
    const { blocks, bfree, bsize } = statfsSync(this.path);
    const size = Math.ceil(((blocks - bfree) * bsize) / 2 ** 20) + free;
    spawnSync('mount', ['-o', `remount,size=${size}m`, this.path]);
  }

  remove(): void {
    spawnSync('umount', ['--lazy', this.path]);
    rmSync(this.path, { recursive: true, force: true });
  }
}
