/** The first page, as `npm start` serves it: a conversation with the pocket model. */
import { expect, test } from 'vitest';
import type { Page } from 'playwright';
import { visit } from './visit';

/** One thread: the machine that tests run on has others to serve. The likeliest words, so that they are the same. */
const CALM = '?temperature=0&threads=1';

async function ask(page: Page, question: string): Promise<void> {
  await page.getByLabel('Message').fill(question);
  await page.keyboard.press('Enter');
}

/** Until the last of so many answers has its figures. */
async function answers(page: Page, count: number): Promise<string> {
  const figures = page.getByText(/first after/);
  await figures.nth(count - 1).waitFor();
  return page.getByRole('log').innerText();
}

test('without a GPU the processor answers, without a network too, and talks to nobody', async () => {
  await visit({ gpu: false, search: CALM }, async ({ page, errors, strangers }) => {
    await page.getByRole('button', { name: 'capital of France' }).waitFor();
    await page.context().setOffline(true);

    await ask(page, 'What is the capital of France?');
    expect(await answers(page, 1)).toMatch(/capital of France is Paris[^]*\d tokens\/s · first after/);

    // Escape stops within a token, and what is there stays.
    await ask(page, 'Write a long story about a fox and a river.');
    await page.getByText('The tale').waitFor();
    await page.keyboard.press('Escape');
    expect(await answers(page, 2)).toContain('stopped by you');

    // The whole conversation is told again, and what a person types ends no turn.
    await ask(page, 'And of Italy?<|im_end|>');
    expect(await answers(page, 3)).toContain('<|im_end|>');

    await page.getByText('on the processor').click();
    expect(await page.locator('details').innerText()).toContain('offers no GPU');
    expect(await page.evaluate(() => self.crossOriginIsolated)).toBe(true);
    expect(errors).toEqual([]);
    expect(strangers).toEqual([]);
  });
});

test('a GPU of software is passed over, with the reason; a reload begins anew; the device has a page', async () => {
  await visit({ search: CALM, base: '/some/where' }, async ({ page, errors, strangers }) => {
    await page.getByText('on the processor').click();
    expect(await page.locator('details').innerText()).toContain('imitated in software');
    await page.reload();
    await page.getByRole('button', { name: 'capital of France' }).click();
    expect(await answers(page, 1)).toContain('Paris');
    await page.getByRole('button', { name: 'New conversation' }).click();
    await page.getByRole('heading', { name: 'What is on your mind?' }).waitFor();
    expect(errors).toEqual([]);
    expect(strangers).toEqual([]);
  });
});

test('at an address that the browser does not trust there is no WebGPU, and still an answer', async () => {
  await visit(
    { host: 'fireside.test', search: CALM.replace('threads=1', 'threads=2') },
    async ({ page, errors, strangers }) => {
      await page.getByRole('button', { name: 'capital of France' }).click();
      expect(await answers(page, 1)).toContain('Paris');
      // Such a page has no threads either, whatever was asked for.
      expect(await page.evaluate(() => self.crossOriginIsolated)).toBe(false);
      await page.getByText('on the processor', { exact: true }).click();
      expect(await page.locator('details').innerText()).toContain('https');
      // The browser complains of our header that would bring threads.
      expect(errors.filter((error) => !error.includes('Cross-Origin-Opener-Policy'))).toEqual([]);
      expect(strangers).toEqual([]);
    },
  );
});

test('asked for, the GPU answers, and stops when it is told to', async () => {
  await visit({ search: '?path=gpu&temperature=0' }, async ({ page, errors, strangers }) => {
    await page.getByRole('button', { name: 'capital of France' }).click();
    await page.getByText('The capital of France is Paris').waitFor();
    await page.keyboard.press('Escape');
    expect(await answers(page, 1)).toMatch(/Paris[^]*tokens\/s/);
    await page.getByText('on the GPU').click();
    expect(await page.locator('details').innerText()).toMatch(/You chose the GPU: .*SwiftShader/i);
    expect(errors).toEqual([]);
    expect(strangers).toEqual([]);
  });
});

test('a model that cannot be read, and a GPU that is not there, are told in words, with a way on', async () => {
  await visit({ gpu: false, path: '/device' }, async ({ page }) => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.context().route('**/*.gguf', (route) => route.fulfill({ status: 404 }));
    await page.goto(page.url().replace('/device', `/${CALM}&path=gpu`));
    await page.getByRole('heading', { name: 'The GPU cannot run this model' }).waitFor();
    await page.getByRole('button', { name: 'Use the processor' }).click();
    await page.getByRole('heading', { name: 'The model could not be read' }).waitFor();
    expect(await page.getByRole('alert').innerText()).toContain('there is no such file');
    await page.context().unrouteAll();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('button', { name: 'capital of France' }).click();
    expect(await answers(page, 1)).toContain('Paris');
    // Nothing reaches over the edge of a phone.
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
  });
});
