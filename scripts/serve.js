/**
 * A static file server just large enough for the built app: it reads from one folder, whole files or ranges of them, and
 * sends the two headers that let a page use several threads (COOP and COEP). Plain Node, for this machine and its network; not for the internet.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize, resolve, sep } from 'node:path';

const TYPES = /** @type {Record<string, string>} */ ({
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
});

/**
 * @param {object} options
 * @param {string} options.folder what to serve
 * @param {number} options.port the first to try; 0: any free one
 * @param {string} options.host
 * @param {string} [options.base] a path that everything lies under, such as `/fireside`
 * @param {boolean} [options.isolate] send the two headers; false: as a host does that cannot
 * @returns {Promise<import('node:http').Server>} once it listens
 */
export async function serve({ folder, port, host, base = '', isolate = true }) {
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(isolate ? ISOLATION : {})) response.setHeader(name, value);
    void sendFile(folder, base, request, response);
  });
  await listen(server, port, host);
  return server;
}

/**
 * @param {import('node:http').Server} server
 * @param {number} port
 * @param {string} host
 * @returns {Promise<void>}
 */
function listen(server, port, host) {
  return new Promise((done, failed) => {
    server.once('error', (/** @type {NodeJS.ErrnoException} */ error) => {
      if (error.code === 'EADDRINUSE' && port !== 0 && port < 65535) done(listen(server, port + 1, host));
      else failed(error);
    });
    server.listen(port, host, done);
  });
}

/**
 * Answers a request with a file of the folder.
 *
 * @param {string} folder
 * @param {string} base what every path begins with
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 */
export async function sendFile(folder, base, request, response) {
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405, 'Method not allowed');
  const path = (request.url ?? '/').replace(/[?#].*$/, '').slice(base.length);
  const file = await findFile(resolve(folder), base, request.url ?? '/');
  if (!file) return refuse(response, 404, 'Not found');
  const range = rangeOf(request.headers.range, file.size);
  if (range === 'outside') {
    response.setHeader('Content-Range', `bytes */${file.size}`);
    return refuse(response, 416, 'There are not so many bytes');
  }
  if (FOR_OTHERS.has(path.replace(/\.html$/, ''))) {
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
  }
  const immutable = file.path.includes(`${sep}immutable${sep}`);
  const { first, last } = range ?? { first: 0, last: file.size - 1 };
  response.writeHead(range ? 206 : 200, {
    'Content-Type': TYPES[extname(file.path)] ?? 'application/octet-stream',
    'Content-Length': last + 1 - first,
    ...(range && { 'Content-Range': `bytes ${first}-${last}/${file.size}` }),
    'Accept-Ranges': 'bytes',
    'Last-Modified': file.changed.toUTCString(),
    'Cache-Control': immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    'X-Content-Type-Options': 'nosniff',
  });
  if (request.method === 'HEAD' || last < first) return void response.end();
  createReadStream(file.path, { start: first, end: last })
    .on('error', () => response.destroy())
    .pipe(response);
}

/**
 * One range of bytes, as models are read by. Other forms of the header may be ignored (RFC 9110, 14.2).
 *
 * @param {string | undefined} header
 * @param {number} size of the file
 * @returns {{ first: number, last: number } | 'outside' | undefined} undefined: the whole file
 */
function rangeOf(header, size) {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === undefined) return undefined;
  const range = { first: Number(first), last: Math.min(last ? Number(last) : Infinity, size - 1) };
  return range.first >= size || range.last < range.first ? 'outside' : range;
}

/** What other people's pages load: the widget's script and its frame. */
const FOR_OTHERS = new Set(['/widget.js', '/frame']);

/** Shared memory, and with it threads, is for pages that cut themselves off from others. */
export const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/**
 * @param {import('node:http').ServerResponse} response
 * @param {number} status
 * @param {string} text
 */
function refuse(response, status, text) {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}

/**
 * @param {string} folder
 * @param {string} base
 * @param {string} url
 * @returns {Promise<{ path: string, size: number, changed: Date } | undefined>}
 */
async function findFile(folder, base, url) {
  const path = decode(url.replace(/[?#].*$/, ''));
  if (path === undefined || !path.startsWith(`${base}/`)) return undefined;
  const inside = normalize(join(folder, path.slice(base.length)));
  if (inside !== folder && !inside.startsWith(folder + sep)) return undefined;
  for (const candidate of [inside, join(inside, 'index.html'), `${inside}.html`]) {
    const found = await stat(candidate).catch(() => undefined);
    if (found?.isFile()) return { path: candidate, size: found.size, changed: found.mtime };
  }
  return undefined;
}

/** @param {string} path */
function decode(path) {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
