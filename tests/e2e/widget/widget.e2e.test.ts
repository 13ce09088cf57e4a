/** The widget in somebody else's page: one tag, a strict policy, hostile styles, two at once; by keyboard and on a phone. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import axe from 'axe-core';
import type { Frame, Page } from 'playwright';
import { expect, test } from 'vitest';
import { script } from '../engine-double';
import { answerIn, inside, strictPage, visitSite } from './site';

const readme = readFileSync(fileURLToPath(new URL('../../../README.md', import.meta.url)), 'utf8');
/** The example of README, with another address. */
const EXAMPLE = /<!-- widget: .*?```html\n(.*?)```/s.exec(readme)?.[1] ?? '';

async function faultsIn(frame: Frame): Promise<string[]> {
  await frame.evaluate(axe.source);
  return frame.evaluate(async () => {
    const { violations } = await (self as unknown as { axe: typeof axe }).axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      // Frames are asked themselves.
      iframes: false,
    });
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
  });
}

/** In the page, and in the widget's frame. */
async function faults(page: Page): Promise<string[]> {
  const found = await Promise.all(page.frames().map(faultsIn));
  return found.flat();
}

const focused = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const deep = (root: Document | ShadowRoot): Element | null =>
      root.activeElement?.shadowRoot ? deep(root.activeElement.shadowRoot) : root.activeElement;
    return deep(document)?.getAttribute('aria-label') ?? deep(document)?.tagName ?? '';
  });

test('README’s tag in a strict page: nothing comes before it is agreed to; by keyboard; the page hears events, no words', async () => {
  const heard = '<script src="/heard.js"></script>';
  await visitSite(
    {
      files: ({ app }) => ({
        '/': strictPage(app, EXAMPLE.replace(/<script[^]*?<\/script>/, ''), heard),
        '/heard.js': {
          type: 'text/javascript',
          body: `window.heard = []; for (const type of ['ready', 'progress', 'message', 'error']) addEventListener(type, (event) => event instanceof CustomEvent && heard.push({ type, ...event.detail }));`,
        },
      }),
      browsing: { reducedMotion: 'reduce' },
    },
    async ({ page, app, errors, asked }) => {
      const model = await page.locator('fireside-chat').getAttribute('model');
      expect(model).toBe('HuggingFaceTB/SmolLM2-360M-Instruct');
      // The model that comes along, for this test.
      await page.locator('fireside-chat').evaluate((element) => element.setAttribute('model', 'pocket'));
      const ofApp = (): string[] => asked.filter((url) => url.startsWith(app)).map((url) => url.slice(app.length));
      await page.waitForLoadState('networkidle');
      expect(ofApp()).toEqual(['widget.js']);
      expect(await faults(page)).toEqual([]);

      const button = page.getByRole('button', { name: 'Open the chat' });
      expect(await button.getAttribute('aria-expanded')).toBe('false');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Tab');
      expect(await focused(page)).toBe('Open the chat');
      await page.keyboard.press('Enter');
      const frame = inside(page);
      await frame.getByRole('button', { name: 'Start' }).waitFor();
      expect(await page.getByRole('button', { name: 'Close the chat' }).first().getAttribute('aria-expanded')).toBe(
        'true',
      );
      await frame.getByText('comes with this chat').waitFor();
      await page.waitForLoadState('networkidle');
      expect(ofApp().filter((path) => /\.gguf|\.wasm|workers\//.test(path))).toEqual([]);
      expect(await faults(page)).toEqual([]);

      await frame.getByRole('button', { name: 'Start' }).focus();
      await page.keyboard.press('Enter');
      await frame.getByText('How can I help?').waitFor();
      const field = frame.getByRole('textbox', { name: 'Message' });
      await expect.poll(() => field.evaluate((element) => element === document.activeElement)).toBe(true);
      await page.keyboard.type('Do you have tea?');
      await page.keyboard.press('Enter');
      expect(await answerIn(frame)).toContain('Do you have tea?');
      expect(await faults(page)).toEqual([]);

      // Escape first stops, then closes, and gives the focus back.
      await page.keyboard.type(script({ say: 'on and on ', times: 500, every: 20 }));
      await page.keyboard.press('Enter');
      await frame.getByText('on and on').first().waitFor();
      await page.keyboard.press('Escape');
      await answerIn(frame);
      await page.keyboard.press('Escape');
      await expect.poll(() => focused(page)).toBe('Open the chat');
      expect(await page.locator('dialog').isVisible()).toBe(false);
      // What was said is there again.
      await page.keyboard.press('Enter');
      await frame.getByText('Do you have tea?').first().waitFor();

      const events = await page.evaluate(() => (self as unknown as { heard: Record<string, unknown>[] }).heard);
      expect(events.find(({ type }) => type === 'ready')).toMatchObject({ model: 'Double', path: 'cpu', tools: true });
      const said = events.filter(({ type }) => type === 'message');
      expect(said.map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant']);
      expect(JSON.stringify(events)).not.toContain('tea');
      expect(errors).toEqual([]);
    },
  );
});

const HOSTILE_CSS = `html { font-size: 40px !important; }
body * { all: unset !important; display: inline !important; position: static !important; float: right !important;
  font: 60px fantasy !important; opacity: 0.1 !important; transform: rotate(20deg) !important; pointer-events: none !important; }
fireside-chat, fireside-chat * { display: none !important; inline-size: 3px !important; visibility: hidden !important; }
button, dialog, iframe, svg { display: none !important; } ::part(panel) { color: red; }`;

test('hostile styles change nothing; two widgets in one page are two, take turns, and look as each was told', async () => {
  const body = `<fireside-chat id="a" position="start"></fireside-chat>
<fireside-chat id="b" class="mine" heading="Second" theme="dark" suggestions="One|Two"></fireside-chat>`;
  const styles = `${HOSTILE_CSS} .mine { --fireside-accent: rgb(0, 90, 200); --fireside-background: #101418; --fireside-text: url(https://leak.example/x); }`;
  await visitSite(
    {
      files: ({ app }) => ({
        '/': strictPage(app, body, '<link rel="stylesheet" href="/hostile.css">'),
        '/hostile.css': { body: styles, type: 'text/css' },
      }),
      browsing: { viewport: { width: 1200, height: 800 }, reducedMotion: 'reduce' },
    },
    async ({ page, errors, asked }) => {
      const buttons = page.locator('fireside-chat').locator('button');
      expect(await buttons.nth(0).boundingBox()).toEqual({ x: 20, y: 724, width: 56, height: 56 });
      expect(await buttons.nth(1).boundingBox()).toEqual({ x: 1124, y: 724, width: 56, height: 56 });
      expect(await buttons.nth(1).evaluate((one) => getComputedStyle(one).backgroundColor)).toBe('rgb(0, 90, 200)');
      const [first, second] = [inside(page, 0), inside(page, 1)];
      await buttons.nth(0).click();
      await first.getByRole('button', { name: 'Start' }).click();
      await first.getByRole('textbox').waitFor();
      // What was agreed to in one holds for the other.
      await buttons.nth(1).click();
      await second.getByRole('textbox').waitFor();
      expect(await page.locator('dialog').nth(1).boundingBox()).toEqual({ x: 780, y: 68, width: 400, height: 640 });
      expect(await second.getByRole('heading', { name: 'Second' }).isVisible()).toBe(true);
      const colours = await second
        .locator('html')
        .evaluate((root) => [
          getComputedStyle(root).backgroundColor,
          root.style.getPropertyValue('--ember'),
          root.style.getPropertyValue('--ink'),
        ]);
      expect(colours).toEqual(['rgb(16, 20, 24)', 'rgb(0, 90, 200)', '']);
      // One engine on the device: who asks gets it, and nobody is interrupted.
      await first.getByRole('textbox').fill(script({ say: 'first ', times: 60, every: 5 }));
      await first.getByRole('textbox').press('Enter');
      await first.getByText('first first').waitFor();
      await second.getByRole('button', { name: 'Two' }).click();
      expect(await answerIn(second)).toContain('Two');
      expect((await answerIn(first)).match(/first/g)).toHaveLength(60);
      expect(await second.getByText('first').count()).toBe(0);
      expect(asked.filter((url) => url.includes('leak'))).toEqual([]);
      expect(errors).toEqual([]);
    },
  );
});

test('a phone gets the whole screen, right-to-left pages the other corner, a page the language it is in', async () => {
  await visitSite(
    {
      files: ({ app }) => ({
        '/': {
          ...strictPage(app, '<fireside-chat></fireside-chat>'),
          body: (strictPage(app, '<fireside-chat></fireside-chat>').body as string).replace(
            'lang="en"',
            'lang="de" dir="rtl"',
          ),
        },
      }),
      browsing: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, colorScheme: 'dark' },
    },
    async ({ page, errors }) => {
      const open = page.getByRole('button', { name: 'Chat öffnen' });
      expect((await open.boundingBox())!.x).toBe(20);
      await open.tap();
      const frame = inside(page);
      await frame.getByRole('button', { name: 'Starten' }).tap();
      await frame.getByText('Wie kann ich helfen?').waitFor();
      expect(await page.locator('dialog').boundingBox()).toEqual({ x: 0, y: 0, width: 390, height: 844 });
      expect(
        await frame.locator('html').evaluate((root) => [root.getAttribute('dir'), root.scrollWidth - innerWidth]),
      ).toEqual(['rtl', 0]);
      await frame.getByRole('textbox').fill('Hallo');
      await frame.getByRole('textbox').press('Enter');
      expect(await answerIn(frame)).toContain('Hallo');
      const field = (await frame.getByRole('textbox').boundingBox())!;
      expect(field.y + field.height).toBeLessThanOrEqual(844);
      expect(await faults(page)).toEqual([]);
      await frame.getByRole('button', { name: 'Chat schließen' }).tap();
      await expect.poll(() => focused(page)).toBe('Chat öffnen');
      expect(errors).toEqual([]);
    },
  );
});

test('conversations follow from page to page in a tab, or stay on the device, or go; clear() takes them away', async () => {
  const body = ['session', 'local', 'none'].map(
    (kept) => `<fireside-chat mode="inline" storage="${kept}"></fireside-chat>`,
  );
  await visitSite(
    { files: ({ app }) => ({ '/': strictPage(app, body.join('')), '/next': strictPage(app, body.join('')) }) },
    async ({ page, context, site, errors }) => {
      const ask = async (nth: number): Promise<void> => {
        await inside(page, nth).getByRole('button', { name: 'Start' }).click();
        await inside(page, nth).getByRole('textbox').fill(`Question ${nth}`);
        await inside(page, nth).getByRole('textbox').press('Enter');
        await answerIn(inside(page, nth));
      };
      for (const nth of [0, 1, 2]) {
        await page.locator('fireside-chat').nth(nth).scrollIntoViewIfNeeded();
        await ask(nth);
      }
      await page.goto(`${site}/next`);
      for (const nth of [0, 1]) {
        await page.locator('fireside-chat').nth(nth).scrollIntoViewIfNeeded();
        await inside(page, nth).getByText(`Question ${nth}`).first().waitFor();
      }
      await page.locator('fireside-chat').nth(2).scrollIntoViewIfNeeded();
      await inside(page, 2).getByRole('button', { name: 'Start' }).waitFor();
      await page
        .locator('fireside-chat')
        .nth(1)
        .evaluate((element) => (element as unknown as { clear(): void }).clear());
      await inside(page, 1).getByText('How can I help?').waitFor();
      const other = await context.newPage();
      await other.goto(`${site}/next`);
      // Another tab has its own session; what stays on the device was cleared.
      await inside(other, 0).getByRole('button', { name: 'Start' }).waitFor();
      await other.locator('fireside-chat').nth(1).scrollIntoViewIfNeeded();
      await inside(other, 1).getByText('How can I help?').waitFor();
      expect(errors).toEqual([]);
    },
  );
});
