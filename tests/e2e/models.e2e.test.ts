/** The page of models: an address is pasted, the model comes, is talked to without a network, and goes. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ensurePocket } from '../../scripts/pocket.js';
import { memoryContent } from '../hub/content.js';
import { startHub } from '../hub/hub.js';
import { visit } from './visit';

const FILE = 'small-q8_0.gguf';

test('a pasted address becomes a model on this device, which answers without a network', async () => {
  const pocket = memoryContent(readFileSync((await ensurePocket()).path));
  const hub = await startHub({ repos: { 'me/small': { files: { [FILE]: pocket } } } });
  try {
    await visit({ gpu: false, path: '/models' }, async ({ page, errors }) => {
      await page.getByText('No models yet').waitFor();
      await page.getByLabel('name or link').fill('gpt2');
      await page.getByRole('button', { name: 'Look' }).click();
      await page.getByText('without its publisher').waitFor();

      await page.getByLabel('name or link').fill(`${hub.url}/me/small/resolve/main/${FILE}`);
      await page.getByRole('button', { name: 'Look' }).click();
      await page.getByRole('button', { name: 'Download' }).click();
      await page.getByRole('link', { name: 'Talk to it' }).waitFor();
      await page.getByRole('button', { name: 'Check' }).click();
      await page.getByRole('link', { name: 'Talk to it' }).waitFor();
      expect(hub.log.sent(FILE)).toBeLessThan(pocket.size + 100_000);
      hub.close();

      const link = page.getByRole('link', { name: 'Talk to it' });
      const address = new URL((await link.getAttribute('href'))!, page.url());
      address.searchParams.set('threads', '1');
      address.searchParams.set('temperature', '0');
      await page.goto(address.href);
      await page.getByRole('button', { name: 'capital of France' }).click();
      await page.getByText(/first after/).waitFor();
      expect(await page.getByRole('log').innerText()).toContain('Paris');

      await page.goto(new URL('/models', page.url()).href);
      await page.getByRole('button', { name: 'Delete' }).click();
      await page.getByText('No models yet').waitFor();
      expect(errors).toEqual([]);
    });
  } finally {
    hub.close();
  }
});
