/** For everybody: without a mouse, on a phone, for those who hear the page, in their language. */
import type { Page } from 'playwright';
import { expect, test } from 'vitest';
import { script } from './engine-double';
import { visitDouble } from './visit-double';

test('everything is done from the keyboard, and the focus is where one expects it', async () => {
  await visitDouble(async (chat, { page, errors }) => {
    const { keyboard } = page;
    const focused = (): Promise<string> =>
      page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.tagName ?? '');
    await expect.poll(focused).toBe('Message');
    await keyboard.type('First question');
    await keyboard.press('Shift+Enter');
    await keyboard.type('in two lines');
    await keyboard.press('Enter');
    await chat.answered();
    expect(await focused()).toBe('Message');

    // The arrow edits the last question; Escape leaves it as it was, Enter branches.
    await keyboard.press('ArrowUp');
    await expect.poll(focused).toBe('Edit the message');
    await keyboard.press('Escape');
    await page.keyboard.press('Alt+m');
    await keyboard.press('ArrowUp');
    await expect.poll(focused).toBe('Edit the message');
    await keyboard.type(' and more');
    await keyboard.press('Enter');
    await chat.answered();
    expect(await chat.log.innerText()).toContain('and more');
    await keyboard.press('Alt+r');
    await chat.lastAnswer.getByText('2 of 2').waitFor();
    await chat.answered();

    await keyboard.press('Alt+n');
    await page.getByRole('heading', { name: 'What is on your mind?' }).waitFor();
    await expect.poll(focused).toBe('Message');
    await keyboard.type(script({ say: 'on and on ', times: 500, every: 20 }));
    await keyboard.press('Enter');
    await chat.lastAnswer.getByText('on and on').waitFor();
    await keyboard.press('Escape');
    expect(await chat.answered()).toContain('stopped by you');
    await keyboard.press('Alt+ArrowDown');
    await chat.log.getByText('in two lines').first().waitFor();

    await keyboard.press('Control+k');
    await expect.poll(focused).toBe('Search conversations');
    await keyboard.press('Tab');
    // A question mark is a letter where one writes, and shows the keys elsewhere; Escape leads back.
    await keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
    expect(await page.getByRole('dialog').innerText()).toContain('Next conversation');
    await keyboard.press('Escape');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
    await keyboard.press('Control+,');
    await page.getByRole('dialog', { name: 'Settings' }).waitFor();
    await keyboard.press('Escape');

    // The menu of a conversation.
    await page
      .getByRole('button', { name: /^More for/ })
      .first()
      .focus();
    await keyboard.press('Enter');
    const chosen = (): Promise<string> => page.evaluate(() => document.activeElement?.textContent ?? '');
    await expect.poll(chosen).toBe('Rename');
    await keyboard.press('ArrowDown');
    await expect.poll(chosen).toBe('Pin');
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Pinned' }).waitFor();
    await keyboard.press('Alt+b');
    await expect.poll(() => page.getByRole('complementary').count()).toBe(0);
    expect(errors).toEqual([]);
  });
});

test.each(['light', 'dark'] as const)(
  'axe finds nothing, in the %s, on any screen, wide or narrow',
  async (colorScheme) => {
    await visitDouble(
      async (chat, { page }) => {
        const faults = async (): Promise<string[]> => {
          const found = await chat.accessibilityFaults();
          expect(await chat.overhang()).toBe(0);
          return found;
        };
        expect(await faults(), 'first visit').toEqual([]);
        await chat.button('Try at once').click();
        await page.getByRole('heading', { name: 'What is on your mind?' }).waitFor();
        expect(await faults(), 'new chat').toEqual([]);
        await chat.ask(
          script({
            say: '# T\n\n|a|b|\n|-|-|\n|c|d|\n\n```js\nconst x = "s"; // no\n```\n\n- x\n\n$x^2$ [l](https://a.b/)',
          }),
        );
        await chat.answered();
        await chat.lastAnswer.locator('.hljs-keyword').waitFor();
        expect(await faults(), 'answer').toEqual([]);
        await chat.ask(script({ say: '<think>hm</think>broken', fail: 'lost' }));
        await chat.lastAnswer.getByRole('heading', { name: 'The GPU went away' }).waitFor();
        expect(await faults(), 'failure').toEqual([]);
        await page.keyboard.press('ArrowUp');
        expect(await faults(), 'edit').toEqual([]);
        await page.keyboard.press('Escape');
        await page
          .getByRole('button', { name: /^More for/ })
          .first()
          .click();
        expect(await faults(), 'menu').toEqual([]);
        await page.keyboard.press('Escape');
        for (const name of ['Settings', 'Keyboard shortcuts']) {
          await chat.button(name).click();
          expect(await faults(), name).toEqual([]);
          await page.keyboard.press('Escape');
        }
        await page.getByText('on the processor').click();
        expect(await faults(), 'model').toEqual([]);
        await page.keyboard.press('Escape');

        await page.setViewportSize({ width: 360, height: 740 });
        expect(await faults(), 'phone').toEqual([]);
        await chat.button('Show conversations').click();
        expect(await faults(), 'drawer').toEqual([]);
      },
      { colorScheme, reducedMotion: 'reduce' },
    );
  },
);

/** What a finger would miss: lower or narrower than 44 pixels. Links within a text are as high as its lines. */
function tooSmall(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('button, summary, select, input, textarea, nav a, header a')]
      .filter((element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest('[inert]'))
      .filter((element) => Math.min(element.offsetWidth, element.offsetHeight) < 44)
      .map((element) => `${element.ariaLabel ?? element.innerText}: ${element.offsetWidth} x ${element.offsetHeight}`),
  );
}

test('on a phone the list is a drawer, and what is written stays in reach', async () => {
  await visitDouble(
    async (chat, { page, errors }) => {
      expect(await tooSmall(page)).toEqual([]);
      await chat.ask('Hello from the train');
      await chat.answered();
      await chat.ask(script({ say: 'words '.repeat(300), size: 60, every: 0 }));
      await chat.answered();
      const box = (await chat.message.boundingBox())!;
      expect(box.y + box.height).toBeLessThanOrEqual(740);
      expect(await chat.overhang()).toBe(0);
      expect(await tooSmall(page)).toEqual([]);
      await chat.button('New chat').click();
      expect(await tooSmall(page)).toEqual([]);
      await chat.button('Show conversations').click();
      expect(await tooSmall(page)).toEqual([]);
      await chat.conversations.getByText('Hello from the train').click();
      await chat.log.getByText('words words').first().waitFor();
      // The drawer is closed, and the page can be used again.
      await expect.poll(() => page.getByRole('complementary').count()).toBe(0);
      expect(await chat.message.isEnabled()).toBe(true);
      await chat.button('Show conversations').click();
      await page.keyboard.press('Escape');
      await expect.poll(() => page.getByRole('complementary').count()).toBe(0);
      expect(errors).toEqual([]);
    },
    { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true },
  );
});

test.each([
  ['de-CH', 'Nachricht', 'Sofort ausprobieren', 'de'],
  ['ja-JP', 'メッセージ', 'すぐに試す', 'ja'],
  ['pt-BR', 'Message', 'Try at once', 'en'],
])('a browser that reads %s is spoken to in it', async (locale, message, begin, code) => {
  await visitDouble(
    async (chat, { page }) => {
      await chat.button(begin).waitFor();
      await page.getByRole('textbox', { name: message, exact: true }).waitFor();
      expect(await page.locator('html').getAttribute('lang')).toBe(code);
    },
    { locale },
  );
});

test('the language can be chosen, and is remembered', async () => {
  await visitDouble(async (chat, { page, errors }) => {
    // What is prerendered does nothing yet.
    await chat.button('Try at once').waitFor();
    await chat.button('Settings').click();
    await page.getByLabel('Language').selectOption('fr');
    await page.getByRole('dialog', { name: 'Réglages' }).waitFor();
    await page.reload();
    await chat.button('Essayer tout de suite').waitFor();
    expect(errors).toEqual([]);
  });
});
