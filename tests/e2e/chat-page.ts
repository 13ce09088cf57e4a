/** The chat as a person meets it: by names and roles. */
import axe from 'axe-core';
import type { Locator, Page } from 'playwright';

export class ChatPage {
  readonly page: Page;
  readonly message: Locator;
  readonly log: Locator;

  constructor(page: Page) {
    this.page = page;
    this.message = page.getByRole('textbox', { name: 'Message', exact: true });
    this.log = page.getByRole('log');
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  async ask(question: string): Promise<void> {
    await this.message.fill(question);
    await this.message.press('Enter');
  }

  /** Until the last answer has its figures; its text. */
  async answered(): Promise<string> {
    await this.lastAnswer.getByText(/\d tokens?$/).waitFor();
    return this.lastAnswer.innerText();
  }

  /** Until the last answer has so many letters. */
  async hasBegun(letters = 40): Promise<void> {
    const words = this.lastAnswer.locator('.markdown');
    for (;;) {
      await words.waitFor();
      if ((await words.innerText()).length >= letters) return;
      await this.page.waitForTimeout(50);
    }
  }

  get lastAnswer(): Locator {
    return this.log.getByRole('article').last();
  }

  get conversations(): Locator {
    return this.page.getByRole('navigation', { name: 'Conversations' }).getByRole('link');
  }

  /** What axe finds against WCAG 2.2 AA, by rule and place; nothing where all is well. */
  async accessibilityFaults(): Promise<string[]> {
    // A page's policy does not let scripts in; the debugger's way is not the page's.
    await this.page.evaluate(axe.source);
    return this.page.evaluate(async () => {
      const { violations } = await (self as unknown as { axe: typeof axe }).axe.run(document, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      });
      return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
    });
  }

  /** Pixels that the page is wider than its window. */
  overhang(): Promise<number> {
    return this.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  }
}
