/**
 * The service worker's door to the engine: a page that has a model open answers `./v1/...` for all pages of the app. The
 * worker keeps nothing about pages, since it may be ended between two requests: it asks them each time.
 */
import {
  type EngineFound,
  FIND_ENGINE,
  type PassedHead,
  type PassedPiece,
  type PassedRequest,
  type PassedWish,
} from './messages';

/** Milliseconds for a page to say whether it has a model: one that sleeps is not waited for. */
const PATIENCE = 1000;
/** Milliseconds between two looks at whether the page that answers is still there: ports do not tell everywhere. */
const LOOK_EVERY = 2000;

/** As much of the worker's `clients` as this needs. */
export interface Pages {
  matchAll(options: { type: 'window'; includeUncontrolled: true }): Promise<readonly Page[]>;
  /** Undefined: it was closed. */
  get(id: string): Promise<Page | undefined>;
}

interface Page {
  readonly id: string;
  postMessage(message: unknown, transfer: Transferable[]): void;
}

/** The header of requests that are meant for the host of the app, which may be a server of models itself. */
const FOR_HOST = 'x-fireside-host';

/**
 * The answer of a page with a model; else the host's, where it is a server of models (`fireside serve`); else 503, in
 * OpenAI's shape.
 *
 * @param keepAlive until the body was read, or nobody reads it any more
 */
export async function answerApi(
  request: Request,
  pages: Pages,
  keepAlive: (until: Promise<void>) => void,
): Promise<Response> {
  if (request.headers.has(FOR_HOST)) return fetch(request);
  const found = await findEngine(await pages.matchAll({ type: 'window', includeUncontrolled: true }));
  if (found) return passOn(request, { ...found, pages }, keepAlive);
  const host = await fetch(request).catch(() => undefined);
  const type = host?.headers.get('content-type') ?? '';
  return host && /^(?:application\/json|text\/event-stream)/.test(type) ? host : nobody();
}

interface Found {
  readonly page: Page;
  readonly port: MessagePort;
}

/** The first page that has a model, and the port to it. */
function findEngine(pages: readonly Page[]): Promise<Found | undefined> {
  return new Promise((found) => {
    let asked = pages.length;
    const none = (): void => void ((asked -= 1) <= 0 && found(undefined));
    if (asked === 0) none();
    const late = setTimeout(() => found(undefined), PATIENCE);
    for (const page of pages) {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = ({ data }: MessageEvent<EngineFound>) => {
        if (!data.has) return none();
        clearTimeout(late);
        found({ page, port: port1 });
      };
      page.postMessage(FIND_ENGINE, [port2]);
    }
  });
}

async function passOn(
  request: Request,
  { page, port, pages }: Found & { readonly pages: Pages },
  keepAlive: (until: Promise<void>) => void,
): Promise<Response> {
  const { url, method } = request;
  const body = method === 'GET' || method === 'HEAD' ? null : await request.arrayBuffer();
  const asked: PassedRequest = { url, method, headers: [...request.headers], body };
  const wish = (what: PassedWish): void => port.postMessage(what);
  const leave = (): void => {
    wish('enough');
    port.close();
  };
  request.signal.addEventListener('abort', leave, { once: true });
  const next = <T>(): Promise<T> => nextOf<T>(port, async () => (await pages.get(page.id)) === undefined);
  const head = next<PassedHead>();
  port.postMessage(asked, body ? [body] : []);
  const answered = await head.catch(() => undefined);
  if (!answered) return nobody();
  const { status, headers } = answered;
  let over = (): void => {};
  keepAlive(new Promise((done) => (over = done)));
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const answer = next<PassedPiece>();
      wish('more');
      const told = await answer.catch((error: Error) => ({ broken: error.message }));
      if ('piece' in told) return controller.enqueue(told.piece);
      if ('end' in told) controller.close();
      else controller.error(new TypeError(told.broken));
      port.close();
      over();
    },
    cancel() {
      leave();
      over();
    },
  });
  return new Response(stream, { status, headers: headers.map(([name, value]): [string, string] => [name, value]) });
}

/** The page's next word. Rejects where the page was closed meanwhile. */
function nextOf<T>(port: MessagePort, isGone: () => Promise<boolean>): Promise<T> {
  return new Promise((said, failed) => {
    const look = setInterval(() => {
      void isGone().then((gone) => {
        if (!gone) return;
        clearInterval(look);
        failed(new TypeError('The page that answered was closed.'));
      });
    }, LOOK_EVERY);
    port.onmessage = ({ data }: MessageEvent<T>) => {
      clearInterval(look);
      said(data);
    };
  });
}

function nobody(): Response {
  const message =
    'No page of Fireside has a model open. Open the chat in a tab of this browser, let it open one, and ask again.';
  const error = { message, type: 'server_error', param: null, code: 'no_engine' };
  return Response.json({ error }, { status: 503, headers: { 'Retry-After': '5' } });
}
