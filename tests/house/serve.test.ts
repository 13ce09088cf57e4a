/** The little server behind `npm start`. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serve } from '../../scripts/serve.js';

const folder = mkdtempSync(join(tmpdir(), 'fireside-serve-'));
const servers: Server[] = [];

beforeAll(() => {
  mkdirSync(join(folder, 'site', 'immutable'), { recursive: true });
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  writeFileSync(join(folder, 'site', 'index.html'), '<p>home</p>');
  writeFileSync(join(folder, 'site', 'about.html'), '<p>about</p>');
  writeFileSync(join(folder, 'site', 'frame.html'), '<p>frame</p>');
  writeFileSync(join(folder, 'site', 'widget.js'), 'export {};');
  writeFileSync(join(folder, 'site', 'immutable', 'a b.js'), 'export {};');
});
afterAll(() => {
  servers.forEach((server) => server.close());
  rmSync(folder, { recursive: true });
});

async function start(options: { port?: number; base?: string } = {}): Promise<number> {
  const server = await serve({ folder: join(folder, 'site'), host: '127.0.0.1', port: 0, ...options });
  servers.push(server);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** `fetch` would tidy the path up before it is sent. */
function get(
  port: number,
  path: string,
  { method = 'GET', range }: { method?: string; range?: string } = {},
): Promise<{ status: number; body: string; headers: object }> {
  return new Promise((done, failed) => {
    const headers = range ? { Range: range } : {};
    request({ port, host: '127.0.0.1', path, method, headers, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => done({ status: response.statusCode ?? 0, body, headers: response.headers }));
    })
      .on('error', failed)
      .end();
  });
}

test('pages and files, with the headers that isolate a page', async () => {
  const port = await start();
  expect(await get(port, '/')).toMatchObject({
    status: 200,
    body: '<p>home</p>',
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'cache-control': 'no-cache',
    },
  });
  expect(await get(port, '/about?x=1')).toMatchObject({ status: 200, body: '<p>about</p>' });
  expect(await get(port, '/immutable/a%20b.js')).toMatchObject({
    status: 200,
    headers: {
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
    },
  });
  expect(await get(port, '/', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
});

test('the widget’s script and frame are for pages of other origins too, and nothing else is', async () => {
  for (const base of ['', '/app']) {
    const port = await start({ base });
    for (const path of ['/widget.js', '/frame', '/frame.html?x=1'])
      expect((await get(port, base + path)).headers).toMatchObject({
        'access-control-allow-origin': '*',
        'cross-origin-resource-policy': 'cross-origin',
        'cross-origin-embedder-policy': 'require-corp',
      });
    const { headers } = await get(port, `${base}/about`);
    expect(headers).toMatchObject({ 'cross-origin-resource-policy': 'same-origin' });
    expect(headers).not.toHaveProperty('access-control-allow-origin');
  }
});

test('nothing outside the folder, nothing that is not there, nothing but reading', async () => {
  const port = await start();
  for (const path of [
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/immutable/',
    '/no',
    '/%ff',
    '/%00',
  ]) {
    expect(await get(port, path), path).toMatchObject({ status: 404 });
  }
  expect(await get(port, '/', { method: 'POST' })).toMatchObject({ status: 405 });
});

test('ranges of bytes, as models are read by', async () => {
  const port = await start();
  const part = (range: string): ReturnType<typeof get> => get(port, '/about', { range });
  expect(await part('bytes=3-7')).toMatchObject({
    status: 206,
    body: 'about',
    headers: { 'content-range': 'bytes 3-7/12', 'content-length': '5' },
  });
  expect(await part('bytes=8-')).toMatchObject({ status: 206, body: '</p>' });
  expect(await part('bytes=8-999')).toMatchObject({ headers: { 'content-range': 'bytes 8-11/12' } });
  for (const range of ['bytes=12-', 'bytes=5-4']) {
    expect(await part(range), range).toMatchObject({ status: 416, headers: { 'content-range': 'bytes */12' } });
  }
  for (const range of ['bytes=-4', 'bytes=0-1,3-4', 'lines=1-2']) {
    expect(await part(range), range).toMatchObject({ status: 200, body: '<p>about</p>' });
  }
});

test('everything may lie under a path', async () => {
  const port = await start({ base: '/fireside' });
  expect(await get(port, '/fireside/')).toMatchObject({ status: 200, body: '<p>home</p>' });
  expect(await get(port, '/')).toMatchObject({ status: 404 });
  expect(await get(port, '/firesidex/')).toMatchObject({ status: 404 });
});

test('a port that is taken gives the next one', async () => {
  const first = await start();
  expect(await start({ port: first })).toBeGreaterThan(first);
});
