/** What becomes of what a model says: Markdown, thoughts, code, formulas, hostile text; and errors in the middle of it. */
import { expect, test } from 'vitest';
import { HOSTILE } from '../support/hostile-markdown';
import { script } from './engine-double';
import { visitDouble } from './visit-double';

const RICH = `# Title

| a | b |
| - | -: |
| one | 2 |

- [x] done
- list with code:
  \`\`\`js
  const inner = 1;
  \`\`\`

\`\`\`python
def f(x):
    return "x"
\`\`\`

Inline $e^{i\\pi} + 1 = 0$, money $5 and $10, and

$$\\int_0^1 x\\,dx = \\tfrac12$$

[a link](https://example.com/), ![a picture](https://example.com/x.png), ~~gone~~ <kbd>K</kbd>.

שלום עולם`;

test('Markdown comes alive: tables, code with colours and a button, formulas, links that leak nothing', async () => {
  await visitDouble(async (chat, { page, errors, strangers }) => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await chat.ask(script({ say: RICH, size: 7, every: 1 }));
    await chat.answered();
    const answer = chat.lastAnswer;
    expect(await answer.getByRole('cell', { name: '2' }).count()).toBe(1);
    await answer.locator('.hljs-keyword').first().waitFor();
    await answer.locator('.katex-display').waitFor();
    expect(await answer.locator('.katex').count()).toBe(2);
    expect(await answer.innerText()).toContain('money $5 and $10');
    expect(await answer.locator('figure').count()).toBe(2);
    await answer.getByRole('button', { name: 'Copy code' }).last().click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('def f(x):\n    return "x"');
    const link = answer.getByRole('link', { name: 'a link' });
    expect(await link.getAttribute('rel')).toContain('noopener');
    // Pictures are not fetched: what is asked for tells who asks.
    expect(await answer.locator('img').count()).toBe(0);
    const hebrew = answer.locator('.block').last();
    expect(await hebrew.evaluate((element) => getComputedStyle(element).direction)).toBe('rtl');
    expect(errors).toEqual([]);
    expect(strangers).toEqual([]);
  });
});

test('thoughts are folded, with their time, and are not read out or told again', async () => {
  await visitDouble(async (chat, { page, errors }) => {
    await chat.ask(script({ say: '<think>Let me see. **Hm.**</think>\n\nIt is Paris.', size: 3, every: 5 }));
    await chat.answered();
    const fold = chat.lastAnswer.getByText(/^Thought for /);
    await fold.waitFor();
    expect(await chat.lastAnswer.getByText('Let me see.').isVisible()).toBe(false);
    expect(await page.locator('[data-announcement]').innerText()).toBe('It is Paris.');
    await fold.click();
    await chat.lastAnswer.getByText('Let me see.').waitFor();
    expect(errors).toEqual([]);
  });
});

test('hostile text runs nothing, loads nothing, and goes nowhere, while it comes and when it is there', async () => {
  await visitDouble(async (chat, { page, errors, strangers }) => {
    const run: string[] = [];
    await page.exposeFunction('pwned', (what: string) => run.push(what));
    const all = HOSTILE.join('\n\n');
    for (const say of [all, `<think>${all}</think>${all}`]) {
      await chat.ask(script({ say, size: 5, every: 0 }));
      await chat.answered();
    }
    await chat.lastAnswer.getByText(/^Thought/).click();
    const found = await chat.log.evaluate((log) => ({
      elements: [...log.querySelectorAll('script, iframe, object, embed, img, video, audio, form, svg use, base, meta')]
        .map(({ outerHTML }) => outerHTML)
        .filter((html) => !html.startsWith('<svg')),
      handlers: [...log.querySelectorAll('*')].flatMap(({ attributes }) =>
        [...attributes]
          .filter(({ name, value }) => name.startsWith('on') || (name === 'style' && /url|expression|@/.test(value)))
          .map(({ name, value }) => `${name}=${value}`),
      ),
      addresses: [...log.querySelectorAll('a')].map(({ protocol }) => protocol),
    }));
    expect(found.elements).toEqual([]);
    expect(found.handlers).toEqual([]);
    expect(new Set(found.addresses)).toEqual(new Set(['https:']));
    expect(run).toEqual([]);
    expect(errors).toEqual([]);
    expect(strangers).toEqual([]);
  });
});

test('an engine that is lost or dies comes back by itself, and the answer goes on where it was', async () => {
  await visitDouble(async (chat, { page }) => {
    const say = 'one two three four five six seven';
    for (const fail of ['lost', 'crash'] as const) {
      // It is said whole and then breaks; what goes on after it is nothing more.
      await chat.ask(script({ say, size: 4, every: 1, fail }));
      const heading = fail === 'lost' ? 'The GPU went away' : 'The engine broke down';
      await chat.lastAnswer.getByRole('heading', { name: heading }).waitFor();
      expect(await chat.lastAnswer.innerText()).toContain(say);
      await page.getByText('on the processor').waitFor();
      await chat.button('Continue').click();
      await chat.answered();
      expect(await chat.lastAnswer.getByRole('heading', { name: heading }).count()).toBe(0);
      expect(await chat.lastAnswer.innerText()).toContain(say);
    }
    // Who wants it run elsewhere in the middle of an answer ends that, as by stopping it.
    await chat.ask(script({ say: 'on and on ', times: 2000, every: 10 }));
    await chat.hasBegun();
    await page.getByText('on the processor').click();
    await page.getByRole('radio', { name: 'GPU' }).click();
    expect(await chat.answered()).toContain('stopped by you');
    await chat.button('Continue').waitFor();
  });
});

test('the page stays at its end for who is there, and leaves alone who scrolled up', async () => {
  await visitDouble(async (chat, { page }) => {
    const left = (): Promise<number> =>
      page.evaluate(() => document.documentElement.scrollHeight - innerHeight - document.documentElement.scrollTop);
    await chat.ask(script({ say: 'a line\n\n', times: 120, size: 8, every: 10 }));
    await expect.poll(() => page.evaluate(() => document.documentElement.scrollTop)).toBeGreaterThan(200);
    expect(await left()).toBeLessThan(60);
    await page.mouse.wheel(0, -120);
    await chat.button('To the newest message').waitFor();
    const at = await page.evaluate(() => document.documentElement.scrollTop);
    await page.waitForTimeout(400);
    expect(await page.evaluate(() => document.documentElement.scrollTop)).toBe(at);
    await chat.button('To the newest message').click();
    await chat.answered();
    expect(await left()).toBeLessThan(2);
    // What takes the focus comes out from under the head.
    const copy = chat.log.getByRole('button', { name: 'Copy message' }).first();
    await copy.evaluate((button) => scrollBy({ top: button.getBoundingClientRect().y - 8, behavior: 'instant' }));
    await copy.focus();
    expect((await copy.boundingBox())!.y).toBeGreaterThan(56);
  });
});

test('who hears the page hears that it responds, and then the answer, once', async () => {
  await visitDouble(async (chat, { page }) => {
    await page.evaluate(() => {
      const heard: string[] = [];
      Object.assign(self, { heard });
      new MutationObserver(() => {
        const text = document.querySelector('[data-announcement]')?.textContent ?? '';
        if (text !== '' && text !== heard.at(-1)) heard.push(text);
      }).observe(document.body, { subtree: true, childList: true, characterData: true });
    });
    await chat.ask(script({ say: 'A short answer.', size: 2, every: 10 }));
    await chat.answered();
    const heard = await page.evaluate(() => (self as unknown as { heard: string[] }).heard);
    expect(heard).toEqual(['Responding', 'A short answer.']);
    expect(await chat.log.getAttribute('aria-live')).toBe('off');
  });
});
