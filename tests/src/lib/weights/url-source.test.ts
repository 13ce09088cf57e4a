/** A server on this machine, which answers well or in the ways that servers out there answer. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openUrl, readGguf, SourceError } from '$lib/weights';
import { counting, sampleGguf } from './files';

const file = counting(5000);
let server: Server;
let origin: string;
/** Ranges asked for. */
let asked: string[] = [];
/** What `/changing` has as its version. */
let version = '"one"';
/** Connections that were closed before the answer was whole. */
let brokenOff = 0;

beforeAll(async () => {
  server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked = [];
  version = '"one"';
  brokenOff = 0;
});

/** How a path answers: the headers and the body for the range `first` to `last`. */
type Behaviour = (response: ServerResponse, first: number, last: number) => void;

function send(response: ServerResponse, first: number, last: number, headers: Record<string, string> = {}): void {
  response.writeHead(206, { 'Content-Range': `bytes ${first}-${last}/${file.length}`, ETag: '"v"', ...headers });
  response.end(file.subarray(first, last + 1));
}

const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  '/good': (response, first, last) => send(response, first, last),
  '/gguf': (response, first, last) => {
    const bytes = sampleGguf();
    const end = Math.min(last, bytes.length - 1);
    response.writeHead(206, { 'Content-Range': `bytes ${first}-${end}/${bytes.length}` });
    response.end(bytes.subarray(first, end + 1));
  },
  '/changing': (response, first, last) => send(response, first, last, { ETag: version }),
  '/dated': (response, first, last) => {
    response.writeHead(206, { 'Content-Range': `bytes ${first}-${last}/5000`, 'Last-Modified': version });
    response.end(file.subarray(first, last + 1));
  },
  '/growing': (response, first, last) => {
    const total = asked.length > 1 ? 6000 : 5000;
    send(response, first, last, { 'Content-Range': `bytes ${first}-${last}/${total}` });
  },
  '/whole': (response) => {
    response.writeHead(200, { 'Content-Length': String(2 ** 40) });
    response.on('close', () => (brokenOff += 1));
    const more = (): void => {
      while (response.writable && response.write(new Uint8Array(65536)));
    };
    response.on('drain', more);
    more();
  },
  '/shifted': (response, first, last) => send(response, first, last, { 'Content-Range': `bytes 1-${last + 1}/5000` }),
  '/vague': (response, first, last) => send(response, first, last, { 'Content-Range': `bytes ${first}-${last}/*` }),
  '/silent': (response, first, last) => {
    response.writeHead(206, {});
    response.end(file.subarray(first, last + 1));
  },
  '/short': (response, first, last) => {
    response.writeHead(206, { 'Content-Range': `bytes ${first}-${last}/5000`, 'Transfer-Encoding': 'chunked' });
    response.end(file.subarray(first, last));
  },
  '/long': (response, first, last) => {
    response.writeHead(206, { 'Content-Range': `bytes ${first}-${last}/5000`, 'Transfer-Encoding': 'chunked' });
    response.end(file.subarray(first, last + 2));
  },
  '/breaking': (response, first, last) => {
    response.writeHead(206, {
      'Content-Range': `bytes ${first}-${last}/5000`,
      'Content-Length': String(last - first + 1),
    });
    response.write(file.subarray(first, first + 10), () => response.destroy());
  },
  '/stalling': (response, first, last) => {
    if (asked.length === 1) return send(response, first, last);
    response.writeHead(206, { 'Content-Range': `bytes ${first}-${last}/5000`, ETag: '"v"' });
    response.on('close', () => (brokenOff += 1));
    response.write(file.subarray(first, first + 10));
  },
  '/forbidden': (response) => void response.writeHead(403).end('no'),
  '/busy': (response) => void response.writeHead(503).end('later'),
  '/empty': (response) => void response.writeHead(416, { 'Content-Range': 'bytes */0' }).end(),
};

function answer(request: IncomingMessage, response: ServerResponse): void {
  const range = request.headers.range ?? '';
  asked.push(range);
  const [first = 0, last = 0] = /(\d+)-(\d+)/.exec(range)?.slice(1).map(Number) ?? [];
  const behaviour = BEHAVIOURS[request.url ?? ''];
  if (behaviour) behaviour(response, first, Math.min(last, file.length - 1));
  else response.writeHead(404).end();
}

const open = (path: string) => openUrl(`${origin}${path}`, { prefixBytes: 100 });

describe('openUrl', () => {
  it('asks for the beginning, learns the size, and asks for no byte twice that it has', async () => {
    const source = await open('/good');
    expect(source.size).toBe(5000);
    expect(await source.read(20, 80)).toEqual(file.subarray(20, 100));
    expect(asked).toEqual(['bytes=0-99']);
    expect(await source.read(4000, 1000)).toEqual(file.subarray(4000));
    expect(asked).toEqual(['bytes=0-99', 'bytes=4000-4999']);
  });

  it('is content with a file that is smaller than its first request', async () => {
    const source = await openUrl(`${origin}/good`);
    expect(await source.read(0, 5000)).toEqual(file);
    expect(asked).toEqual(['bytes=0-262143']);
  });

  it('serves the readers of headers', async () => {
    const { metadata } = await readGguf(await open('/gguf'));
    expect(metadata.string('general.architecture')).toBe('llama');
  });

  it('sends headers along', async () => {
    const seen: string[] = [];
    const spy: typeof fetch = (input, init) => {
      seen.push(new Headers(init?.headers).get('authorization') ?? '');
      return fetch(input, init);
    };
    const source = await openUrl(`${origin}/good`, {
      fetch: spy,
      headers: { Authorization: 'Bearer x' },
      prefixBytes: 10,
    });
    await source.read(10, 10);
    expect(seen).toEqual(['Bearer x', 'Bearer x']);
  });

  it.each([
    ['/whole', 'no-range', 'Download the file and open it from your disk'],
    ['/vague', 'wrong-range', 'Content-Range «bytes 0-99/*»'],
    ['/silent', 'wrong-range', 'must expose the header Content-Range'],
    ['/shifted', 'wrong-range', 'bytes 0-99 were asked for, but the server sent 1-100/5000'],
    ['/short', 'short', '99 bytes came where 100 were promised'],
    ['/long', 'wrong-range', 'more than the 100 bytes asked for came'],
    ['/breaking', 'network', 'the connection broke'],
    ['/empty', 'changed', 'empty, or shorter than it was'],
    ['/forbidden', 'http', 'status 403: access is refused'],
    ['/nothing', 'http', 'status 404: there is no such file'],
    ['/busy', 'http', 'status 503.'],
  ])('refuses the server at %s: %s', async (path, problem, message) => {
    const error: unknown = await open(path).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SourceError);
    expect(error).toMatchObject({ problem, file: `${origin}${path}` });
    expect((error as SourceError).message).toContain(message);
  });

  it('does not download a file that comes whole', async () => {
    await open('/whole').catch(() => undefined);
    await expect.poll(() => brokenOff).toBe(1);
  });

  it('says so where nobody answers', async () => {
    await expect(openUrl('http://127.0.0.1:9/')).rejects.toMatchObject({ problem: 'network' });
  });
});

describe('a source that was opened', () => {
  it.each(['/changing', '/dated'])('notices at %s that the file is another one', async (path) => {
    const source = await open(path);
    await source.read(200, 10);
    version = '"two"';
    await expect(source.read(200, 10)).rejects.toMatchObject({ problem: 'changed' });
  });

  it('notices that the file is longer', async () => {
    const source = await open('/growing');
    await expect(source.read(200, 10)).rejects.toMatchObject({ problem: 'changed' });
  });

  it('reads into memory that is there', async () => {
    const source = await open('/good');
    const target = new Uint8Array(50);
    await source.readInto!(target, 1000);
    expect(target).toEqual(file.subarray(1000, 1050));
  });

  it('breaks off when told to, and rejects with the reason', async () => {
    const source = await open('/stalling');
    const stop = new AbortController();
    const reading = source.read(1000, 500, stop.signal);
    const reason = new Error('enough');
    setTimeout(() => stop.abort(reason), 20);
    await expect(reading).rejects.toBe(reason);
    await expect.poll(() => brokenOff).toBe(1);
  });
});
