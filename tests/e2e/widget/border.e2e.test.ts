/** The border between page and frame: who is heard, what is taken, what runs (nothing), and who is told what is said. */
import type { BrowserContext, Page } from 'playwright';
import { expect, test } from 'vitest';
import { HOSTILE } from '../../support/hostile-markdown';
import { script } from '../engine-double';
import { answerIn, inside, serveFiles, strictPage, visitSite } from './site';

const SETTINGS = {
  instance: '1',
  mode: 'inline',
  model: 'pocket',
  system: '',
  heading: '',
  greeting: 'Genuine',
  suggestions: [],
  placeholder: '',
  language: 'en',
  direction: 'ltr',
  theme: 'auto',
  look: {},
  storage: 'none',
  shareMessages: false,
  hasContext: false,
  tools: [],
};

/** What whoever runs the app allows. */
async function allow(context: BrowserContext, rules: { hosts?: string[]; shareMessages?: string[] }): Promise<void> {
  await context.route('**/widget.json', (route) =>
    route.fulfill({
      json: { hosts: ['*'], shareMessages: [], ...rules },
      headers: { 'Cross-Origin-Resource-Policy': 'same-origin' },
    }),
  );
}

async function start(page: Page): Promise<void> {
  await inside(page).getByRole('button', { name: 'Start' }).click();
  await inside(page).getByRole('textbox').waitFor();
}

async function ask(page: Page, question: string): Promise<string> {
  await inside(page).getByRole('textbox').fill(question);
  await inside(page).getByRole('textbox').press('Enter');
  return answerIn(inside(page));
}

/** Events of these kinds, collected in the page. */
async function collect(page: Page): Promise<() => Promise<Record<string, unknown>[]>> {
  await page.evaluate(() => {
    const heard: unknown[] = [];
    Object.assign(self, { heard });
    for (const type of ['ready', 'message', 'error'])
      addEventListener(type, (event) => {
        if (event instanceof CustomEvent) heard.push({ type, ...(event.detail as object) });
      });
  });
  return () => page.evaluate(() => (self as unknown as { heard: Record<string, unknown>[] }).heard);
}

test('another frame in the page can neither be the page nor the widget', async () => {
  // It claims to be either, all the time, and writes down what it is told.
  const evil = await serveFiles(() => ({
    '/': {
      body: `<script>
        window.told = [];
        addEventListener('message', ({ data }) => told.push(data));
        setInterval(() => {
          parent.postMessage({ fireside: 'hello', protocol: 1 }, '*');
          for (let i = 0; i < parent.length; i++) {
            if (parent[i] === self) continue;
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = ({ data }) => told.push(data);
            const settings = ${JSON.stringify({ ...SETTINGS, greeting: 'Forged', shareMessages: true })};
            parent[i].postMessage({ fireside: 'connect', protocol: 1, settings }, '*', [port2]);
          }
        }, 5);
      </script>`,
    },
  }));
  try {
    await visitSite(
      {
        files: ({ app }) => ({
          '/': {
            body: `<!doctype html><html lang="en"><title>x</title><iframe src="${evil.origin}" title="evil"></iframe><script src="${app}widget.js" type="module"></script><fireside-chat mode="inline" greeting="Genuine"></fireside-chat>`,
          },
        }),
      },
      async ({ page, errors }) => {
        await start(page);
        await inside(page).getByText('Genuine').waitFor();
        expect(await ask(page, 'A secret')).toContain('A secret');
        const told = await page
          .frames()
          .find((frame) => frame.url().startsWith(evil.origin))!
          .evaluate(() => (self as unknown as { told: unknown[] }).told);
        expect(told).toEqual([]);
        expect(errors).toEqual([]);
      },
    );
  } finally {
    evil.server.close();
  }
});

test('a page that says nonsense is not understood, connects once, and never widens what it was told', async () => {
  await visitSite(
    { files: () => ({ '/': { body: '<!doctype html><html lang="en"><title>x</title><body></body>' } }) },
    async ({ page, app, errors }) => {
      await page.evaluate(
        async ({ app, SETTINGS }) => {
          const frame = document.createElement('iframe');
          frame.src = `${app}frame`;
          frame.allow = '';
          frame.width = frame.height = '600';
          document.body.append(frame);
          await new Promise((done) => addEventListener('message', done, { once: true }));
          const said: unknown[] = [];
          const say = (data: unknown): MessagePort => {
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = (event) => said.push(event.data);
            frame.contentWindow!.postMessage(data, '*', [port2]);
            return port1;
          };
          const connect = (changes: object): object => ({
            fireside: 'connect',
            protocol: 1,
            settings: { ...SETTINGS, ...changes },
          });
          const nonsense = [
            null,
            'connect',
            42,
            {},
            { fireside: 'connect' },
            connect({ mode: 'window' }),
            connect({ extra: 1 }),
            connect({ greeting: 7 }),
            connect({ suggestions: Array(99).fill('x') }),
            connect({ look: { accent: 'red; } html { background: url(https://leak.example/)' } }),
            connect({ look: { accent: 'var(--ink)' } }),
            connect({ look: { background: 'url(https://leak.example/)' } }),
            connect({ tools: [{ name: 'a b', description: '', parameters: {} }] }),
            { fireside: 'connect', protocol: 2, settings: SETTINGS },
          ];
          for (const data of nonsense) say(data);
          const port = say(connect({}));
          for (let i = 0; i < 5; i++) say(connect({ greeting: 'A second page' }));
          for (const data of [
            null,
            7,
            'send',
            {},
            { type: 'send' },
            { type: 'send', text: 9 },
            { type: 'eval', text: '1' },
          ])
            port.postMessage(data);
          port.postMessage({ type: 'settings', settings: { ...SETTINGS, greeting: { toString: 'x' } } });
          port.postMessage({ type: 'answer', id: 1, text: 'unasked', failed: false });
          Object.assign(self, { said, port });
        },
        { app, SETTINGS },
      );
      const frame = page.locator('iframe').contentFrame();
      await frame.getByRole('button', { name: 'Start' }).click();
      await frame.getByText('Genuine').waitFor();
      // A long text is cut off at the border: it is not taken at all.
      await page.evaluate(() => {
        const { port } = self as unknown as { port: MessagePort };
        port.postMessage({ type: 'send', text: 'x'.repeat(200_000) });
        port.postMessage({ type: 'send', text: 'From the page' });
      });
      await frame.getByText('From the page').first().waitFor();
      expect(await frame.getByText('xxxx').count()).toBe(0);
      const said = await page.evaluate(() => (self as unknown as { said: { type: string }[] }).said);
      expect(said.some(({ type }) => type === 'error')).toBe(false);
      expect(errors).toEqual([]);
    },
  );
});

test('hostile texts, of the page or of the model, run nothing and fetch nothing on either side', async () => {
  const all = HOSTILE.join('\n\n');
  const attribute = (text: string): string => text.replace(/&/g, '&amp;').replace(/"/g, '&quot;');
  const hostile = attribute('"><img src=x onerror=pwned(1)><script>pwned(2)</script>');
  await visitSite(
    {
      files: ({ app }) => ({
        '/': strictPage(
          app,
          `<fireside-chat mode="inline" heading="${hostile}" greeting="${hostile}" suggestions="${hostile}" placeholder="${hostile}" language="${hostile}" label="${hostile}"></fireside-chat>`,
        ),
      }),
    },
    async ({ page, app, site, errors, asked }) => {
      const ran: string[] = [];
      await page.exposeFunction('pwned', (what: string) => ran.push(what));
      await page.evaluate((context) => {
        Object.assign(document.querySelector('fireside-chat')!, { context: () => context });
      }, all);
      await start(page);
      await inside(page).getByText('onerror=pwned(1)').first().waitFor();
      await ask(page, script({ say: all, size: 9, every: 0 }));
      const log = inside(page).getByRole('log');
      expect(await log.locator('script, iframe, object, embed, img, form, base, [onerror], [onclick]').count()).toBe(0);
      expect(ran).toEqual([]);
      expect(asked.filter((url) => !url.startsWith(app) && !url.startsWith(site))).toEqual([]);
      expect(errors).toEqual([]);
    },
  );
});

test('the page is told what is said where both sides want it, and the visitor sees that it is', async () => {
  const files = ({ app }: { app: string }) => ({
    '/': strictPage(app, '<fireside-chat mode="inline" storage="none" share-messages></fireside-chat>'),
  });
  await visitSite({ files }, async ({ page, context, site, errors }) => {
    const host = new URL(site).host;
    for (const agreed of [false, true]) {
      await allow(context, agreed ? { shareMessages: [site] } : {});
      await page.reload();
      const heard = await collect(page);
      await start(page);
      await ask(page, 'Do you have tea?');
      await expect.poll(async () => (await heard()).filter(({ type }) => type === 'message').length).toBe(2);
      const messages = (await heard()).filter(({ type }) => type === 'message');
      expect(messages.map(({ text }) => text)).toEqual(
        agreed ? ['Do you have tea?', 'Do you have tea?'] : [undefined, undefined],
      );
      expect(await inside(page).getByText(`${host} can read this conversation.`).count()).toBe(agreed ? 1 : 0);
    }
    // Whoever runs the app can also say whose pages it is for.
    await allow(context, { hosts: ['https://shop.example'] });
    await page.reload();
    await inside(page).getByText('This chat is not for this site').waitFor();
    await allow(context, { hosts: ['shop.example'] });
    await page.reload();
    await inside(page).getByText('This chat cannot be shown').waitFor();
    expect(errors).toEqual([]);
  });
});

test('the model hears what the page knows, and calls its tools with the visitor’s leave', async () => {
  await visitSite(
    { files: ({ app }) => ({ '/': strictPage(app, '<fireside-chat mode="inline"></fireside-chat>') }) },
    async ({ page, errors }) => {
      await page.evaluate(() => {
        const calls: unknown[] = [];
        Object.assign(self, { calls });
        Object.assign(document.querySelector('fireside-chat')!, {
          context: async () => 'The basket holds two teas.',
          tools: [
            {
              name: 'add_to_basket',
              description: 'Puts something into the basket.',
              parameters: { type: 'object', properties: { item: { type: 'string' } } },
              run: (args: unknown) => {
                calls.push(args);
                return { added: args };
              },
            },
          ],
        });
      });
      const calls = (): Promise<unknown[]> => page.evaluate(() => (self as unknown as { calls: unknown[] }).calls);
      await start(page);
      const frame = inside(page);
      const call = script({
        say: 'One moment. <tool_call>\n{"name": "add_to_basket", "arguments": {"item": "Sencha"}}\n</tool_call>',
      });
      const wanted = frame.getByRole('alertdialog');

      await frame.getByRole('textbox').fill(call);
      await frame.getByRole('textbox').press('Enter');
      expect(await wanted.innerText()).toContain('"item": "Sencha"');
      await wanted.getByRole('button', { name: 'No', exact: true }).click();
      expect(await answerIn(frame)).toContain('The visitor did not allow this.');
      expect(await calls()).toEqual([]);

      await frame.getByRole('textbox').fill(call);
      await frame.getByRole('textbox').press('Enter');
      await wanted.getByRole('button', { name: 'Always here' }).click();
      const answer = await answerIn(frame);
      expect(answer).toContain('One moment.');
      expect(answer).toContain('{"added":{"item":"Sencha"}}');
      expect(answer).not.toContain('tool_call');
      await frame.getByText('Done by the site: add_to_basket').waitFor();
      // Allowed once for all, it is not asked again.
      await ask(page, call);
      expect(await calls()).toEqual([{ item: 'Sencha' }, { item: 'Sencha' }]);
      // What the double is told it says, where it is asked to.
      expect(await ask(page, script({ say: '', tell: 'system' }))).toContain('The basket holds two teas.');
      expect(errors).toEqual([]);
    },
  );
});
