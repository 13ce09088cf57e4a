/**
 * Pictures of the app for its manifest and README: `node scripts/screenshots.js`, after the look has changed. The built app
 * with its real engine and the model that comes along; what it writes is committed, since people who build the app need no
 * browser.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright';
import { buildApp } from './builds.js';
import { chromiumSwitches, findChromium } from './environments.js';
import { root } from './packages.js';
import { serve } from './serve.js';

/** As static/manifest.webmanifest names them. */
const SHAPES = [
  { name: 'wide', viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1.5 },
  { name: 'narrow', viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 },
];
const QUESTIONS = ['What is the capital of France?', 'Write a short poem about the sea.'];
/** Of WebP, from 0 to 100. */
const QUALITY = 82;
const MOST_BYTES = 150_000;
const PATIENCE_MS = 120_000;

const executablePath = findChromium();
if (!executablePath) throw new Error('Taking pictures takes a browser, and none was found.');
if ((await buildApp()) !== 0) throw new Error('The app could not be built.');
const folder = join(root, 'static', 'screenshots');
mkdirSync(folder, { recursive: true });
const server = await serve({ folder: join(root, 'build'), port: 0, host: '127.0.0.1' });
const address = server.address();
const port = typeof address === 'object' ? address?.port : undefined;
const browser = await chromium.launch({ executablePath, args: chromiumSwitches });
try {
  for (const { name, ...shape } of SHAPES) {
    for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
      const context = await browser.newContext({ ...shape, colorScheme, reducedMotion: 'reduce', locale: 'en-US' });
      const picture = await takePicture(await context.newPage());
      const file = `${name}-${colorScheme}.webp`;
      if (picture.length > MOST_BYTES) throw new Error(`${file} has ${picture.length} bytes, more than ${MOST_BYTES}.`);
      writeFileSync(join(folder, file), picture);
      await context.close();
    }
  }
} finally {
  await browser.close();
  server.closeAllConnections();
  server.close();
}

/**
 * A conversation, as it looks when the last answer is there.
 *
 * @param {import('playwright').Page} page
 * @returns {Promise<Buffer>} WebP
 */
async function takePicture(page) {
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(`http://localhost:${port}/?temperature=0&threads=1`);
  await page.getByRole('button', { name: 'Try at once' }).click();
  const message = page.getByRole('textbox', { name: 'Message', exact: true });
  for (const [index, question] of QUESTIONS.entries()) {
    await message.fill(question);
    await message.press('Enter');
    const answer = page
      .getByRole('log')
      .getByRole('article')
      .nth(2 * index + 1);
    await answer.getByText(/\d tokens?$/).waitFor();
  }
  await message.blur();
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: QUALITY });
  return Buffer.from(data, 'base64');
}
