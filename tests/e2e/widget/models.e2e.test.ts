/** The widget's way to a model, the real one: its size first, then the visitor's word, then bytes; or somebody's server. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ensurePocket } from '../../../scripts/pocket.js';
import { memoryContent } from '../../hub/content.js';
import { startHub } from '../../hub/hub.js';
import { serveScripted } from '../../src/cli/serve/support';
import { answerIn, inside, strictPage, visitSite } from './site';

const FILE = 'small-q8_0.gguf';

test('a model of a hub: nothing of it comes before the visitor agrees; then it answers, and stays for the next page', async () => {
  const pocket = memoryContent(readFileSync((await ensurePocket()).path));
  const hub = await startHub({ repos: { 'me/small': { files: { [FILE]: pocket } } } });
  const body = `<fireside-chat mode="inline" model="me/small" hub="${hub.url}" system="Answer in one word."></fireside-chat>`;
  try {
    await visitSite(
      { files: ({ app }) => ({ '/': strictPage(app, body), '/next': strictPage(app, body) }), engine: true },
      async ({ page, site, errors }) => {
        const frame = inside(page);
        const download = frame.getByRole('button', { name: /^Download \(26/ });
        await download.waitFor();
        expect(await frame.getByText(`from ${new URL(hub.url).host}`).count()).toBe(1);
        expect(hub.log.sent(FILE)).toBe(0);
        expect(await frame.getByText(/should run well|will run on this device/).count()).toBe(1);
        // The browser is asked with the visitor's word, and here refuses without one of its own.
        expect(await frame.getByText('it is not fetched again').count()).toBe(1);
        await download.click();
        await frame.getByRole('textbox').fill('What is the capital of France?');
        await frame.getByRole('textbox').press('Enter');
        expect((await answerIn(frame)).length).toBeGreaterThan(5);
        expect(hub.log.sent(FILE)).toBeLessThan(pocket.size + 100_000);
        hub.close();
        await page.goto(`${site}/next`);
        await frame.getByText('What is the capital of France?').waitFor();
        await frame.getByText('Answers are made on this device.').waitFor();
        // What the browser itself remarks when it refuses.
        expect(errors.filter((error) => !error.startsWith('requestStorageAccess'))).toEqual([]);
      },
    );
  } finally {
    hub.close();
  }
});

test('somebody’s server: it is asked for nothing before the visitor knows where words go', async () => {
  const origins: string[] = [];
  const served = await serveScripted({ origins });
  const host = `127.0.0.1:${served.port}`;
  try {
    await visitSite(
      {
        files: ({ app }) => ({
          '/': strictPage(
            app,
            `<fireside-chat mode="inline" src="http://${host}/v1" model="scripted"></fireside-chat>`,
          ),
        }),
      },
      async ({ page, app, errors, asked }) => {
        origins.push(new URL(app).origin);
        const frame = inside(page);
        await frame.getByRole('heading', { name: `What you write will go to ${host}` }).waitFor();
        expect(asked.filter((url) => url.includes(host))).toEqual([]);
        await frame.getByRole('button', { name: 'Use this server' }).click();
        await frame.getByText(`Answers come from ${host}.`).first().waitFor();
        await frame.getByRole('textbox').fill('Hi');
        await frame.getByRole('textbox').press('Enter');
        expect(await answerIn(frame)).toContain('Hello');
        expect(errors).toEqual([]);
      },
    );
  } finally {
    await served.close();
  }
});

test('where frames may keep nothing it answers all the same; a model that is not to be had says why', async () => {
  await visitSite(
    {
      files: ({ app }) => ({
        '/': strictPage(
          app,
          '<fireside-chat mode="inline"></fireside-chat><fireside-chat mode="inline" model="gpt2"></fireside-chat>',
        ),
      }),
      storage: 'denied',
    },
    async ({ page, errors }) => {
      const frame = inside(page);
      await frame.getByRole('button', { name: 'Start' }).click();
      await frame.getByRole('textbox').fill('Anybody there?');
      await frame.getByRole('textbox').press('Enter');
      expect(await answerIn(frame)).toContain('Anybody there?');
      await page.locator('fireside-chat').nth(1).scrollIntoViewIfNeeded();
      await inside(page, 1).getByRole('heading', { name: 'The model could not be had' }).waitFor();
      expect(await inside(page, 1).getByRole('alert').innerText()).toContain('without its publisher');
      // There is another way.
      await inside(page, 1).getByRole('button', { name: 'Try a tiny model instead' }).click();
      await inside(page, 1).getByRole('textbox').waitFor();
      expect(errors).toEqual([]);
    },
  );
});
