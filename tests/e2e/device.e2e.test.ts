/** The first page, as `npm start` serves it: it opens the GPU in a worker and tells what this device is. */
import { expect, test } from 'vitest';
import { visit } from './visit';

test.each(['', '/some/where'])(
  'under «%s/» it finds the GPU, keeps its policy, and talks to nobody else',
  async (base) => {
    await visit({ base }, async ({ page, errors, strangers }) => {
      await page.getByRole('heading', { level: 2 }).waitFor();
      expect(await page.getByRole('status').innerText()).toContain('It works, but slowly');
      expect(await page.locator('dl').first().innerText()).toMatch(/swiftshader/i);
      await page.getByText('Every limit').click();
      expect(await page.locator('details').innerText()).toContain('maxStorageBufferBindingSize');
      expect(await page.evaluate(() => self.crossOriginIsolated)).toBe(true);
      expect(page.workers()).toHaveLength(1);
      expect(errors).toEqual([]);
      expect(strangers).toEqual([]);
    });
  },
);

test('without a GPU it says so, and what to try', async () => {
  await visit({ gpu: false }, async ({ page, errors }) => {
    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.innerText()).toContain('hardware acceleration');
    expect(await alert.getByRole('listitem').count()).toBeGreaterThan(1);
    expect(errors).toEqual([]);
  });
});

test('at an address that the browser does not trust it asks for https', async () => {
  await visit({ host: 'fireside.test' }, async ({ page }) => {
    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.innerText()).toContain('https');
  });
});
