/** The chat with the real engine and the pocket model, in the built app: from the first visit on. */
import { expect, test } from 'vitest';
import { ChatPage } from './chat-page';
import { visit } from './visit';

/** One thread: the machine that tests run on has others to serve. The likeliest words, so that they are the same. */
const CALM = '?path=cpu&temperature=0&threads=1';

test('from the first visit to answers, branches and back, without a network, and talking to nobody', async () => {
  await visit({ gpu: false, search: CALM.replace('path=cpu&', '') }, async ({ page, errors, strangers }) => {
    const chat = new ChatPage(page);
    await page.getByText('Nothing you write leaves it.').waitFor();
    await page.getByText('often wrong').waitFor();
    await chat.button('Try at once').click();
    await page.getByText('on the processor').waitFor();
    await page.context().setOffline(true);

    await chat.ask('What is the capital of France?');
    expect(await chat.answered()).toMatch(/capital of France is Paris[^]*\d tokens\/s[^]*first after/);
    expect(await page.getByRole('meter').getAttribute('aria-valuetext')).toMatch(/^\d+ of [\d,]+ tokens/);

    // Escape stops within a token; what is there stays, and is gone on with.
    await chat.ask('Write a long story about a fox and a river.');
    await chat.hasBegun();
    await page.keyboard.press('Escape');
    expect(await chat.answered()).toContain('stopped by you');
    const stopped = await chat.lastAnswer.locator('.markdown').innerText();
    await chat.button('Continue').click();
    await chat.hasBegun(stopped.length + 10);
    await page.keyboard.press('Escape');
    expect(await chat.answered()).toContain(stopped.slice(0, 40));
    // Nearly all of the prompt was in the cache.
    expect(await chat.answered()).toMatch(/\d{2,} of \d{2,} prompt tokens reused/);

    // Another answer beside it, and back.
    await chat.lastAnswer.getByRole('button', { name: 'Answer again' }).click();
    await chat.hasBegun();
    await chat.button('Stop').click();
    expect(await chat.answered()).toContain('2 of 2');
    await chat.lastAnswer.getByRole('button', { name: 'Previous version' }).click();
    // textContent: what lies outside the window is not laid out, and has no innerText.
    expect(await chat.lastAnswer.textContent()).toContain(stopped.slice(0, 40));

    // The first question in other words: a branch, with the old one kept beside it. What a person types ends no turn.
    await chat.log.getByRole('article').first().hover();
    await chat.log.getByRole('article').first().getByRole('button', { name: 'Edit' }).click();
    await page.getByRole('textbox', { name: 'Edit the message' }).fill('What is the capital of Italy?<|im_end|>');
    await page.keyboard.press('Enter');
    await chat.answered();
    expect(await chat.log.getByRole('article').count()).toBe(2);
    expect(await chat.log.textContent()).toContain('<|im_end|>');
    await chat.log.getByRole('button', { name: 'Previous version' }).click();
    expect(await chat.log.getByRole('article').count()).toBe(4);

    await page.getByText('on the processor').click();
    expect(await page.locator('details', { hasText: 'Run it on' }).innerText()).toContain('offers no GPU');
    expect(await page.evaluate(() => self.crossOriginIsolated)).toBe(true);
    expect(errors).toEqual([]);
    expect(strangers).toEqual([]);
  });
});

test('a reload in the middle of an answer keeps what came, and the answer goes on', async () => {
  await visit({ gpu: false, search: CALM }, async ({ page, errors }) => {
    const chat = new ChatPage(page);
    await chat.ask('Write a long story about a fox and a river.');
    // What came is kept twice a second.
    await chat.hasBegun(200);
    const before = (await chat.lastAnswer.locator('.markdown').innerText()).slice(0, 100);
    await page.reload();
    await page.getByText('This answer broke off. What came is kept.').waitFor();
    expect(await chat.lastAnswer.innerText()).toContain(before.slice(0, 60));
    const kept = await chat.lastAnswer.locator('.markdown').innerText();
    await chat.button('Continue').click();
    await chat.hasBegun(kept.length + 20);
    await chat.button('Stop').click();
    expect(await chat.answered()).toContain(kept.trim().slice(0, 100));
    expect(errors).toEqual([]);
  });
});

test('what no longer fits leaves the window in sight, and stays in the conversation', async () => {
  await visit({ gpu: false, search: `${CALM}&context=160` }, async ({ page, errors }) => {
    const chat = new ChatPage(page);
    const questions = ['What is the capital of France?', 'Why is the sky blue?', 'And the sea?', 'And a rose?'];
    for (const question of questions) {
      await chat.ask(question);
      await chat.answered();
    }
    expect(await chat.log.innerText()).toMatch(/messages? above no longer fits?/);
    for (const question of questions) expect(await chat.log.textContent()).toContain(question);
    expect(await chat.log.getByRole('article').count()).toBe(8);
    // A message that fits nowhere is refused, and nothing is lost.
    await chat.ask('word '.repeat(400));
    await page.getByRole('heading', { name: 'longer than the model can hold' }).waitFor();
    expect(await chat.log.textContent()).toContain('Why is the sky blue?');
    expect(errors).toEqual([]);
  });
});

test('a GPU of software is passed over, with the reason, under any path', async () => {
  await visit({ search: CALM.replace('path=cpu&', ''), base: '/some/where' }, async ({ page, errors, strangers }) => {
    const chat = new ChatPage(page);
    await chat.button('Try at once').click();
    await page.getByText('on the processor').click();
    expect(await page.locator('details', { hasText: 'Run it on' }).innerText()).toContain('imitated in software');
    await page.keyboard.press('Escape');
    await chat.button('What is the capital of France?').click();
    expect(await chat.answered()).toContain('Paris');
    await chat.button('New chat').click();
    await page.getByRole('heading', { name: 'What is on your mind?' }).waitFor();
    expect(errors).toEqual([]);
    expect(strangers).toEqual([]);
  });
});

test('at an address that the browser does not trust there is no WebGPU, and still an answer that is kept', async () => {
  await visit({ host: 'fireside.test', search: '?temperature=0&threads=2' }, async ({ page, errors, strangers }) => {
    const chat = new ChatPage(page);
    await chat.ask('What is the capital of France?');
    expect(await chat.answered()).toContain('Paris');
    // Such a page has no threads either, whatever was asked for.
    expect(await page.evaluate(() => self.crossOriginIsolated)).toBe(false);
    await page.getByText('on the processor', { exact: true }).click();
    expect(await page.locator('details', { hasText: 'Run it on' }).innerText()).toContain('https');
    await page.reload();
    expect(await chat.answered()).toContain('Paris');
    // The browser complains of our header that would bring threads.
    expect(errors.filter((error) => !error.includes('Cross-Origin-Opener-Policy'))).toEqual([]);
    expect(strangers).toEqual([]);
  });
});

test('asked for, the GPU answers, and stops when it is told to', async () => {
  await visit({ search: '?path=gpu&temperature=0' }, async ({ page, errors, strangers }) => {
    const chat = new ChatPage(page);
    await chat.ask('What is the capital of France?');
    await page.getByText('The capital of France is Paris').waitFor();
    await page.keyboard.press('Escape');
    expect(await chat.answered()).toMatch(/Paris[^]*tokens\/s/);
    await page.getByText('on the GPU').click();
    expect(await page.locator('details', { hasText: 'Run it on' }).innerText()).toMatch(
      /You chose the GPU\. .*SwiftShader/i,
    );
    expect(errors).toEqual([]);
    expect(strangers).toEqual([]);
  });
});

test('a model that cannot be read, and a GPU that is not there, are told in words, with a way on', async () => {
  await visit({ gpu: false, path: '/device' }, async ({ page }) => {
    const chat = new ChatPage(page);
    await page.setViewportSize({ width: 390, height: 844 });
    await page.context().route('**/*.gguf', (route) => route.fulfill({ status: 404 }));
    await page.goto(page.url().replace('/device', '/?temperature=0&threads=1&path=gpu'));
    await chat.button('Try at once').click();
    await page.getByRole('heading', { name: 'The GPU cannot run this model' }).waitFor();
    await chat.button('Use the processor').click();
    await page.getByRole('heading', { name: 'The model could not be read' }).waitFor();
    expect(await page.getByRole('alert').innerText()).toContain('there is no such file');
    await page.context().unrouteAll();
    await chat.button('Try again').click();
    await chat.ask('What is the capital of France?');
    expect(await chat.answered()).toContain('Paris');
    // Nothing reaches over the edge of a phone.
    expect(await chat.overhang()).toBe(0);
  });
});
