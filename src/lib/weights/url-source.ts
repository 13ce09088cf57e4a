/**
 * A file on a server, read by HTTP ranges.
 *
 * Every answer is checked: status 206, the very range that was asked for, the size and the version (ETag, else
 * Last-Modified) that the first answer told. A server that ignores Range would otherwise send gigabytes for a header,
 * and one that replaced the file in between would hand out a model sewn together from two.
 */
import { SourceError } from './errors';
import { type ByteSource, checkRange } from './source';

export interface UrlOptions {
  /** Instead of the global `fetch`. */
  readonly fetch?: typeof fetch;
  /** Sent with every request, such as `Authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** How much the first request asks for; it is kept, since headers are read from the start. */
  readonly prefixBytes?: number;
}

const PREFIX_BYTES = 256 * 1024;

/** Asks for the beginning of the file, which tells its size and version, and keeps it. */
export async function openUrl(url: string | URL, options: UrlOptions = {}): Promise<ByteSource> {
  const address = String(url);
  const asked = options.prefixBytes ?? PREFIX_BYTES;
  const response = await request(address, 0, asked, options, options.signal);
  const range = await rangeOf(address, response);
  const length = Math.min(asked, range.total);
  await checkAnswer(address, response, range, 0, length);
  const prefix = new Uint8Array(length);
  await readBody(address, response, prefix, options.signal);
  return new UrlSource(address, range.total, versionOf(response), prefix, options);
}

class UrlSource implements ByteSource {
  readonly #version: string | undefined;
  readonly #prefix: Uint8Array;
  readonly #options: UrlOptions;

  constructor(
    readonly name: string,
    readonly size: number,
    version: string | undefined,
    prefix: Uint8Array,
    options: UrlOptions,
  ) {
    this.#version = version;
    this.#prefix = prefix;
    this.#options = options;
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    checkRange(this, offset, length);
    if (offset + length <= this.#prefix.length) {
      signal?.throwIfAborted();
      return this.#prefix.subarray(offset, offset + length);
    }
    const bytes = new Uint8Array(length);
    await this.readInto(bytes, offset, signal);
    return bytes;
  }

  async readInto(target: Uint8Array, offset: number, signal?: AbortSignal): Promise<void> {
    checkRange(this, offset, target.length);
    if (target.length === 0) return;
    const response = await request(this.name, offset, target.length, this.#options, signal);
    const range = await rangeOf(this.name, response);
    if (range.total !== this.size || versionOf(response) !== this.#version) {
      await response.body?.cancel();
      throw new SourceError(
        this.name,
        'changed',
        'the file on the server was replaced since it was opened. Start again.',
      );
    }
    await checkAnswer(this.name, response, range, offset, target.length);
    await readBody(this.name, response, target, signal);
  }
}

async function request(
  address: string,
  offset: number,
  length: number,
  options: UrlOptions,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const headers = { ...options.headers, Range: `bytes=${offset}-${offset + length - 1}` };
  let response: Response;
  try {
    response = await (options.fetch ?? fetch)(address, { headers, ...(signal && { signal }) });
  } catch (cause) {
    signal?.throwIfAborted();
    const message = 'the server could not be reached, or does not allow this page to read from it (CORS).';
    throw new SourceError(address, 'network', message, { cause });
  }
  if (response.status === 206) return response;
  // What an error's body says is not for us, and must not be downloaded: it may be the whole file.
  await response.body?.cancel();
  throw refusal(address, response.status);
}

function refusal(address: string, status: number): SourceError {
  if (status === 200) {
    const advice = 'Download the file and open it from your disk, or use another server.';
    return new SourceError(address, 'no-range', `the server sends whole files only (it ignores Range). ${advice}`);
  }
  if (status === 416) {
    return new SourceError(address, 'changed', 'the file on the server is empty, or shorter than it was.', { status });
  }
  const why: Readonly<Record<number, string>> = {
    401: 'it wants to know who is asking; an access token may help',
    403: 'access is refused; the model may ask you to accept its licence first',
    404: 'there is no such file',
    429: 'too many requests; wait a while',
  };
  return new SourceError(
    address,
    'http',
    `the server answered with status ${status}${why[status] ? `: ${why[status]}` : ''}.`,
    {
      status,
    },
  );
}

interface ContentRange {
  readonly first: number;
  readonly last: number;
  readonly total: number;
}

async function rangeOf(address: string, response: Response): Promise<ContentRange> {
  const text = response.headers.get('content-range');
  const [, first, last, total] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(text ?? '') ?? [];
  if (first !== undefined) return { first: Number(first), last: Number(last), total: Number(total) };
  await response.body?.cancel();
  const message = text
    ? `the server answered with a range that says nothing: Content-Range «${text}».`
    : 'the server does not say which range it sent. Across origins it must expose the header Content-Range (CORS).';
  throw new SourceError(address, 'wrong-range', message);
}

async function checkAnswer(
  address: string,
  response: Response,
  range: ContentRange,
  offset: number,
  length: number,
): Promise<void> {
  if (range.first === offset && range.last === offset + length - 1 && range.last < range.total) return;
  await response.body?.cancel();
  const asked = `${offset}-${offset + length - 1}`;
  const message = `bytes ${asked} were asked for, but the server sent ${range.first}-${range.last}/${range.total}.`;
  throw new SourceError(address, 'wrong-range', message);
}

function versionOf(response: Response): string | undefined {
  return response.headers.get('etag') ?? response.headers.get('last-modified') ?? undefined;
}

/** Fills `target` with the body, which must have as many bytes: no more are taken in, however many come. */
async function readBody(
  address: string,
  response: Response,
  target: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  const reader = response.body?.getReader();
  let done = 0;
  try {
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
      if (done + part.value.length > target.length) {
        throw new SourceError(address, 'wrong-range', `more than the ${target.length} bytes asked for came.`);
      }
      target.set(part.value, done);
      done += part.value.length;
    }
  } catch (cause) {
    await reader?.cancel().catch(() => undefined);
    signal?.throwIfAborted();
    if (cause instanceof SourceError) throw cause;
    throw new SourceError(address, 'network', 'the connection broke while bytes were coming.', { cause });
  }
  signal?.throwIfAborted();
  if (done < target.length) {
    throw new SourceError(address, 'short', `${done} bytes came where ${target.length} were promised.`);
  }
}
