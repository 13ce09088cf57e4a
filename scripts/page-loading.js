/** What loading the pocket model takes of a page's heap, in a real browser; the model bench's last line. */
import { join } from 'node:path';
import { buildApp } from './builds.js';
import { chromiumSwitches, findChromium, softwareGpuSwitches } from './environments.js';
import { HeapWatch } from './heap.js';
import { root } from './packages.js';
import { serve } from './serve.js';

/** A software GPU compiles for its time. */
const PATIENCE_MS = 240_000;

/** @returns {Promise<string>} a line for people */
export async function pageLoading() {
  const executablePath = findChromium();
  if (!executablePath) return 'page heap while loading: not measured, as no browser was found';
  if ((await buildApp()) !== 0) return 'page heap while loading: not measured, as the app could not be built';
  const { chromium } = await import('playwright');
  const server = await serve({ folder: join(root, 'build'), port: 0, host: '127.0.0.1', base: '' });
  const browser = await chromium.launch({ executablePath, args: [...chromiumSwitches, ...softwareGpuSwitches] });
  try {
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const watch = await HeapWatch.begin(page);
    const start = performance.now();
    await page.goto(`http://localhost:${port}/?path=gpu`);
    await page.getByText('on the GPU').waitFor();
    const seconds = (performance.now() - start) / 1000;
    const { first, most } = await watch.end();
    return `page heap while loading, its worker and buffers included: ${megabytes(most - first)} MB above the ${megabytes(first)} MB of an empty page, ${seconds.toFixed(1)} s; the aim is 64 MB above`;
  } finally {
    await browser.close();
    server.closeAllConnections();
    server.close();
  }
}

/** @param {number} bytes */
function megabytes(bytes) {
  return (bytes / 1e6).toFixed(0);
}
