/**
 * Opens a stretch of a file's bytes, on a server or on the disk of the person, and checks that what comes is what was
 * asked for: the range, the size, the version.
 */
import { StoreError } from './errors';
import { gatedError, serverError } from './hub';
import type { PlannedFile } from './records';
import { retryAfter } from './retry';
import { StreamReader } from './streams';

/** Bytes `first` to `end`, exclusive, as they come. */
export interface OpenedBytes {
  readonly first: number;
  readonly end: number;
  /** Of the whole file. */
  readonly size: number;
  /** What the source calls this version of the file. */
  readonly version: string | undefined;
  /** Taken at once: Node cancels a body that nobody holds when its response is collected. */
  readonly bytes: StreamReader;
}

export interface Fetcher {
  /**
   * Bytes `start` to `end`, exclusive; or all of the file, from a server that knows no ranges. Rejects with a
   * `StoreError`, which is final, with `Passing`, or with the signal's reason.
   */
  open(file: PlannedFile, start: number, end: number, signal: AbortSignal): Promise<OpenedBytes>;
}

/** It did not work this time, and may the next. */
export class Passing extends Error {
  override readonly name = 'Passing';

  constructor(
    /** For a person: «Waiting for the network». */
    readonly why: 'network' | 'busy' | 'broken',
    /** Milliseconds that the server asks to wait. */
    readonly after: number | undefined,
    /** What it is when it does not pass. */
    readonly final: StoreError,
  ) {
    super(final.message);
  }
}

export interface HttpOptions {
  readonly fetch?: typeof fetch | undefined;
  /** What to send along to an address, such as a token. */
  readonly headersFor?: (url: string) => Record<string, string>;
  /** For messages: the page where terms are accepted. */
  readonly repo?: string | undefined;
  readonly hub?: string | undefined;
}

/**
 * Range alone is sent, and the version compared here: If-Range and If-Match would make a preflighted request of it,
 * which the CDNs behind hubs have not always answered.
 */
export class HttpFetcher implements Fetcher {
  readonly #options: HttpOptions;

  constructor(options: HttpOptions = {}) {
    this.#options = options;
  }

  async open(file: PlannedFile, start: number, end: number, signal: AbortSignal): Promise<OpenedBytes> {
    const url = file.url;
    if (url === undefined) throw new StoreError('files', `${file.path} came from this device. Choose it again.`);
    const headers = this.#options.headersFor?.(url) ?? {};
    let response: Response;
    try {
      const init: RequestInit = {
        headers: { ...headers, Range: `bytes=${start}-${end - 1}` },
        signal,
        cache: 'no-store',
      };
      response = await (this.#options.fetch ?? fetch)(url, init);
    } catch (cause) {
      signal.throwIfAborted();
      throw noAnswer(url, cause);
    }
    if (response.status === 206) return ranged(url, response, start, end);
    if (response.status === 200) return whole(url, response);
    // What an error's body says is not for us.
    await response.body?.cancel();
    // It became shorter: its beginning tells what it is now.
    if (response.status === 416 && start > 0) return this.open(file, 0, 1, signal);
    throw this.#refusal(url, file.path, response, 'Authorization' in headers);
  }

  #refusal(url: string, path: string, response: Response, hasToken: boolean): StoreError | Passing {
    const { status, headers } = response;
    const { host } = new URL(url);
    // Where the hub has sent us on, it has let us in: what is refused there is an address that was good for a while.
    const isStale = status === 403 && isElsewhere(url, response);
    if (status === 429 || status >= 500 || status === 408 || isStale) {
      return new Passing(status === 429 ? 'busy' : 'broken', retryAfter(headers), serverError(url, status));
    }
    if (status === 416) {
      return new StoreError('not-found', `${host} has nothing under ${path}: the file is empty.`, { status });
    }
    if (status === 401 || status === 403) {
      const { repo, hub } = this.#options;
      if (repo !== undefined && hub !== undefined) return gatedError(repo, hub, hasToken, status);
      return new StoreError('gated', `${host} does not give ${path} to everybody (status ${status}).`, { status });
    }
    if (status === 404 || status === 410) {
      return new StoreError('not-found', `${host} has no ${path} (any more).`, { status });
    }
    return serverError(url, status);
  }
}

function isElsewhere(url: string, response: Response): boolean {
  return response.redirected && new URL(response.url).origin !== new URL(url).origin;
}

function noAnswer(url: string, cause: unknown): Passing {
  const { host } = new URL(url);
  const message = `${host} cannot be reached, or does not allow this page to read from it. Check the connection.`;
  return new Passing('network', undefined, new StoreError('network', message, { cause }));
}

async function ranged(url: string, response: Response, start: number, end: number): Promise<OpenedBytes> {
  const text = response.headers.get('content-range');
  const [, first, last, size] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(text ?? '') ?? [];
  // A file that became shorter ends earlier; the caller sees that by its size.
  const fits = Number(first) === start && Number(last) === Math.min(end, Number(size)) - 1;
  if (fits && response.body) {
    return {
      first: start,
      end: Number(last) + 1,
      size: Number(size),
      version: versionOf(response),
      bytes: new StreamReader(response.body),
    };
  }
  await response.body?.cancel();
  const { host } = new URL(url);
  const message = text
    ? `${host} sent another range than was asked for (${text}).`
    : `${host} does not say which range it sends: across origins it must expose Content-Range (CORS).`;
  throw new StoreError('server', message);
}

async function whole(url: string, response: Response): Promise<OpenedBytes> {
  const size = Number(response.headers.get('content-length') ?? NaN);
  if (Number.isSafeInteger(size) && response.body && !response.headers.has('content-encoding')) {
    return { first: 0, end: size, size, version: versionOf(response), bytes: new StreamReader(response.body) };
  }
  await response.body?.cancel();
  const { host } = new URL(url);
  throw new StoreError(
    'server',
    `${host} does not say how large the file is. Download it, and open it from your disk.`,
  );
}

/** Of a weak ETag what it has in common with the strong one: servers weaken it where they compress on the way. */
function versionOf({ headers }: Response): string | undefined {
  return headers.get('etag')?.replace(/^W\//, '') ?? headers.get('last-modified') ?? undefined;
}

/** Files that a person chose, by path. */
export class LocalFetcher implements Fetcher {
  readonly #files: ReadonlyMap<string, Blob>;

  constructor(files: ReadonlyMap<string, Blob>) {
    this.#files = files;
  }

  async open(file: PlannedFile, start: number, end: number): Promise<OpenedBytes> {
    const blob = this.#files.get(file.path);
    if (!blob) throw new StoreError('files', `${file.path} came from this device. Choose it again.`);
    const bytes = new StreamReader(blob.slice(start, end).stream());
    return { first: start, end: Math.min(end, blob.size), size: blob.size, version: versionOfFile(blob), bytes };
  }
}

export function versionOfFile(blob: Blob): string {
  return `${blob.size}-${'lastModified' in blob ? String(blob.lastModified) : ''}`;
}
