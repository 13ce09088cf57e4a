/** What holds of every page, whichever there are: its policy, its requests, and that everybody can use it. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright';
import { expect, test } from 'vitest';
import { ChatPage } from './chat-page';
import { visit } from './visit';

const BUILD = fileURLToPath(new URL('../../build', import.meta.url));
const files = readdirSync(BUILD, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.html'));
/** `/`, `/bench`, ... as a server knows them. */
const paths = files.map((file) => `/${file.replace(/(index)?\.html$/, '')}`).sort();

/** The policy that a page carries, by directive. */
function policyOf(file: string): ReadonlyMap<string, readonly string[]> {
  const html = readFileSync(join(BUILD, file), 'utf8');
  const [, text = ''] = /<meta http-equiv="content-security-policy" content="([^"]*)"/.exec(html) ?? [];
  return new Map(
    text
      .split(';')
      .map((part) => part.trim().split(/\s+/))
      .map(([name = '', ...values]) => [name, values]),
  );
}

test('there are pages, each prerendered', () => {
  expect(paths).toEqual(expect.arrayContaining(['/', '/bench', '/device', '/models']));
});

test.each(files)('%s carries a strict policy, above everything that it loads', (file) => {
  const policy = policyOf(file);
  const scripts = policy.get('script-src') ?? [];
  expect(scripts).toEqual(expect.arrayContaining(["'self'", "'wasm-unsafe-eval'"]));
  // Each other source is the hash of a script in the page.
  const others = scripts.filter((source) => source !== "'self'" && source !== "'wasm-unsafe-eval'");
  expect(others.every((source) => /^'sha256-[\w+/=]+'$/.test(source))).toBe(true);
  expect(policy.get('default-src')).toEqual(["'self'"]);
  expect(policy.get('style-src')).toEqual(["'self'"]);
  expect(policy.get('object-src')).toEqual(["'none'"]);
  expect(policy.get('base-uri')).toEqual(["'none'"]);
  const html = readFileSync(join(BUILD, file), 'utf8');
  const at = html.indexOf('content-security-policy');
  expect(html.slice(0, at)).not.toMatch(/<(script|style|img)\b|rel="(stylesheet|preload|modulepreload)"/);
  expect(at).toBeGreaterThan(0);
  expect(html).not.toMatch(/\son[a-z]+="/);
});

/** Whatever lies in somebody else's page: it is small, and has nothing to skip. */
const FRAMED = '/frame';

/** Tab by tab from the top, until it goes round; what has no name or does not show that it has the focus is a fault. */
async function keyboardFaults(page: Page, skips: boolean): Promise<string[]> {
  await page.evaluate(() => {
    (document.activeElement as HTMLElement | null)?.blur();
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute('tabindex');
  });
  const faults: string[] = [];
  const seen: string[] = [];
  for (let steps = 0; steps < 120; steps++) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      let element = document.activeElement as HTMLElement | null;
      while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement as HTMLElement;
      if (!element || element === document.body) return undefined;
      // What is in a frame is a page of its own, and among these.
      if (element instanceof HTMLIFrameElement) return { name: element.title, shown: true };
      element.dataset['reached'] = 'yes';
      const ring = getComputedStyle(element).outlineStyle !== 'none';
      // A field may show it by the frame around it.
      const frame = element.closest('form') ?? element;
      const focused = getComputedStyle(frame).borderColor;
      element.blur();
      const plain = getComputedStyle(frame).borderColor;
      element.focus();
      return {
        name: element.textContent?.trim() || element.getAttribute('aria-label') || element.id || element.tagName,
        shown: ring || focused !== plain,
      };
    });
    if (!at) break;
    seen.push(at.name);
    if (!at.shown) faults.push(`«${at.name}» does not show its focus`);
  }
  if (skips && !seen[0]?.startsWith('Skip'))
    faults.push(`the first stop is «${seen[0]}», and not the way to the content`);
  const missed = await page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('a[href], button, input, select, textarea, summary')]
      .filter((element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest('[inert]'))
      .filter((element) => !(element as HTMLButtonElement).disabled && element.dataset['reached'] === undefined)
      .filter((element) => !(element instanceof HTMLInputElement && element.type === 'radio'))
      .map((element) => element.textContent?.trim() || element.getAttribute('aria-label') || element.tagName),
  );
  return [...faults, ...missed.map((name) => `«${name}» cannot be reached`)];
}

test.each([
  {
    where: 'in the light, on a wide screen, at the root of a host that isolates',
    options: { browsing: { colorScheme: 'light', reducedMotion: 'reduce', viewport: { width: 1200, height: 800 } } },
  },
  {
    where: 'in the dark, on a phone, under a path of a host that sends no headers',
    options: {
      browsing: { colorScheme: 'dark', reducedMotion: 'reduce', viewport: { width: 360, height: 740 } },
      plain: true,
      base: '/some/where',
    },
  },
] as const)(
  'every page, $where: nothing is refused, nobody else is asked, and everybody can use it',
  async ({ options }) => {
    await visit({ ...options, gpu: false }, async ({ page, home, errors, strangers }) => {
      const chat = new ChatPage(page);
      for (const path of paths) {
        await page.goto(`${home}${path}`);
        await page.getByRole('heading', { level: 1 }).waitFor({ state: 'attached' });
        await page.waitForLoadState('networkidle');
        expect(await chat.accessibilityFaults(), path).toEqual([]);
        expect(await chat.overhang(), path).toBeLessThanOrEqual(0);
        expect(await keyboardFaults(page, path !== FRAMED), path).toEqual([]);
        expect(errors, path).toEqual([]);
        expect(strangers, path).toEqual([]);
      }
    });
  },
);
