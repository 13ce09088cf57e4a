/** Weights across sites: what the app has, or one site's widget got, answers in another's, where the browser lets it. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ensurePocket } from '../../../scripts/pocket.js';
import { memoryContent } from '../../hub/content.js';
import { startHub } from '../../hub/hub.js';
import { answerIn, inside, strictPage, visitSite } from './site';

const FILE = 'small-q8_0.gguf';
/** The same server by another name: another site. */
const otherSite = (site: string): string => site.replace('127.0.0.1', 'other.localhost');

test('a model is fetched once for all sites and the app; conversations stay with their site', async () => {
  const pocket = memoryContent(readFileSync((await ensurePocket()).path));
  const hub = await startHub({ repos: { 'me/small': { files: { [FILE]: pocket } } }, rate: 1_500_000 });
  const body = `<fireside-chat mode="inline" model="me/small" hub="${hub.url}" storage="local"></fireside-chat>`;
  try {
    await visitSite(
      {
        files: ({ app }) => ({ '/': strictPage(app, body) }),
        engine: true,
        access: (site) => [site, otherSite(site)],
      },
      async ({ page, app, site, errors }) => {
        const frame = inside(page);
        await frame.getByRole('button', { name: /^Download \(26/ }).click();
        await frame.getByRole('heading', { name: 'The model is coming' }).waitFor();
        // What was agreed to goes on by itself.
        await expect.poll(() => hub.log.sent(FILE)).toBeGreaterThan(3_000_000);
        await page.reload();
        await frame.getByRole('textbox').fill('What is the capital of France?');
        await frame.getByRole('textbox').press('Enter');
        expect((await answerIn(frame)).length).toBeGreaterThan(5);
        const sent = hub.log.sent(FILE);
        // A cut takes what was under way.
        expect(sent).toBeLessThan(pocket.size + 8_000_000);
        // From here on nothing could be fetched.
        hub.close();

        await page.goto(`${app}models`);
        const here = page.getByRole('region', { name: 'On this device' });
        await here.getByRole('link', { name: 'Chat with small-q8_0' }).waitFor();

        await page.goto(otherSite(site));
        await frame.getByText('on this device already').first().waitFor();
        await frame.getByRole('button', { name: 'Start' }).click();
        await frame.getByText('How can I help?').waitFor();
        expect(await frame.getByText('capital of France').count()).toBe(0);
        await frame.getByRole('textbox').fill('And what is the capital of France?');
        await frame.getByRole('textbox').press('Enter');
        expect((await answerIn(frame)).length).toBeGreaterThan(5);
        // What was agreed to is not asked again.
        await page.reload();
        await frame.getByText('And what is the capital').waitFor();
        expect(hub.log.sent(FILE)).toBe(sent);
        expect(errors).toEqual([]);
      },
    );
  } finally {
    hub.close();
  }
});
