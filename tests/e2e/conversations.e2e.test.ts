/** Conversations that are kept: listed, found, renamed, deleted and brought back, taken along; and in several tabs. */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { ChatPage } from './chat-page';
import { script } from './engine-double';
import { visitDouble } from './visit-double';

test('a conversation is listed, renamed, pinned, found, deleted and brought back', async () => {
  await visitDouble(async (chat, { page, errors }) => {
    await chat.ask('About foxes\nand rivers');
    await chat.answered();
    await chat.button('New chat').click();
    await chat.ask('About the Café');
    await chat.answered();
    await expect.poll(() => chat.conversations.allInnerTexts()).toEqual(['About the Café', 'About foxes']);
    expect(page.url()).toContain('#chat=');

    await chat.button('More for «About foxes»').click();
    await page.getByRole('menuitem', { name: 'Rename' }).click();
    await page.getByRole('textbox', { name: 'Title' }).fill('Animals');
    await page.keyboard.press('Enter');
    await chat.button('More for «Animals»').click();
    await page.getByRole('menuitem', { name: 'Pin' }).click();
    await expect.poll(() => chat.conversations.allInnerTexts()).toEqual(['Animals', 'About the Café']);

    // In titles and in texts, without accents.
    const search = page.getByRole('searchbox', { name: 'Search conversations' });
    await search.fill('cafe');
    await expect.poll(() => chat.conversations.allInnerTexts()).toEqual(['About the Café']);
    await search.fill('RIVERS');
    await expect.poll(() => chat.conversations.allInnerTexts()).toEqual([expect.stringMatching(/^Animals\s+.*rivers/)]);
    await search.fill('nowhere');
    await page.getByText('Nothing was found for «nowhere».').waitFor();
    await search.press('Escape');

    await chat.conversations.getByText('Animals').click();
    await chat.log.getByText('and rivers').first().waitFor();
    await chat.button('More for «Animals»').click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await expect.poll(() => chat.conversations.allInnerTexts()).toEqual(['About the Café']);
    await chat.button('Undo').click();
    await expect.poll(() => chat.conversations.allInnerTexts()).toEqual(['Animals', 'About the Café']);

    // A message goes with what is below it, and comes back too.
    await chat.conversations.getByText('Animals').click();
    await chat.lastAnswer.getByRole('button', { name: 'Delete' }).click();
    await expect.poll(() => chat.log.getByRole('article').count()).toBe(1);
    await chat.button('Undo').click();
    await expect.poll(() => chat.log.getByRole('article').count()).toBe(2);

    await page.reload();
    await expect.poll(() => chat.conversations.allInnerTexts()).toEqual(['Animals', 'About the Café']);
    expect(await chat.log.getByRole('article').count()).toBe(2);
    expect(errors).toEqual([]);
  });
});

test('all of it can be taken along, and what a stranger made is refused by its field', async () => {
  await visitDouble(async (chat, { page, errors }) => {
    await chat.ask('One');
    await chat.answered();
    await chat.button('New chat').click();
    await chat.ask('Two');
    await chat.answered();
    await chat.button('Settings').click();
    const [all] = await Promise.all([page.waitForEvent('download'), chat.button('Export all').click()]);
    const text = await readFile(await all.path(), 'utf8');
    const file = JSON.parse(text) as { conversations: { title: string; messages: { parent: string | null }[] }[] };
    expect(file.conversations.map(({ title }) => title)).toEqual(['Two', 'One']);
    await page.keyboard.press('Escape');

    await chat.button('More for «Two»').click();
    const [markdown] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('menuitem', { name: 'Export as Markdown' }).click(),
    ]);
    expect(markdown.suggestedFilename()).toBe('Two.md');
    expect(await readFile(await markdown.path(), 'utf8')).toBe('# Two\n\n## You\n\nTwo\n\n## Double\n\nTwo\n');

    const take = async (content: string): Promise<void> => {
      await chat.button('Settings').click();
      await page
        .getByRole('dialog')
        .locator('input[type=file]')
        .setInputFiles({
          name: 'fireside.json',
          mimeType: 'application/json',
          buffer: Buffer.from(content),
        });
    };
    // What is here already comes as a copy.
    await take(text);
    await page.getByText('2 conversations were imported.').waitFor();
    await expect.poll(() => chat.conversations.count()).toBe(4);
    file.conversations[0]!.messages[1]!.parent = 'nobody';
    await take(JSON.stringify(file));
    await page.getByText('conversations[0].messages[1].parent: there is no such message').waitFor();
    expect(await chat.conversations.count()).toBe(4);
    expect(errors).toEqual([]);
  });
});

test('drafts, settings and presets are kept; a new chat begins with the last settings', async () => {
  await visitDouble(async (chat, { page, errors }) => {
    await chat.message.fill('unsent words');
    await page.waitForTimeout(400);
    await page.reload();
    await expect.poll(() => chat.message.inputValue()).toBe('unsent words');
    await chat.button('Settings').click();
    await page.getByLabel('System prompt').fill('Be brief.');
    await page.getByLabel('Temperature').fill('0.3');
    await chat.button('Save as preset').click();
    await page.getByRole('textbox', { name: 'Name of the preset' }).fill('Brief');
    await page.keyboard.press('Enter');
    await page.getByLabel('Preset', { exact: true }).selectOption({ label: 'None' });
    expect(await page.getByLabel('Temperature').inputValue()).toBe('0.6');
    await page.getByLabel('Preset', { exact: true }).selectOption({ label: 'Brief' });
    expect(await page.getByLabel('Temperature').inputValue()).toBe('0.3');
    await page.getByRole('searchbox', { name: 'Search settings' }).fill('system');
    expect(await page.getByLabel('Temperature').count()).toBe(0);
    // The first clears the field, as everywhere.
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await chat.message.press('Enter');
    await chat.answered();
    await page.reload();
    await chat.answered();
    await chat.button('New chat').click();
    await chat.button('Settings').click();
    expect(await page.getByLabel('System prompt').inputValue()).toBe('Be brief.');
    expect(errors).toEqual([]);
  });
});

test('from outside come files opened with the app, shared texts, questions in the address; and files to ask about', async () => {
  await visitDouble(async (chat, { page, home, errors }) => {
    await page.addInitScript(() => {
      // As the system does that opens files with an installed app.
      Object.defineProperty(self, 'launchQueue', {
        value: { setConsumer: (consumer: unknown) => Object.assign(self, { consumer }) },
      });
    });
    await page.reload();
    const launch = async (name: string, content: string): Promise<void> => {
      await page.waitForFunction(() => 'consumer' in self);
      await page.evaluate(
        ([called, text]) => {
          const getFile = async (): Promise<File> => new File([text!], called!);
          (self as unknown as { consumer: (launched: unknown) => void }).consumer({ files: [{ getFile }] });
        },
        [name, content],
      );
    };
    const settings = {};
    const conversation = {
      id: 'c1',
      title: 'From a file',
      pinned: false,
      created: 1,
      changed: 1,
      settings,
      leaf: 'm1',
    };
    const messages = [{ id: 'm1', parent: null, role: 'user', text: 'Said elsewhere', created: 1 }];
    const file = { format: 'fireside-conversations', version: 1, conversations: [{ ...conversation, messages }] };
    await launch('chats.json', JSON.stringify(file));
    await page.getByText('1 conversation was imported.').waitFor();
    await chat.log.getByText('Said elsewhere').waitFor();
    await launch('chats.json', JSON.stringify(file).slice(0, 60));
    await page.getByText('The file was not imported').waitFor();

    // Some other table is none of ours, but can be asked about; so can what is chosen and what is pasted.
    await launch('table.json', '{ "a": 1 }');
    await page.getByRole('listitem').filter({ hasText: 'table.json' }).waitFor();
    const choose = page.locator('form input[type=file]');
    await choose.setInputFiles([
      { name: 'notes.md', mimeType: 'text/markdown', buffer: Buffer.from('- bread') },
      { name: 'picture.png', mimeType: 'image/png', buffer: Buffer.from([0x89, 0x50, 0, 1]) },
    ]);
    await page.getByText('«picture.png» is no text.').waitFor();
    await chat.message.evaluate((field) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData('text/plain', 'at length '.repeat(300));
      field.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
    });
    const attached = page.getByRole('list', { name: 'Attached texts' });
    await expect.poll(() => attached.getByRole('listitem').count()).toBe(3);
    await chat.button('Undo').click();
    expect(await chat.message.inputValue()).toMatch(/^at length at length/);
    await chat.message.fill('');
    await chat.button('Remove «table.json»').click();
    await page.reload();
    await attached.getByText('notes.md').waitFor();
    // The model is open: it has counted them, and the meter too.
    await page.getByText(/\b8 tokens$/).waitFor();
    expect(await page.getByRole('meter').getAttribute('aria-valuetext')).toMatch(/^[1-9] of 4,096/);
    await chat.ask('What is to be bought?');
    expect(await chat.answered()).toMatch(/notes\.md[^]*- bread[^]*What is to be bought\?/);
    await chat.log.getByText('notes.md').first().click();
    await chat.log.locator('pre', { hasText: '- bread' }).first().waitFor();
    expect(await attached.count()).toBe(1);

    await page.goto(`${home}/#chat=nobody`);
    await chat.button('Start a new chat').waitFor();
    expect(await page.title()).toBe('Fireside');
    expect(await chat.message.count()).toBe(0);
    await page.goto(`${home}/?title=A+page&text=Look+at+https://x.example/&url=https://x.example/`);
    await expect.poll(() => chat.message.inputValue()).toBe('A page\n\nLook at https://x.example/');
    await expect.poll(() => page.url()).toBe(`${home}/`);
    await page.goto(`${home}/?q=Is+it+late%3F`);
    expect(await chat.answered()).toContain('Is it late?');
    await page.reload();
    await chat.answered();
    expect(await chat.log.getByRole('article').count()).toBe(2);
    await chat.lastAnswer.getByRole('button', { name: 'Delete' }).click();
    await chat.button('Undo').waitFor();
    // What was shared is still there to be sent, whatever else is asked; what could be undone is out of sight.
    for (let times = 0; times < 2; times++) {
      await chat.button('New chat').click();
      await expect.poll(() => chat.message.inputValue()).toContain('A page');
      expect(await chat.button('Undo').count()).toBe(0);
      await chat.button('Why is the sky blue?').click();
      await chat.answered();
    }
    expect(errors).toEqual([]);
  });
});

test('two tabs: one has the model, both have the conversations, and the model can be taken over', async () => {
  await visitDouble(async (one, { page, errors }) => {
    await one.ask('Hello');
    await one.answered();
    const other = await page.context().newPage();
    await other.goto(page.url());
    const two = new ChatPage(other);
    await two.answered();
    await other.getByRole('heading', { name: 'Another tab has the model' }).waitFor();

    // An answer that grows here grows there, and is not taken for one that broke off.
    await one.ask(script({ say: 'a word ', times: 200, size: 7, every: 10 }));
    await two.lastAnswer.getByText('being written in another tab').waitFor();
    await two.lastAnswer.getByText('a word a word').waitFor();
    await one.answered();
    await two.answered();

    // A question there waits for the model, and takes it over in the middle of an answer here.
    await one.ask(script({ say: 'never ending ', times: 2000, size: 13, every: 10 }));
    await one.lastAnswer.getByText('never ending').waitFor();
    await two.button('New chat').click();
    await two.ask('And now here');
    await two.button('Use it here').click();
    expect(await two.answered()).toContain('And now here');
    await one.lastAnswer.getByRole('heading', { name: 'Another tab has the model' }).waitFor();
    expect(await one.lastAnswer.innerText()).toContain('never ending');
    await expect.poll(() => one.conversations.count()).toBe(2);

    // When that tab goes, this one has it again.
    await other.close();
    await one.lastAnswer.getByRole('button', { name: 'Continue' }).click();
    await one.button('Stop').click();
    await one.answered();
    expect(errors).toEqual([]);
  });
});
