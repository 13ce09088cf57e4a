/**
 * A model hub's lists: which commit a revision is, which files it has, how large they are and what their hashes are.
 * Hugging Face's API, at its own address or another that speaks it. No account is needed; a token is sent to the hub
 * alone, never on to where it redirects.
 */
import { HUGGING_FACE } from './address';
import { StoreError } from './errors';
import type { FileFacts } from './records';
import { retryAfter, type Patience, wait, waitBefore } from './retry';

export interface HubOptions {
  /** Default: Hugging Face. */
  readonly hub?: string | undefined;
  /** For gated repositories. */
  readonly token?: string | undefined;
  /** Instead of the global `fetch`. */
  readonly fetch?: typeof fetch | undefined;
  readonly patience?: Patience | undefined;
}

export interface HubListing {
  /** As the hub spells it. */
  readonly repo: string;
  readonly commit: string;
  /** The publisher wants something first: his terms accepted. The files' list is open all the same. */
  readonly gated: boolean;
  /** As the model's card names it. */
  readonly license: string | undefined;
  readonly files: readonly FileFacts[];
}

/** For lists: a person waits for them. */
const BRIEF: Patience = { first: 500, most: 4000, tries: 4, silence: 20_000 };
/** Pages of a list; a repository with more than so many thousand files is none of ours. */
const MOST_PAGES = 20;

export class HubClient {
  readonly url: string;
  readonly #token: string | undefined;
  readonly #fetch: typeof fetch;
  readonly #patience: Patience;

  constructor({ hub = HUGGING_FACE, token, fetch: other, patience = BRIEF }: HubOptions = {}) {
    this.url = hub.replace(/\/+$/, '');
    this.#token = token;
    this.#fetch = other ?? ((input, init) => fetch(input, init));
    this.#patience = patience;
  }

  /** What to send to fetch a file, and where from. */
  fileUrl(repo: string, commit: string, path: string): string {
    const parts = [...repo.split('/'), 'resolve', commit, ...path.split('/')];
    return `${this.url}/${parts.map(encodeURIComponent).join('/')}`;
  }

  /** The token goes to this hub alone. */
  headersFor(url: string): Record<string, string> {
    const own = this.#token !== undefined && new URL(url).origin === new URL(this.url).origin;
    return own ? { Authorization: `Bearer ${this.#token}` } : {};
  }

  /** The files of a revision: its commit's, so that what is downloaded later is of one piece. */
  async list(repo: string, revision = 'main', signal = new AbortController().signal): Promise<HubListing> {
    const api = `${this.url}/api/models/${repo}`;
    const { body: info } = await this.#json(
      `${api}/revision/${encodeURIComponent(revision)}`,
      { repo, revision },
      signal,
    );
    const { sha, id, gated, cardData } = record(info, repo);
    if (typeof sha !== 'string' || !/^[0-9a-f]{7,64}$/.test(sha)) throw unexpected(this.url, repo);
    // Who was renamed is told under the new name.
    const name = typeof id === 'string' && isRepo(id) ? id : repo;
    return {
      repo: name,
      commit: sha,
      gated: gated !== undefined && gated !== false,
      license: licenseOf(cardData),
      files: await this.#tree(name, sha, signal),
    };
  }

  async #tree(repo: string, commit: string, signal: AbortSignal): Promise<FileFacts[]> {
    const files = new Map<string, FileFacts>();
    let next: string | undefined = `${this.url}/api/models/${repo}/tree/${commit}?recursive=true`;
    for (let page = 0; next !== undefined; page++) {
      if (page === MOST_PAGES) throw new StoreError('server', `${repo} has more files than can be looked through.`);
      const { body, headers }: Answer = await this.#json(next, { repo, revision: commit }, signal);
      if (!Array.isArray(body)) throw unexpected(this.url, repo);
      for (const entry of body as unknown[]) {
        const file = fileOf(entry);
        if (file) files.set(file.path, file);
      }
      next = this.#nextPage(headers.get('link'));
    }
    return [...files.values()];
  }

  /** At our own hub's address, whatever a mirror calls itself. */
  #nextPage(link: string | null): string | undefined {
    const address = /<([^>]+)>[^,<]*;\s*rel="?next"?/.exec(link ?? '')?.[1];
    const [, path] = /(\/api\/models\/.*)$/.exec(address ?? '') ?? [];
    return path === undefined ? undefined : this.url + path;
  }

  async #json(url: string, asked: { repo: string; revision: string }, signal: AbortSignal): Promise<Answer> {
    for (let failures = 1; ; failures++) {
      const answer = await this.#ask(url, signal);
      if (answer instanceof StoreError) {
        if (failures >= this.#patience.tries) throw answer;
        await wait(waitBefore(failures, this.#patience), signal);
      } else {
        const { ok, status, headers, text } = answer;
        if (ok) return { headers, body: jsonIn(text, this.url, asked.repo) };
        const passing = status === 429 || status >= 500;
        if (!passing || failures >= this.#patience.tries) throw this.#refusal(answer, asked);
        await wait(waitBefore(failures, this.#patience, retryAfter(headers)), signal);
      }
    }
  }

  /** With its body: a list that breaks off is asked for again, like one that never came. */
  async #ask(url: string, signal: AbortSignal): Promise<Asked | StoreError> {
    try {
      const init = { headers: this.headersFor(url), signal: inTime(signal, this.#patience) };
      const response = await this.#fetch(url, init);
      const { ok, status, headers } = response;
      return { ok, status, headers, text: await response.text() };
    } catch (cause) {
      signal.throwIfAborted();
      return new StoreError('network', `${hostOf(url)} does not answer. Check the connection, then try again.`, {
        cause,
      });
    }
  }

  #refusal({ status, headers }: Asked, { repo, revision }: { repo: string; revision: string }): StoreError {
    const code = headers.get('x-error-code');
    const host = hostOf(this.url);
    if (code === 'RevisionNotFound') {
      return new StoreError('not-found', `${repo} has no revision «${revision}». Leave it away for the newest.`, {
        status,
      });
    }
    if (code === 'GatedRepo') return gatedError(repo, this.url, this.#token !== undefined, status);
    if (status === 401 && this.#token !== undefined && code !== 'RepoNotFound') {
      return new StoreError('token', `${host} does not know the access token. Give another, or none.`, { status });
    }
    if (status === 401 || status === 403 || status === 404) {
      const advice =
        'Check its spelling; it may have been renamed, deleted, or made private (then an access token opens it).';
      return new StoreError('not-found', `${host} has no model ${repo}, or does not show it. ${advice}`, { status });
    }
    return serverError(this.url, status);
  }
}

interface Answer {
  readonly headers: Headers;
  readonly body: unknown;
}

interface Asked extends Pick<Response, 'ok' | 'status' | 'headers'> {
  readonly text: string;
}

function inTime(signal: AbortSignal, { silence }: Patience): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(silence)]);
}

function jsonIn(text: string, hub: string, repo: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unexpected(hub, repo);
  }
}

function isRepo(id: string): boolean {
  return /^[\w.-]+\/[\w.-]+$/.test(id) && !/(^|\/)\.+(\/|$)/.test(id);
}

/** As a model's card names it; those that are no common one have a name of their own. */
function licenseOf(cardData: unknown): string | undefined {
  const card = typeof cardData === 'object' && cardData !== null ? (cardData as Record<string, unknown>) : {};
  const { license, license_name: own } = card;
  if (license === 'other' && typeof own === 'string') return own;
  return typeof license === 'string' ? license : undefined;
}

function record(value: unknown, repo: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw unexpected('The hub', repo);
}

function fileOf(entry: unknown): FileFacts | undefined {
  const { type, path, size, oid, lfs } = record(entry, 'the list');
  if (type !== 'file' || typeof path !== 'string' || !isPath(path)) return undefined;
  const large = typeof lfs === 'object' && lfs !== null ? (lfs as Record<string, unknown>) : undefined;
  const bytes = large?.size ?? size;
  if (typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes < 0) return undefined;
  // LFS's name for a file is its SHA-256; some mirrors write the algorithm before it.
  const sha256 = typeof large?.oid === 'string' ? large.oid.replace(/^sha256:/, '') : undefined;
  if (sha256 !== undefined && /^[0-9a-f]{64}$/.test(sha256)) return { path, size: bytes, sha256 };
  return { path, size: bytes, ...(typeof oid === 'string' && /^[0-9a-f]{40}$/.test(oid) && { gitOid: oid }) };
}

/** Git has no others, and an address with `..` in it would be another one. */
function isPath(path: string): boolean {
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

function unexpected(hub: string, repo: string): StoreError {
  const message = `${hub} answered about ${repo} with something that no model hub says. Is it the address of one?`;
  return new StoreError('server', message);
}

function hostOf(url: string): string {
  return new URL(url).host;
}

export function serverError(url: string, status: number): StoreError {
  const what = status === 429 ? 'wants fewer requests for a while' : `has trouble of its own (status ${status})`;
  return new StoreError('server', `${hostOf(url)} ${what}. Try again in a few minutes.`, { status });
}

export function gatedError(repo: string, hub: string, hasToken: boolean, status?: number): StoreError {
  const page = `${hub}/${repo}`;
  const message = hasToken
    ? `The access token does not open ${repo}: accept the publisher's terms at ${page} with the account that the token is of.`
    : `${repo} wants its terms accepted first: do that at ${page}, then give an access token of that account (Settings, Access Tokens: «read» is enough).`;
  return new StoreError(hasToken ? 'token' : 'gated', message, status === undefined ? {} : { status });
}
