/** The page that measures: figures in the worker, as they come; stopped at once; taken along; and without a GPU too. */
import { readFileSync } from 'node:fs';
import { expect, inject, test } from 'vitest';
import { ChatPage } from './chat-page';
import { visit } from './visit';

interface Results {
  readonly program: string;
  readonly gpu: { readonly attention?: readonly unknown[]; readonly failure?: { readonly code: string } };
  readonly model: {
    readonly path: string;
    readonly answers: Record<'prefill' | 'decode', { readonly median: number }>;
  };
}

test('on a GPU it measures attention over length, and stops at once when told to', async (context) => {
  if (!inject('large'))
    return context.skip('a software GPU on a busy machine takes a minute and more: npm run test:large');
  await visit({ path: '/bench' }, async ({ page, errors, strangers }) => {
    await page.getByRole('button', { name: 'Measure' }).click();
    // A picture from the second length on, while it goes on.
    await page.getByRole('figure', { name: 'Attention, reading a prompt' }).locator('canvas').waitFor();
    expect(await page.locator('dl').first().innerText()).toMatch(/Reads memory\s+[\d.,]+ GB\/s\s+± \d+%/);
    expect(await page.locator('dl').first().innerText()).toMatch(/Multiplies, float32\s+[\d.,]+ [GT]FLOP\/s/);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('Stopped.').waitFor();
    await page.getByRole('button', { name: 'Measure again' }).waitFor();
    // The store's stays; that a worker has gone is heard a moment later.
    await expect.poll(() => page.workers().length).toBe(1);
    await page.getByText('As a table').first().click();
    const cells = await page.getByRole('cell').allInnerTexts();
    expect(cells[0]).toMatch(/^[\d.,]+ (ms|seconds) ± \d+%\s+[\d.,]+ (bytes|kB)/);
    expect(await page.getByRole('button', { name: 'Copy as JSON' }).count()).toBe(1);
    const look = new ChatPage(page);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      expect(await look.accessibilityFaults(), colorScheme).toEqual([]);
    }
    await page.setViewportSize({ width: 360, height: 740 });
    await expect.poll(() => look.overhang()).toBeLessThanOrEqual(0);
    expect(errors).toEqual([]);
    expect(strangers).toEqual([]);
  });
});

test('without a GPU it says what to try, and measures the processor all the same', async () => {
  await visit({ path: '/bench', gpu: false }, async ({ page, errors, strangers }) => {
    await page.getByRole('button', { name: 'Measure' }).click();
    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.innerText()).toContain('hardware acceleration');
    await page.getByRole('button', { name: 'Measure again' }).waitFor();
    const facts = await page.locator('dl').first().innerText();
    expect(facts).toMatch(/Reads a prompt\s+[\d.,]+ tokens\/s/);
    expect(facts).toMatch(/Writes\s+[\d.,]+ tokens\/s/);
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save as a file' }).click();
    const file = await download;
    expect(file.suggestedFilename()).toBe('fireside-bench.json');
    const results = JSON.parse(readFileSync(await file.path(), 'utf8')) as Results;
    expect(results).toMatchObject({ program: 'Fireside', gpu: { failure: { code: 'no-adapter' } } });
    expect(results.model.path).toBe('cpu');
    expect(results.model.answers.prefill.median).toBeGreaterThan(0);
    expect(results.model.answers.decode.median).toBeGreaterThan(0);
    expect(errors).toEqual([]);
    expect(strangers).toEqual([]);
  });
});
