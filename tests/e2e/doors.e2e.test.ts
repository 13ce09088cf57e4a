/** The service worker's door: clients that nobody here wrote ask `./v1`, and a tab of the app answers. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright';
import { chromium } from 'playwright';
import { expect, test } from 'vitest';
import { chromiumSwitches, findChromium } from '../../scripts/environments.js';
import { serve } from '../../scripts/serve.js';
import { bundleClients } from '../support/clients/bundle';
import { CASES, type Door } from '../support/clients/suite';
import { missingPackage } from '../support/oracles';
import { BUILD, workerNamed } from './built';
import { ChatPage } from './chat-page';
import { doubleSource, script } from './engine-double';

/** The app with a double for its engine, which the service worker keeps as it would the real one. */
function appWithDouble(): string {
  const folder = mkdtempSync(join(tmpdir(), 'fireside-doors-'));
  cpSync(BUILD, folder, { recursive: true, filter: (path) => !/\.(?:wasm|gguf)$/.test(path) });
  writeFileSync(join(folder, workerNamed('fireside')), doubleSource());
  return folder;
}

/** Until the service worker answers for the page. */
async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const container = navigator.serviceWorker;
    await container.ready;
    if (!container.controller)
      await new Promise((done) => container.addEventListener('controllerchange', done, { once: true }));
  });
}

type PageDoor = Pick<Door, 'baseURL' | 'model'>;

interface Told {
  readonly status: number;
  readonly body: { readonly error?: { readonly code: string; readonly message: string }; readonly data?: object[] };
}

/** A request as any page of the app would make it. */
function ask(page: Page, path: string, body?: object): Promise<Told> {
  return page.evaluate(
    async ({ path: to, body: sent }) => {
      const headers = { 'Content-Type': 'application/json' };
      const init = sent ? { method: 'POST', headers, body: JSON.stringify(sent) } : {};
      const response = await fetch(to, init);
      return { status: response.status, body: (await response.json()) as Told['body'] };
    },
    { path, body },
  );
}

test('three clients in one tab are answered by the engine of another, offline too; without one, 503 in OpenAI’s shape', async (context) => {
  const missing = missingPackage('openai');
  if (missing) return context.skip(missing);
  const clients = await bundleClients();
  const folder = appWithDouble();
  const base = '/some/where';
  const server = await serve({ folder, port: 0, host: '127.0.0.1', base });
  const address = server.address();
  const app = `http://localhost:${typeof address === 'object' ? address?.port : ''}${base}`;
  const browser = await chromium.launch({ executablePath: findChromium()!, args: chromiumSwitches });
  try {
    const tabs = await browser.newContext();
    const asking = await tabs.newPage();
    await asking.goto(`${app}/models`);
    await settled(asking);
    const list = './v1/models';
    // The page's own host is no server of models, and no tab has an engine.
    expect(await ask(asking, list)).toMatchObject({ status: 503, body: { error: { code: 'no_engine' } } });

    const answering = await tabs.newPage();
    await answering.goto(`${app}/`);
    const chat = new ChatPage(answering);
    await chat.button('Try at once').click();
    await answering.getByText('on the processor').waitFor();
    expect(await ask(asking, list)).toMatchObject({ status: 200, body: { data: [{ id: 'Double' }] } });

    await asking.evaluate(clients);
    const door: PageDoor = { baseURL: `${app}/v1`, model: 'Double' };
    const told = await asking.evaluate(
      (to) => (globalThis as unknown as { runClients(door: PageDoor): Promise<object> }).runClients(to),
      door,
    );
    expect(told).toEqual(Object.fromEntries(Object.keys(CASES).map((name) => [name, ''])));

    // The person's own question and a client's wait for each other, and both are answered.
    const words = script({ say: 'word ', times: 60, size: 5, every: 10 });
    await chat.ask(words);
    await chat.lastAnswer.getByText('word').waitFor();
    const asked = { model: 'Double', messages: [{ role: 'user', content: 'Hello' }] };
    expect((await ask(asking, './v1/chat/completions', asked)).status).toBe(200);
    expect(await chat.answered()).toContain('60 tokens');

    server.closeAllConnections();
    server.close();
    expect((await ask(asking, './v1/chat/completions', asked)).status).toBe(200);
    await answering.close();
    const gone = await ask(asking, './v1/chat/completions', asked);
    expect(gone).toMatchObject({ status: 503, body: { error: { type: 'server_error', code: 'no_engine' } } });
    expect(gone.body.error!.message).toContain('Open the chat');
  } finally {
    await browser.close();
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
