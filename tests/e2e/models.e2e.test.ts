/** Models, from the first button to the last byte: their page, and the chat while they come and when they are here. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ChatPage } from './chat-page';
import { dropOn, FILE, ModelsPage, pocketHub, RECOMMENDED } from './models-page';
import { visit } from './visit';

const MIB = 2 ** 20;

test('an address becomes a model that is paused, killed, resumed, checked, and answers without a network', async () => {
  const hub = await pocketHub();
  hub.rate = MIB;
  try {
    await visit({ gpu: false, path: '/models' }, async ({ page, errors, strangers }) => {
      let models = new ModelsPage(page);
      await page.getByText('No models yet').waitFor();
      await models.look('gpt2');
      await page.getByRole('heading', { name: 'That is no address of a model' }).waitFor();
      await page.getByText('without its publisher').waitFor();
      expect(strangers).toEqual([]);

      await models.look(`${hub.url}/me/small/resolve/main/${FILE}`);
      await page.getByRole('heading', { name: 'small-q8_0', exact: true }).waitFor();
      const offer = page.getByRole('list', { name: 'What is there' });
      expect(await offer.innerText()).toContain('Runs well here');
      await models.button(/^Get small/).click();
      await page.getByText(/MB of 26\.4 MB.*a second/).waitFor();
      await models.button('Pause small-q8_0').click();
      await page.getByText('Paused').waitFor();
      await models.button('Go on: small-q8_0').click();
      await page.getByText(/B a second/).waitFor();

      // The tab goes away in the middle, and another one goes on.
      const here = page.url();
      const other = await page.context().newPage();
      await page.close();
      hub.rate = undefined;
      await other.goto(here);
      models = new ModelsPage(other);
      await models.chat('small-q8_0').waitFor();
      // Cut twice, it was not begun anew: what lay in the buffers of four connections is all that came again.
      expect(hub.log.sent(FILE)).toBeLessThan(1.5 * 26.5 * MIB);
      await models.button('More for small-q8_0').click();
      await other.getByRole('menuitem', { name: 'Check every byte' }).click();
      await other.getByText('every byte is what it should be').waitFor();
      hub.close();

      const address = new URL((await models.chat('small-q8_0').getAttribute('href'))!, other.url());
      address.searchParams.set('threads', '1');
      address.searchParams.set('temperature', '0');
      await other.goto(address.href);
      const chat = new ChatPage(other);
      await chat.ask('What is the capital of France?');
      expect(await chat.answered()).toContain('Paris');

      await other.goto(new URL('/models', other.url()).href);
      await models.button('More for small-q8_0').click();
      await other.getByRole('menuitem', { name: 'Delete' }).click();
      await other.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
      await other.getByText('No models yet').waitFor();
      expect(errors).toEqual([]);
    });
  } finally {
    hub.close();
  }
});

test('the first model comes while one chats with the pocket model; messages wait for their model; files are taken in', async () => {
  const hub = await pocketHub();
  hub.rate = MIB / 2;
  try {
    await visit({ gpu: false, path: '/models' }, async ({ page, errors, strangers }) => {
      // The likeliest words, on one thread.
      const calm = 'threads=1&temperature=0';
      const question = 'What is the capital of France?';
      const models = new ModelsPage(page);
      const chat = new ChatPage(page);
      await models.useHub(hub);
      await page.goto(new URL(`/?${calm}`, page.url()).href);
      await chat.button('Get SmolLM2 135M').waitFor();
      await page.getByText('Runs well here').waitFor();
      expect(strangers).toEqual([]);

      // Nobody answers: it says so, and the pocket model is still there.
      hub.faults.add({ kind: 'status', status: 500, where: 'api', times: 20 });
      await chat.button('Get SmolLM2 135M').click();
      await page.getByText('The server has trouble').waitFor();
      hub.faults.clear();
      await chat.button('Get SmolLM2 135M').click();
      await page.getByText('It is on its way').waitFor();
      await chat.button('Try at once').click();
      await chat.ask(question);
      expect(await chat.answered()).toContain('Paris');
      await chat.button(/^Pause smollm2/).click();
      await chat.button(/^Go on with smollm2/).click();
      await models.progress.waitFor();
      expect(await chat.accessibilityFaults(), 'a download in the chat').toEqual([]);

      // A conversation that wants this very model waits for it; Stop puts the message back.
      const id = `${hub.url}/${RECOMMENDED}/smollm2-135m-instruct-q8_0.gguf`;
      const waiting = await page.context().newPage();
      await waiting.goto(new URL(`/?${calm}&model=${encodeURIComponent(id)}`, page.url()).href);
      const second = new ChatPage(waiting);
      await second.ask(question);
      await second.log.getByText('Waiting for the model').waitFor();
      expect(await second.accessibilityFaults(), 'a message that waits').toEqual([]);
      await second.button('Stop').click();
      await expect.poll(() => second.message.inputValue()).toBe(question);
      expect(await second.log.count()).toBe(0);
      await second.message.press('Enter');
      await second.log.getByText('Waiting for the model').waitFor();
      await page.close();
      hub.rate = undefined;
      expect(await second.answered()).toContain('Paris');

      // A file that is dropped on the chat becomes a model to choose.
      await dropOn(waiting, 'dropped.gguf', 'not much of a model');
      await waiting.getByText('dropped is here.').waitFor();
      await second.button('Not now').click();
      await dropOn(waiting, 'notes.txt', 'words');
      // A text is something to ask about.
      await waiting.getByRole('button', { name: 'Remove «notes.txt»' }).click();

      // It is deleted: the conversation says so, and offers another.
      const conversation = waiting.url();
      await waiting.goto(new URL('/models', conversation).href);
      const shelf = new ModelsPage(waiting);
      await shelf.button(/^More for smollm2/).click();
      await waiting.getByRole('menuitem', { name: 'Delete' }).click();
      await waiting.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
      await waiting.getByText(/^smollm2.* was deleted/).waitFor();
      await waiting.goto(new URL(`/?${calm}${new URL(conversation).hash}`, conversation).href);
      await waiting.getByRole('heading', { name: 'is not on this device' }).waitFor();
      expect(await second.accessibilityFaults(), 'a model that is gone').toEqual([]);
      await second.button('Use MiniMind2-Small').click();
      await second.ask(question);
      expect(await second.answered()).toContain('Paris');

      // What another app shares becomes what one writes.
      await waiting.goto(
        new URL('/?title=A%20page&text=https%3A%2F%2Fa.b%2F&url=https%3A%2F%2Fa.b%2F', conversation).href,
      );
      await expect.poll(() => second.message.inputValue()).toBe('A page\n\nhttps://a.b/');
      expect(new URL(waiting.url()).search).toBe('');
      expect(errors.filter((error) => !error.includes('500'))).toEqual([]);
    });
  } finally {
    hub.close();
  }
});

test.each(['light', 'dark'] as const)(
  'axe finds nothing on the page of models in the %s, wide or narrow',
  async (colorScheme) => {
    await visit(
      { gpu: false, path: '/models', browsing: { colorScheme, reducedMotion: 'reduce' } },
      async ({ page }) => {
        const models = new ModelsPage(page);
        const chat = new ChatPage(page);
        await page.getByText('No models yet').waitFor();
        await page.getByText('Recommended here').waitFor();
        expect(await chat.accessibilityFaults(), 'empty').toEqual([]);
        await models.drop('a-model-with-quite-a-long-name-of-its-own-q8_0.gguf', 'a few bytes');
        await models.chat('a-model-with-quite-a-long-name-of-its-own-q8_0').waitFor();
        await models.look('no such');
        await page.getByRole('heading', { name: 'That is no address of a model' }).waitFor();
        for (const summary of await page.locator('summary').all()) await summary.click();
        expect(await chat.accessibilityFaults(), 'with models').toEqual([]);
        await page.setViewportSize({ width: 360, height: 740 });
        expect(await chat.overhang()).toBe(0);
        expect(await chat.accessibilityFaults(), 'narrow').toEqual([]);
        await models.button('Delete all models').click();
        expect(await chat.accessibilityFaults(), 'dialog').toEqual([]);
        await page.getByRole('dialog').getByRole('button', { name: 'Delete all models' }).click();
        await page.getByText('No models yet').waitFor();
      },
    );
  },
);

test('the manifest has a place to share to, kinds of files to open, and a shortcut to a new chat', () => {
  const path = fileURLToPath(new URL('../../static/manifest.webmanifest', import.meta.url));
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  expect(manifest).toMatchObject({
    share_target: { action: './', method: 'GET', params: { title: 'title', text: 'text', url: 'url' } },
    file_handlers: [{ action: './', accept: { 'application/octet-stream': ['.gguf', '.safetensors'] } }],
  });
  expect(manifest.shortcuts).toContainEqual(expect.objectContaining({ name: 'New chat' }));
});
