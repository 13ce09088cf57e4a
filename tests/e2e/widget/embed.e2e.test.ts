/** The page that makes a tag; and what the tag costs. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { ChatPage } from '../chat-page';
import { useDouble } from '../engine-double';
import { visit } from '../visit';
import { inside } from './site';

test('what is filled in stands in the tag, is copied, and is what the preview shows', async () => {
  const browsing = { serviceWorkers: 'block', reducedMotion: 'reduce' } as const;
  await visit({ gpu: false, path: '/embed', browsing, prepare: useDouble }, async ({ page, errors, strangers }) => {
    page.setDefaultTimeout(15_000);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    const chat = new ChatPage(page);
    await page.getByLabel('Greeting').fill('Hello & welcome');
    await page.getByLabel('Questions to begin with').fill('One\nTwo\n\n');
    await page.getByLabel('A colour of your own').check();
    await page.getByLabel('Colour', { exact: true }).fill('#0055aa');
    await page.getByLabel('Shape').selectOption('inline');
    await chat.button('Copy the tag').click();
    const tag = await page.evaluate(() => navigator.clipboard.readText());
    const app = new URL('/', page.url()).href;
    expect(tag).toBe(`<script src="${app}widget.js" type="module"></script>
<style>
  fireside-chat {
    --fireside-accent: #0055aa;
  }
</style>
<fireside-chat
  model="pocket"
  greeting="Hello &amp; welcome"
  suggestions="One|Two"
  mode="inline"
></fireside-chat>`);
    await page.getByText(`script-src ${new URL(app).origin}; frame-src`).waitFor();
    await inside(page).getByRole('button', { name: 'Start' }).click();
    await inside(page).getByText('Hello & welcome').waitFor();
    const start = inside(page).getByRole('button', { name: 'Two' });
    await start.waitFor();
    expect(
      await inside(page)
        .locator('html')
        .evaluate((root) => getComputedStyle(root).getPropertyValue('--ember')),
    ).toBe('#0055aa');
    expect(await chat.accessibilityFaults()).toEqual([]);
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await chat.overhang()).toBe(0);
    expect(errors).toEqual([]);
    expect(strangers).toEqual([]);
  });
});

test('the script of the tag has at most 15 kB, gzipped, and is one file', () => {
  const code = readFileSync(fileURLToPath(new URL('../../../build/widget.js', import.meta.url)), 'utf8');
  expect(gzipSync(code).length).toBeLessThanOrEqual(15_000);
  expect(code).not.toMatch(/\bimport\s*[({"']/);
  expect(code).not.toMatch(/\beval\b|new Function|innerHTML/);
});
