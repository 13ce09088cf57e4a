/** The page about the device: it opens the GPU in a worker and tells what this device is. */
import { expect, test } from 'vitest';
import { visit } from './visit';

test('it finds the GPU, makes its attention call, and talks to nobody else', async () => {
  await visit({ path: '/device' }, async ({ page, errors, strangers }) => {
    await page.getByRole('heading', { name: 'It works, but slowly' }).waitFor();
    const times = await page.getByLabel('Time of one attention call').innerText();
    expect(times).toMatch(/FlashAttention\s+[\d.]+ (ms|seconds)/);
    expect(await page.locator('dl').first().innerText()).toMatch(/swiftshader/i);
    await page.getByText('Every limit').click();
    const details = await page.locator('details').innerText();
    expect(details).toContain('maxStorageBufferBindingSize');
    expect(details).toContain('attention: prefill');
    expect(await page.evaluate(() => self.crossOriginIsolated)).toBe(true);
    expect(page.workers()).toHaveLength(1);
    expect(errors).toEqual([]);
    expect(strangers).toEqual([]);
  });
});

test.each(['', '/some/where'])('under «%s/», without a GPU, it says so, and what to try', async (base) => {
  await visit({ path: '/device', gpu: false, base }, async ({ page, errors, strangers }) => {
    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.innerText()).toContain('hardware acceleration');
    expect(await alert.getByRole('listitem').count()).toBeGreaterThan(1);
    expect(errors).toEqual([]);
    expect(strangers).toEqual([]);
  });
});

test('at an address that the browser does not trust it asks for https', async () => {
  await visit({ path: '/device', host: 'fireside.test' }, async ({ page }) => {
    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.innerText()).toContain('https');
  });
});
