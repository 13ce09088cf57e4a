/** Servers that lie, slip and storm: what comes is right, or it is said what is wrong. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Depot } from '$lib/store/depot';
import { HttpFetcher } from '$lib/store/fetcher';
import { HubClient } from '$lib/store/hub';
import { CHUNK_BYTES, PART_BYTES, type Plan } from '$lib/store/records';
import type { ModelState } from '$lib/store/state';
import { Slots } from '$lib/store/slots';
import { transfer } from '$lib/store/transfer';
import { type Answer, gguf, type Opened, openScripted, part, scripted } from './scripted';
import { HASTY, MIB } from './support';

let opened: Opened | undefined;
afterEach(async () => {
  vi.useRealTimers();
  await opened?.close();
  opened = undefined;
});

const URL_OF = 'https://files.example/small-q8_0.gguf';
const PATH = '/small-q8_0.gguf';

/** Looks at an address, downloads what is there, and waits for its end. */
async function fetchFrom(network: typeof fetch, address = URL_OF, options = {}): Promise<ModelState> {
  opened = openScripted(network, options);
  const { store } = opened;
  const id = await store.download((await store.look(address)).choices[0]!);
  await store.finished(id);
  return store.model(id)!;
}

async function bytesOf(id: string): Promise<Uint8Array> {
  const manifest = await opened!.store.manifest(id);
  const source = opened!.depot.source(manifest, manifest.files[0]!);
  const bytes = await source.read(0, manifest.files[0]!.size);
  await source.close?.();
  return bytes;
}

describe('addresses of files', () => {
  test('what follows the «?» is sent along, and strange names are asked for by those names', async () => {
    const path = '/100% #1 ü.gguf';
    const { asked, fetch } = scripted({ [path]: gguf(99) });
    const address = `https://files.example${encodeURIComponent(path).replaceAll('%2F', '/')}?sig=a%2Fb`;
    const { id, files } = await fetchFrom(fetch, address);
    expect(files[0]!.path).toBe('100% #1 ü.gguf');
    expect(asked.every(({ url }) => url.href === address)).toBe(true);
    expect(Buffer.compare(await bytesOf(id), gguf(99))).toBe(0);
  });

  test('a part of a GGUF brings the others along; one that is missing is named', async () => {
    const name = (no: number): string => `/big-Q4_K_M-0000${no}-of-00003.gguf`;
    const files = { [name(1)]: gguf(50), [name(2)]: gguf(60), [name(3)]: gguf(70) };
    const { asked, fetch } = scripted(files);
    const model = await fetchFrom(fetch, `https://files.example${name(2)}?k=1`);
    expect(asked.every(({ url }) => url.search === '?k=1')).toBe(true);
    expect(model).toMatchObject({ name: 'big-Q4_K_M', bytes: 180 });
    const without = scripted({ [name(1)]: gguf(50), [name(2)]: gguf(60) });
    await expect(opened!.store.look('https://files.example/x.gguf')).rejects.toMatchObject({ problem: 'not-found' });
    await opened!.close();
    await expect(fetchFrom(without.fetch, `https://files.example${name(1)}`)).rejects.toThrow(
      /big-Q4_K_M-00003-of-00003/,
    );
  });

  test('a shard of safetensors brings its index and the others along', async () => {
    const shard = (no: number): string => `/m/model-0000${no}-of-00002.safetensors`;
    const tensors = new Uint8Array(40).fill(123);
    const json = new TextEncoder().encode('{}');
    const small = { '/m/config.json': json, '/m/tokenizer.json': json, '/m/model.safetensors.index.json': json };
    const { fetch } = scripted({ ...small, [shard(1)]: tensors, [shard(2)]: tensors });
    const { files } = await fetchFrom(fetch, `https://files.example${shard(1)}`);
    expect(files.map(({ path }) => path)).toEqual([
      ...['config.json', 'tokenizer.json', 'model.safetensors.index.json'],
      ...['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'],
    ]);
  });

  test.each([
    ['<!doctype html><title>Not found', /a web page/],
    ['version https://git-lfs.github.com/spec/v1', /Git LFS pointer/],
    ['', /is empty/],
    ['nothing that anybody knows', /neither GGUF nor safetensors/],
  ])('«%s» is no model, and is refused before it is fetched', async (text, says) => {
    const { fetch } = scripted({ [PATH]: new TextEncoder().encode(text) });
    await expect(fetchFrom(fetch)).rejects.toThrow(text === '' ? /has no small/ : says);
  });
});

describe('lists of a hub', () => {
  const HUB = 'https://corp.example/hf';
  const COMMIT = 'a'.repeat(40);
  const list = async (twist: Answer) =>
    new HubClient({ hub: HUB, fetch: scripted({}, twist).fetch, patience: HASTY }).list('me/old');
  const json = (value: unknown, headers = {}): Response => new Response(JSON.stringify(value), { headers });
  const info = { id: 'me/new', sha: COMMIT, cardData: { license: 'other', license_name: 'llama3.2' } };
  const entry = (path: string) => ({ type: 'file', path, size: 5, oid: 'b'.repeat(40) });
  const xet = { ...entry('x.gguf'), lfs: { oid: 'c'.repeat(64), size: 7, pointerSize: 130 }, xetHash: 'd'.repeat(64) };

  test('in pages, under a path, by a mirror that names another hub, of a repository that was renamed', async () => {
    const seen: string[] = [];
    const found = await list(({ url }) => {
      seen.push(url.pathname + url.search);
      if (url.pathname.includes('/revision/')) return json(info);
      const next = 'https://huggingface.co/api/models/me/new/tree/x?cursor=2';
      // A page twice, as where somebody counts wrongly; a path that is none; and what Xet says besides.
      if (url.searchParams.has('cursor')) return json([xet, entry('a/../b.gguf'), entry('/c'), entry('config.json')]);
      return json([xet, { type: 'directory', path: 'a' }], {
        Link: `<${HUB}/first>; rel="first", <${next}>; rel=next`,
      });
    });
    expect(found).toMatchObject({ repo: 'me/new', commit: COMMIT, license: 'llama3.2' });
    expect(found.files).toEqual([
      { path: 'x.gguf', size: 7, sha256: 'c'.repeat(64) },
      { path: 'config.json', size: 5, gitOid: 'b'.repeat(40) },
    ]);
    expect(seen[1]).toBe(`/hf/api/models/me/new/tree/${COMMIT}?recursive=true`);
    expect(seen[2]).toBe('/hf/api/models/me/new/tree/x?cursor=2');
  });

  test('a list that breaks off is asked for again; one without end is refused', async () => {
    const found = await list(({ url, count }) => {
      if (url.pathname.includes('/revision/')) return json(info);
      const cut = new ReadableStream({ start: (body) => body.error(new TypeError('terminated')) });
      return count === 2 ? new Response(cut) : json([xet]);
    });
    expect(found.files).toHaveLength(1);
    const again = { Link: `<${HUB}/api/models/me/new/tree/x>; rel="next"` };
    await expect(list(({ url }) => json(url.pathname.includes('/revision/') ? info : [xet], again))).rejects.toThrow(
      /more files/,
    );
  });

  test('names of commits and repositories that would lead elsewhere', async () => {
    await expect(list(() => json({ ...info, sha: '../../x' }))).rejects.toMatchObject({ problem: 'server' });
    const found = await list(({ url }) => json(url.pathname.includes('/revision/') ? { ...info, id: '../x' } : [xet]));
    expect(found.repo).toBe('me/old');
  });
});

describe('answers that are not what was asked for', () => {
  const bytes = gguf(3 * MIB);
  /** Not of the look, which asks for a few bytes. */
  const isData = ({ last, first }: { first: number; last: number }): boolean => last - first > 100;

  test('another range: refused, and not written down', async () => {
    const { fetch } = scripted({ [PATH]: bytes }, (asked) =>
      isData(asked) ? part(bytes, { first: 1, last: asked.last }) : undefined,
    );
    await expect(fetchFrom(fetch)).rejects.toThrow(/another range/);
    expect(opened!.store.state.models[0]).toMatchObject({ status: 'failed', done: 0 });
  });

  test.each([
    ['no Content-Length', {}],
    ['compressed on the way', { 'Content-Length': '50', 'Content-Encoding': 'gzip' }],
  ])('a whole file, %s: said, and not begun', async (_, headers) => {
    const { fetch } = scripted({}, () => new Response(bytes, { headers }));
    await expect(fetchFrom(fetch)).rejects.toThrow(/does not say how large/);
  });

  test('a whole file once, in place of a range: forgiven, and not begun from its beginning', async () => {
    const large = gguf(2 * CHUNK_BYTES + 5);
    let slips = 0;
    const { asked, fetch } = scripted({ [PATH]: large }, ({ first }) => {
      if (first < 2 * CHUNK_BYTES || (slips += 1) > 1) return undefined;
      return new Response(large, { headers: { 'Content-Length': String(large.length), ETag: '"1"' } });
    });
    const { id } = await fetchFrom(fetch, URL_OF, { connections: 1 });
    expect(Buffer.compare(await bytesOf(id), large)).toBe(0);
    expect(asked.filter(isData).map(({ first }) => first)).toEqual([0]);
    expect(asked.at(-1)!.first).toBe(2 * CHUNK_BYTES);
  });

  test('the same ETag, weak and strong, is the same file', async () => {
    const { asked, fetch } = scripted({ [PATH]: bytes }, (one) => part(bytes, one, one.count % 2 ? 'W/"1"' : '"1"'));
    await fetchFrom(fetch);
    expect(asked).toHaveLength(2);
  });

  test('a file that became shorter than what is there (416) is begun anew', async () => {
    const long = gguf(2 * CHUNK_BYTES + 99);
    const short = gguf(MIB, 9);
    let isShort = false;
    const { fetch } = scripted({}, (asked) => {
      isShort ||= asked.first > 0;
      return isShort ? part(short, asked, '"2"') : part(long, asked);
    });
    const { id } = await fetchFrom(fetch, URL_OF, { connections: 1 });
    expect(Buffer.compare(await bytesOf(id), short)).toBe(0);
  });

  test('an answer that ends early, cleanly, goes on from there', async () => {
    const { asked, fetch } = scripted({ [PATH]: bytes }, (one) => {
      if (one.count !== 2) return undefined;
      const headers = { 'Content-Range': `bytes 0-${bytes.length - 1}/${bytes.length}`, ETag: '"1"' };
      return new Response(bytes.slice(0, MIB), { status: 206, headers });
    });
    const { id } = await fetchFrom(fetch);
    expect(Buffer.compare(await bytesOf(id), bytes)).toBe(0);
    expect(asked.at(-1)!.first).toBe(MIB);
  });
});

describe('sizes', () => {
  test.each([CHUNK_BYTES, CHUNK_BYTES + 1, PART_BYTES, 25])('%i bytes', async (size) => {
    const bytes = gguf(size);
    const { id } = await fetchFrom(scripted({ [PATH]: bytes }).fetch);
    expect(Buffer.compare(await bytesOf(id), bytes)).toBe(0);
    expect((await opened!.store.manifest(id)).files[0]!.chunks).toHaveLength(Math.ceil(size / CHUNK_BYTES));
  });

  test('a file without a byte, beside others', async () => {
    const { fetch } = scripted({ [PATH]: gguf(50) });
    opened = openScripted(fetch);
    const { store } = opened;
    const choice = (await store.look(URL_OF)).choices[0]!;
    const nothing = { path: 'empty.json', size: 0, url: 'https://files.example/empty.json' };
    const id = await store.download({ ...choice, files: [nothing, ...choice.files] });
    await store.finished(id);
    expect(await bytesOf(id)).toHaveLength(0);
    expect(await store.verify(id)).toBe('whole');
  });

  test('a hole behind 4 GiB is asked for where it is', async () => {
    const size = 5 * 2 ** 30 + 1234;
    const count = Math.ceil(size / CHUNK_BYTES);
    const hole = 600;
    const seals = new Map(Array.from({ length: count }, (_, chunk) => [chunk, 'x'] as const));
    seals.delete(hole);
    const written: [number, number][] = [];
    const depot = {
      progress: async () => ({ seals, begun: new Map() }),
      addPart: async (_: unknown, chunk: number, offset: number) => void written.push([chunk, offset]),
      seal: async () => true,
    } as unknown as Depot;
    const headersOf = (first: number, last: number) => ({ 'Content-Range': `bytes ${first}-${last}/${size}` });
    let range = '';
    const network = ((_: string, { headers }: { headers: Record<string, string> }) => {
      range = headers.Range!;
      const [first, last] = range.slice(6).split('-').map(Number) as [number, number];
      return Promise.resolve(
        new Response(new Uint8Array(CHUNK_BYTES), { status: 206, headers: headersOf(first, last) }),
      );
    }) as unknown as typeof fetch;
    const plan = { key: 'k', chunkBytes: CHUNK_BYTES, files: [{ path: 'a', size, url: URL_OF }] } as unknown as Plan;
    const fetcher = new HttpFetcher({ fetch: network });
    const nothing = { moved: () => {}, held: () => {}, save: async () => {}, facts: async () => undefined };
    await transfer(
      plan,
      { depot, fetcher, slots: new Slots(2), patience: HASTY, ...nothing },
      new AbortController().signal,
    );
    expect(range).toBe(`bytes=${hole * CHUNK_BYTES}-${(hole + 1) * CHUNK_BYTES - 1}`);
    expect(written).toHaveLength(CHUNK_BYTES / PART_BYTES);
    expect(written.every(([chunk]) => chunk === hole)).toBe(true);
  });
});

describe('storms and clocks', () => {
  const names = ['a', 'b', 'c', 'd'].map((name) => `${name}.gguf`);
  const files = Object.fromEntries(names.map((name) => [`/${name}`, gguf(1000)]));

  /** A model of four files, which come at once. */
  async function fetchFour(network: typeof fetch): Promise<string> {
    opened = openScripted(network);
    const { store } = opened;
    const id = await store.download({
      ...{ id: 'four', name: 'four', format: 'gguf', bytes: 4000, origin: { kind: 'url', address: 'four' } },
      files: names.map((path) => ({ path, size: 1000, url: `https://files.example/${path}` })),
    });
    await store.finished(id);
    return id;
  }

  test('what fails on four connections at once is one failure, not four', async () => {
    let failed = 0;
    const { fetch } = scripted(files, () => ((failed += 1) > 12 ? undefined : new Response(null, { status: 503 })));
    // Three storms of four, each of them on its way at once; six tries.
    await fetchFour(async (input, init) => {
      await new Promise((done) => setTimeout(done, 40));
      return fetch(input, init);
    });
    expect(failed).toBe(16);
  });

  test('who is told to wait longer makes all others wait as long', async () => {
    const start = performance.now();
    const times: number[] = [];
    const { fetch } = scripted(files, ({ count }) => {
      times.push(performance.now() - start);
      if (count > 4) return undefined;
      return new Response(null, { status: 429, headers: { 'Retry-After': count === 4 ? '1' : '0' } });
    });
    await fetchFour(async (input, init) => {
      // The last one answers while the others wait already.
      await new Promise((done) => setTimeout(done, (input as string).endsWith('d.gguf') ? 12 : 8));
      return fetch(input, init);
    });
    expect(times.filter((at) => at > 900)).toHaveLength(4);
  });

  test('a clock that is put back does not make anybody wait for the time in between', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { fetch } = scripted({ [PATH]: gguf(3 * MIB) }, ({ count }) => {
      if (count !== 2) return undefined;
      setTimeout(() => vi.setSystemTime(Date.now() - 86_400_000), 5);
      return new Response(null, { status: 429, headers: { 'Retry-After': '0' } });
    });
    await fetchFrom(fetch);
  });
});
