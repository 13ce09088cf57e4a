/** Somebody else's site, with the widget in it: pages at an origin of their own, beside the app's. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type FrameLocator,
  type Page,
} from 'playwright';
import { chromiumSwitches, findChromium } from '../../../scripts/environments.js';
import { serve } from '../../../scripts/serve.js';
import { useDouble } from '../engine-double';

const BUILD = fileURLToPath(new URL('../../../build', import.meta.url));

export interface SiteFile {
  readonly body: string | Buffer;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Files by path. `app`: the address of the app, with a slash at its end. `site`: the origin of these files. */
export type SiteFiles = (addresses: {
  readonly app: string;
  readonly site: string;
}) => Readonly<Record<string, SiteFile>>;

export interface SiteVisit {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly app: string;
  readonly site: string;
  /** Errors in the console, among them breaches of a policy. */
  readonly errors: string[];
  /** Every address that was asked for. */
  readonly asked: string[];
}

export interface SiteOptions {
  readonly files: SiteFiles;
  readonly browsing?: BrowserContextOptions;
  /** `denied`: frames of other sites may keep nothing. */
  readonly storage?: 'denied';
  /** The browser has been told that the app's frames may use what the app keeps as a site of its own, in these sites. */
  readonly access?: (site: string) => readonly string[];
  /** The engine itself, instead of its double. */
  readonly engine?: boolean;
}

/** A page with a policy that lets the widget in and nothing else, not even styles of its own. */
export function strictPage(app: string, body: string, more = ''): SiteFile {
  return {
    body: `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A shop</title><meta name="viewport" content="width=device-width">
<script src="${app}widget.js" type="module"></script>${more}</head><body><main><h1>A shop</h1><p>Tea.</p><a href="#">Buy</a></main>${body}</body></html>`,
    headers: {
      'Content-Security-Policy': `default-src 'none'; script-src 'self' ${new URL(app).origin}; style-src 'self'; frame-src ${new URL(app).origin}; require-trusted-types-for 'script'; trusted-types 'none'`,
    },
  };
}

export async function visitSite(options: SiteOptions, look: (visit: SiteVisit) => Promise<void>): Promise<void> {
  const appServer = await serve({ folder: BUILD, port: 0, host: '127.0.0.1' });
  // Another site, as browsers see it: names differ, not only ports.
  const app = `http://localhost:${portOf(appServer)}/`;
  const site = await serveFiles((origin) => options.files({ app, site: origin }));
  let browser: Browser | undefined;
  let alone: BrowserContext | undefined;
  let profile: string | undefined;
  try {
    const executablePath = findChromium();
    if (!executablePath) throw new Error('no browser; this project should not run');
    // Playwright switches off that browsers keep each site's frames apart; here it is on, as people have it. Where it is
    // off, frames of other sites may keep nothing at all.
    const apart = options.storage === 'denied' ? [] : ['--disable-features=Translate'];
    const launch = { executablePath, args: [...chromiumSwitches, ...apart] };
    const browsing: BrowserContextOptions = { serviceWorkers: 'block', ...options.browsing };
    let context: BrowserContext;
    if (options.access) {
      const sites = options.access(site.origin);
      profile = await profileWithAccess(new URL(app).origin, sites);
      alone = context = await chromium.launchPersistentContext(profile, { ...launch, ...browsing });
    } else {
      browser = await chromium.launch(launch);
      context = await browser.newContext(browsing);
    }
    if (!options.engine) await useDouble(context);
    const page = await context.newPage();
    page.setDefaultTimeout(options.engine ? 60_000 : 15_000);
    const errors: string[] = [];
    const asked: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    page.on('pageerror', (error) => errors.push(error.stack ?? error.message));
    page.on('request', (request) => asked.push(request.url()));
    await page.goto(`${site.origin}/`);
    await look({ page, context, app, site: site.origin, errors, asked });
  } finally {
    await browser?.close();
    await alone?.close();
    if (profile !== undefined) await rm(profile, { recursive: true, force: true });
    for (const server of [appServer, site.server]) {
      server.closeAllConnections();
      server.close();
    }
  }
}

/**
 * A person's profile in which that has been allowed. By the protocol of the browser's tools it can only be said to the
 * page: the browser itself then takes the page's request for a forgery, and ends it.
 */
async function profileWithAccess(app: string, sites: readonly string[]): Promise<string> {
  const profile = await mkdtemp(join(tmpdir(), 'fireside-profile-'));
  // Sites have no ports.
  const allowed = sites.map((site) => [[app, site].map(withoutPort).join(','), { setting: 1 }] as const);
  const preferences = {
    profile: { content_settings: { exceptions: { storage_access: Object.fromEntries(allowed) } } },
  };
  await mkdir(join(profile, 'Default'));
  await writeFile(join(profile, 'Default', 'Preferences'), JSON.stringify(preferences));
  return profile;
}

function withoutPort(origin: string): string {
  const { protocol, hostname } = new URL(origin);
  return `${protocol}//${hostname}`;
}

export async function serveFiles(
  files: (origin: string) => Readonly<Record<string, SiteFile>>,
): Promise<{ readonly server: Server; readonly origin: string }> {
  let known: Readonly<Record<string, SiteFile>> = {};
  const server = createServer((request, response) => {
    const file = known[new URL(request.url ?? '/', 'http://x').pathname];
    if (!file) return void response.writeHead(request.url === '/favicon.ico' ? 204 : 404).end();
    response
      .writeHead(200, { 'Content-Type': file.type ?? 'text/html; charset=utf-8', ...file.headers })
      .end(file.body);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const origin = `http://127.0.0.1:${portOf(server)}`;
  known = files(origin);
  return { server, origin };
}

function portOf(server: Server): number {
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('the server does not listen');
  return address.port;
}

/** What stands in a widget's frame. */
export function inside(page: Page, nth = 0): FrameLocator {
  return page.locator('fireside-chat').nth(nth).locator('iframe').contentFrame();
}

/** The last answer, once it is whole: it has its buttons then. */
export async function answerIn(frame: FrameLocator): Promise<string> {
  const last = frame.getByRole('article').last();
  await last.locator('[data-copy]').waitFor();
  return last.innerText();
}
