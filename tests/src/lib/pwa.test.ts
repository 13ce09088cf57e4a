/** What the service worker keeps, and how it answers for parts of it. */
import { describe, expect, test } from 'vitest';
import { isolated } from '$lib/pwa/isolation';
import { keptFile } from '$lib/pwa/kept-file';
import { byteRange, keptOnUse, precached } from '$lib/pwa/precache';

describe('what is kept', () => {
  const app = {
    build: [
      '/_app/immutable/a.js',
      '/_app/immutable/wllama.wasm',
      '/_app/immutable/a.js.map',
      '/_app/immutable/workers/chunks/xgrammar-B1.js',
    ],
    files: ['/icon.svg', '/screenshots/wide-light.webp', '/pocket/model.gguf', '/pocket/pocket.json'],
    prerendered: ['/', '/models'],
  };
  test('the app at once, without maps, pictures, programs and weights', () => {
    expect(precached(app)).toEqual(['/_app/immutable/a.js', '/icon.svg', '/pocket/pocket.json', '/', '/models']);
  });
  test('programs and weights from their first use on', () => {
    expect(['/x.wasm', '/pocket/model.gguf', '/chunks/wllama-x_1.js', '/a.js'].map(keptOnUse)).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });
});

test.each([
  ['bytes=0-9', 100, { first: 0, last: 9 }],
  ['bytes=90-', 100, { first: 90, last: 99 }],
  ['bytes=90-500', 100, { first: 90, last: 99 }],
  ['bytes=-10', 100, { first: 90, last: 99 }],
  ['bytes=-500', 100, { first: 0, last: 99 }],
  ['bytes=100-', 100, 'outside'],
  ['bytes=9-3', 100, 'outside'],
  ['bytes=-', 100, undefined],
  ['bytes=0-1,4-5', 100, undefined],
  [null, 100, undefined],
] as const)('byteRange: «%s» of %i', (header, size, wanted) => {
  expect(byteRange(header, size)).toEqual(wanted);
});

test('isolated: two headers and one more, on what can be opened; what is there stays', async () => {
  const plain = isolated(new Response('page', { status: 206, headers: { 'Content-Type': 'text/html' } }));
  expect(plain.status).toBe(206);
  expect(plain.headers.get('Cross-Origin-Embedder-Policy')).toBe('require-corp');
  expect(plain.headers.get('Cross-Origin-Opener-Policy')).toBe('same-origin');
  expect(plain.headers.get('Content-Type')).toBe('text/html');
  expect(await plain.text()).toBe('page');
  expect(isolated(new Response(null, { status: 304 })).status).toBe(304);
  const failed = Response.error();
  expect(isolated(failed)).toBe(failed);
});

describe('keptFile', () => {
  const url = 'http://localhost/pocket/model.gguf';
  const bytes = Uint8Array.from({ length: 100 }, (_, at) => at);

  /** A cache of one file, and how often the network was asked. */
  function world({ full = false, status = 200 } = {}) {
    let kept: Response | undefined;
    const cache = {
      match: () => Promise.resolve(kept?.clone()),
      put: (_: string, response: Response) => {
        if (full) return Promise.reject(new DOMException('no room', 'QuotaExceededError'));
        kept = response;
        return Promise.resolve();
      },
    } as unknown as Cache;
    const asked: string[] = [];
    const fetchFile = globalThis.fetch;
    globalThis.fetch = (input) => {
      asked.push(input as string);
      return Promise.resolve(new Response(status === 200 ? bytes : 'gone', { status }));
    };
    return { cache, asked, restore: () => (globalThis.fetch = fetchFile), kept: () => kept };
  }
  const part = (range: string) => new Request(url, { headers: { Range: range } });

  test('the network is asked once for the whole, whoever asks for which part', async () => {
    const { cache, asked, restore } = world();
    const [a, b] = await Promise.all([keptFile(cache, part('bytes=0-9')), keptFile(cache, part('bytes=90-'))]);
    const c = await keptFile(cache, part('bytes=50-50'));
    restore();
    expect(asked).toEqual([url]);
    expect(a.status).toBe(206);
    expect(a.headers.get('Content-Range')).toBe('bytes 0-9/100');
    expect([...new Uint8Array(await b.arrayBuffer())]).toEqual([...bytes.subarray(90)]);
    expect([...new Uint8Array(await c.arrayBuffer())]).toEqual([50]);
    expect((await keptFile(cache, part('bytes=100-'))).status).toBe(416);
    expect((await keptFile(cache, new Request(url))).status).toBe(200);
  });

  test('on a full disk the file serves all the same, and is not kept', async () => {
    const { cache, restore, kept } = world({ full: true });
    const answer = await keptFile(cache, part('bytes=0-9'));
    restore();
    expect(answer.status).toBe(206);
    expect(kept()).toBeUndefined();
  });

  test('what is not the whole file is never kept', async () => {
    const { cache, restore, kept } = world({ status: 404 });
    const answer = await keptFile(cache, part('bytes=0-9'));
    restore();
    expect(answer.status).toBe(404);
    expect(kept()).toBeUndefined();
  });
});
