/**
 * Draws the app's icons out of static/icon.svg, in a browser: `node scripts/icons.js`, after the mark has changed. What it
 * writes is committed, since people who build the app need no browser.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright';
import { chromiumSwitches, findChromium } from './environments.js';
import { root } from './packages.js';

/** Paper, as the light theme has it. */
const PAPER = '#fcf9f5';
/** A maskable icon may lose what lies outside a circle of four fifths. */
const ICONS = [
  { file: 'icon-192.png', size: 192, mark: 0.86, paper: 'transparent' },
  { file: 'icon-512.png', size: 512, mark: 0.86, paper: 'transparent' },
  { file: 'maskable-512.png', size: 512, mark: 0.56, paper: PAPER },
];

const svg = readFileSync(join(root, 'static', 'icon.svg'), 'utf8');
const executablePath = findChromium();
if (!executablePath) throw new Error('Drawing icons takes a browser, and none was found.');
const browser = await chromium.launch({ executablePath, args: chromiumSwitches });
mkdirSync(join(root, 'static', 'icons'), { recursive: true });
for (const { file, size, mark, paper } of ICONS) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  const picture = `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
  await page.setContent(
    `<body style="margin:0;background:${paper};display:grid;place-items:center;height:100vh">
       <img src="${picture}" style="width:${mark * 100}%;height:${mark * 100}%" /></body>`,
  );
  await page.locator('img').evaluate((image) => /** @type {HTMLImageElement} */ (image).decode());
  writeFileSync(join(root, 'static', 'icons', file), await page.screenshot({ omitBackground: true }));
  await page.close();
}
await browser.close();
