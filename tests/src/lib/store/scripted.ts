/** A store whose network is a function: servers that say whatever a test wants them to say. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderDepot } from '$lib/store/folder-depot';
import { HUGGING_FACE } from '$lib/store/address';
import { ModelStore, type StoreOptions } from '$lib/store/store';
import { HASTY } from './support';

export interface Asked {
  readonly url: URL;
  readonly first: number;
  /** Inclusive; may lie beyond the file's end. */
  readonly last: number;
  readonly headers: Headers;
  /** From 1, over all requests. */
  readonly count: number;
}

export type Answer = (asked: Asked) => Response | undefined;

/** @param files bytes by path; anything else is not there */
export function scripted(files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>, twist: Answer = () => undefined) {
  const asked: Asked[] = [];
  const answer = (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const url = new URL(input instanceof Request ? input.url : input);
    const headers = new Headers(init?.headers);
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.get('range') ?? '') ?? [];
    const bytes = files[decodeURIComponent(url.pathname)];
    const one = { url, headers, first: Number(from ?? 0), last: Number(to ?? Infinity), count: asked.length + 1 };
    asked.push(one);
    const twisted = twist(one);
    if (twisted) return Promise.resolve(twisted);
    if (!bytes) return Promise.resolve(new Response('not here', { status: 404 }));
    return Promise.resolve(part(bytes, one));
  };
  return { asked, fetch: answer };
}

export function part(
  bytes: Uint8Array<ArrayBuffer>,
  { first, last }: Pick<Asked, 'first' | 'last'>,
  etag = '"1"',
): Response {
  const { length } = bytes;
  if (first >= length) return new Response(null, { status: 416, headers: { 'Content-Range': `bytes */${length}` } });
  const end = Math.min(last + 1, length);
  const headers = { 'Content-Range': `bytes ${first}-${end - 1}/${length}`, ETag: etag };
  return new Response(bytes.slice(first, end), { status: 206, headers });
}

/** What begins as a GGUF file does. */
export function gguf(length: number, fill = 7): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length).fill(fill);
  bytes.set([0x47, 0x47, 0x55, 0x46, 3, 0, 0, 0]);
  return bytes;
}

export interface Opened {
  readonly store: ModelStore;
  readonly depot: FolderDepot;
  close(): Promise<void>;
}

export function openScripted(network: typeof fetch, options: Partial<StoreOptions> = {}): Opened {
  const folder = mkdtempSync(join(tmpdir(), 'fireside-scripted-'));
  const depot = new FolderDepot(folder);
  const hub = { hub: HUGGING_FACE, keep: 'page' } as const;
  const store = new ModelStore({ depot, hub, fetch: network, patience: HASTY, ...options });
  return {
    store,
    depot,
    async close() {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
}
