/** A model by address: `fireside serve` on another port, and what the page says of it before anything leaves. */
import { expect, test } from 'vitest';
import { serveScripted } from '../src/cli/serve/support';
import { ChatPage } from './chat-page';
import { visit } from './visit';

test('a server is asked for what it has, added with consent, talked to, and marked for as long as it answers', async () => {
  await visit({ gpu: false, path: '/models' }, async ({ page, errors, strangers }) => {
    const origins: string[] = [];
    const served = await serveScripted({ origins, token: 'secret' });
    const host = `127.0.0.1:${served.port}`;
    const chat = new ChatPage(page);
    try {
      const look = chat.button('Ask for its models');
      // The hub has an address too.
      const address = page.locator('form').filter({ has: look }).getByLabel('Address', { exact: true });
      const key = page.getByLabel('Key', { exact: true });

      // What is wrong is told by what it is.
      await address.fill('http://192.168.1.10:8000');
      await look.click();
      await page.getByRole('heading', { name: 'The way there is not safe' }).waitFor();
      expect(strangers).toEqual([]);
      await address.fill(host);
      await look.click();
      await page.getByRole('heading', { name: 'The server cannot be reached' }).waitFor();
      expect(await page.getByRole('alert').innerText()).toContain('--allow-origin');
      origins.push(new URL(page.url()).origin);
      await look.click();
      await page.getByRole('heading', { name: 'The server wants a key' }).waitFor();

      // Nothing is added before the person knows where it goes.
      await key.fill('secret');
      await look.click();
      await page.getByRole('heading', { name: `What you write will go to ${host}` }).waitFor();
      expect(await page.getByText('Talk to it').count()).toBe(0);
      expect(await chat.accessibilityFaults()).toEqual([]);
      await chat.button('Use this server').click();
      await page.getByText('It answers.').waitFor();
      await chat.button('Ask again').click();
      await page.getByText('It answers.').waitFor();
      // The key is kept in this tab alone.
      const kept = await page.evaluate(
        () =>
          new Promise<string>((done) => {
            const opening = indexedDB.open('fireside-settings');
            opening.onsuccess = () => {
              const got = opening.result.transaction('values').objectStore('values').get('servers');
              got.onsuccess = () => done(JSON.stringify(got.result));
            };
          }),
      );
      expect(kept).toContain(host);
      expect(kept).not.toContain('secret');

      await page.getByRole('link', { name: 'Talk to it: scripted' }).click();
      const mark = page.getByText(`Answers come from ${host}. What you write goes there.`).last();
      await mark.waitFor();
      expect(await page.locator('summary', { hasText: 'scripted' }).innerText()).toContain(host);
      expect(await page.getByText('Nothing you write leaves it.').count()).toBe(0);
      await chat.ask('Hi');
      expect(await chat.answered()).toContain('Hello');
      expect(served.engine.asked.at(-1)).toMatchObject({ messages: [{ role: 'user', content: 'Hi' }] });

      // A stop is felt at the other end; what came is kept, and gone on with.
      Object.assign(served.engine, {
        pieces: Array.from({ length: 5000 }, () => 'on '),
        pause: () => new Promise((done) => setTimeout(done, 5)),
      });
      await chat.ask('Go on');
      await chat.hasBegun(10);
      await chat.button('Stop').click();
      expect(await chat.answered()).toContain('stopped by you');
      await expect.poll(() => served.engine.running).toBe(0);

      // The mark stays, and the conversation with it; the key lives as long as the tab.
      await page.reload();
      await mark.waitFor();
      Object.assign(served.engine, { pieces: ['Well.'], pause: () => Promise.resolve() });
      await chat.ask('Again');
      expect(await chat.answered()).toContain('Well.');
      expect(await chat.overhang()).toBe(0);

      // Without it the answer fails in words. A server that was never added is not asked, whatever a conversation says.
      await served.close();
      await chat.ask('Anybody?');
      await page.getByRole('heading', { name: 'The server cannot be reached' }).waitFor();
      const other = `remote:http://localhost:${served.port}/v1#scripted`;
      await page.goto(`${new URL(page.url()).origin}/?model=${encodeURIComponent(other)}`);
      await page.getByRole('heading', { name: 'This server was not added here' }).waitFor();
      expect(strangers.every((url) => new URL(url).host === host)).toBe(true);
      // The browser tells of every request that failed; nothing else went wrong.
      expect(errors.filter((error) => !/CORS|Failed to load resource/.test(error))).toEqual([]);
    } finally {
      await served.close().catch(() => undefined);
    }
  });
});
