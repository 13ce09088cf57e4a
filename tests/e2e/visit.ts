/** A visit to the built app, with a real browser: what it shows, and everything that it should not do. */
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright';
import { afterAll } from 'vitest';
import { chromiumSwitches, findChromium, softwareGpuSwitches } from '../../scripts/environments.js';
import { serve } from '../../scripts/serve.js';

const BUILD = fileURLToPath(new URL('../../build', import.meta.url));

/** A software GPU takes its time to compile and test what a real one does at once. */
const PATIENCE = 150_000;

export interface Visit {
  readonly page: Page;
  /** The address that the app lies under, without a slash at its end. */
  readonly home: string;
  /** What went wrong unseen: errors in the console, among them breaches of the content security policy. */
  readonly errors: readonly string[];
  /** Addresses that were asked for anywhere but at our own server. */
  readonly strangers: readonly string[];
}

export interface VisitOptions {
  /** Serve it as a host does that cannot send headers. */
  readonly plain?: boolean;
  /** Give the browser its software GPU. Default true. */
  readonly gpu?: boolean;
  /** The page's path in the app, `/` unless told otherwise. */
  readonly path?: string;
  /** What the address asks of the page. */
  readonly search?: string;
  /** The path that the app lies under. */
  readonly base?: string;
  /** How the browser shows pages: its size, language, colours. */
  readonly browsing?: BrowserContextOptions;
  /** What the browser is told before it opens anything. */
  readonly prepare?: (context: BrowserContext) => Promise<void>;
  /** The name in the address; any name leads to this machine. Default localhost, which browsers trust without TLS. */
  readonly host?: string;
}

/** Serves the app, opens it, hands it to `look`, and closes all again. */
export async function visit(options: VisitOptions, look: (visit: Visit) => Promise<void>): Promise<void> {
  const { plain = false, gpu = true, path = '/', search = '', base = '', host = 'localhost', browsing = {} } = options;
  const server = await serve({ folder: BUILD, port: 0, host: '127.0.0.1', base, isolate: !plain });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  let context: BrowserContext | undefined;
  try {
    const browser = await openBrowser(gpu, host);
    context = await browser.newContext(browsing);
    await options.prepare?.(context);
    const page = await context.newPage();
    page.setDefaultTimeout(gpu ? PATIENCE : 40_000);
    const origin = `http://${host}:${port}`;
    const errors: string[] = [];
    const strangers: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    page.on('pageerror', (error) => errors.push(error.message));
    // Those of workers and of the service worker too.
    context.on('request', (request) => {
      // What a page makes for itself has its origin in the address too.
      if (
        !request
          .url()
          .replace(/^blob:/, '')
          .startsWith(`${origin}/`)
      )
        strangers.push(request.url());
    });
    await page.goto(`${origin}${base}${path}${search}`);
    await look({ page, home: `${origin}${base}`, errors, strangers });
  } finally {
    await context?.close();
    server.closeAllConnections();
    server.close();
  }
}

/** By their switches: a browser takes longer to start than most visits last. What a visit leaves goes with its context. */
const browsers = new Map<string, Promise<Browser>>();

// A bench makes visits too, and closes by itself.
if (process.env['VITEST']) afterAll(closeBrowsers);

export async function closeBrowsers(): Promise<void> {
  for (const browser of browsers.values()) await (await browser).close();
  browsers.clear();
}

function openBrowser(gpu: boolean, host: string): Promise<Browser> {
  const executablePath = findChromium();
  if (!executablePath) throw new Error('no browser; this project should not run');
  const rules = host === 'localhost' ? [] : [`--host-resolver-rules=MAP ${host} 127.0.0.1`];
  const args = [...chromiumSwitches, ...(gpu ? softwareGpuSwitches : []), ...rules];
  const key = args.join(' ');
  const browser = browsers.get(key) ?? chromium.launch({ executablePath, args });
  browsers.set(key, browser);
  return browser;
}
