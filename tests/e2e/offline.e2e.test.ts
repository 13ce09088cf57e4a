/** The app as people keep it: offline from the second load on, isolated by itself, and told when it has changed. */
import { appendFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright';
import { afterEach, expect, test } from 'vitest';
import { chromiumSwitches, findChromium } from '../../scripts/environments.js';
import { serve } from '../../scripts/serve.js';
import { ChatPage } from './chat-page';

const BUILD = fileURLToPath(new URL('../../build', import.meta.url));
const PATIENCE = 60_000;

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

async function open(folder: string, base = ''): Promise<{ page: Page; url: string; server: Server }> {
  const server = await serve({ folder, port: 0, host: '127.0.0.1', base, isolate: false });
  opened.push(() => stop(server));
  const browser: Browser = await chromium.launch({ executablePath: findChromium()!, args: chromiumSwitches });
  opened.push(() => browser.close());
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return { page, server, url: `http://localhost:${port}${base}/?temperature=0&threads=1` };
}

function stop(server: Server): void {
  server.closeAllConnections();
  server.close();
}

/** Loads the page until the service worker answers for it. */
async function settle(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.evaluate(async () => {
    const container = navigator.serviceWorker;
    await container.ready;
    if (!container.controller)
      await new Promise((done) => container.addEventListener('controllerchange', done, { once: true }));
  });
  await page.reload();
}

test('under a sub-path, on a host that sends no headers: isolated from the second load on, and without any server', async () => {
  const { page, url, server } = await open(BUILD, '/some/where');
  await settle(page, url);
  expect(await page.evaluate(() => self.crossOriginIsolated)).toBe(true);
  const chat = new ChatPage(page);
  await chat.ask('What is the capital of France?');
  expect(await chat.answered()).toContain('Paris');

  stop(server);
  await page.reload();
  expect(await page.evaluate(() => self.crossOriginIsolated)).toBe(true);
  // The conversation is still there, and another one can be had.
  expect(await chat.answered()).toContain('Paris');
  await chat.button('New chat').click();
  await chat.button('What is the capital of France?').click();
  expect(await chat.answered()).toContain('Paris');
  // Every other page is there as well.
  await page.goto(url.replace(/\?.*/, 'device'));
  await page.getByRole('heading').first().waitFor();
});

test('a new version waits until the person wants it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fireside-build-'));
  opened.push(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(BUILD, folder, { recursive: true });
  const { page, url } = await open(folder);
  await settle(page, url);
  expect(await page.getByText('A new version is ready.').count()).toBe(0);

  appendFileSync(join(folder, 'service-worker.js'), '\n// Another version.\n');
  await page.evaluate(async () => (await navigator.serviceWorker.ready).update());
  await page.getByText('A new version is ready.').waitFor();
  const reloaded = page.waitForEvent('load');
  await page.getByRole('button', { name: 'Reload' }).click();
  await reloaded;
  expect(await page.getByText('A new version is ready.').count()).toBe(0);
});

test('it can be installed', async () => {
  const { page, url } = await open(BUILD);
  await settle(page, url);
  const session = await page.context().newCDPSession(page);
  const { errors } = await session.send('Page.getAppManifest');
  expect(errors).toEqual([]);
  const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
  // Playwright's contexts are private windows, which install nothing.
  expect(installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito')).toEqual([]);
});
