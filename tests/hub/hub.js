/**
 * A local model hub that answers as Hugging Face's does: lists with sizes and LFS hashes, revisions, redirects to a CDN
 * at another origin, ranges, ETags, gated repositories, CORS. It sends as fast or slowly as it is told, goes wrong as it
 * is told (faults.js), and keeps book (log.js). Plain Node, for this machine alone.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { hubFile } from './content.js';
import { Faults } from './faults.js';
import { RequestLog } from './log.js';
import { sendFile } from './send.js';

/** @import { IncomingMessage, Server, ServerResponse } from 'node:http' */
/** @import { Content, HubFile } from './content.js' */

/**
 * @typedef {object} Repo
 * @property {Record<string, Content>} files by path
 * @property {boolean} [gated] whether its files want a token that was granted access
 */

/**
 * @typedef {object} HubOptions
 * @property {Record<string, Repo>} repos by `owner/name`
 * @property {number} [port] of the hub; the CDN gets any
 * @property {string} [host]
 * @property {number} [rate] bytes a second on each connection
 * @property {number} [pageSize] entries of a list in one answer
 * @property {string} [token] that opens gated repositories
 */

/** Git holds files up to this size itself, LFS the larger ones, and weights of any size. */
const LFS_FROM = 10 * 2 ** 20;
const WEIGHTS = /\.(gguf|safetensors|bin)$/;

/** What scripts of other origins may read of the answers, in the real hub's own words. */
const HUB_EXPOSES =
  'X-Repo-Commit,X-Request-Id,X-Error-Code,X-Error-Message,X-Total-Count,ETag,Link,Accept-Ranges,Content-Range,X-Linked-Size,X-Linked-ETag,X-Xet-Hash';
const CDN_EXPOSES = 'Accept-Ranges,Content-Range,Content-Length,Content-Disposition,ETag';

/** @param {HubOptions} options */
export async function startHub(options) {
  const hub = new Hub(options);
  await hub.listen();
  return hub;
}

/**
 * @typedef {object} Commit
 * @property {string} id 40 hexadecimal digits
 * @property {Map<string, HubFile>} files
 */

export class Hub {
  log = new RequestLog();
  faults = new Faults();
  /** Bytes a second on each connection; may be changed at any time. @type {number | undefined} */
  rate;

  #options;
  /** By repository, its commits: the last one is main. @type {Map<string, Commit[]>} */
  #repos = new Map();
  /** By the name that the CDN has for a file. @type {Map<string, HubFile>} */
  #cdnFiles = new Map();
  #hub = createServer((request, response) => this.#answerHub(request, response));
  #cdn = createServer((request, response) => this.#answerCdn(request, response));

  /** @param {HubOptions} options */
  constructor(options) {
    this.#options = options;
    this.rate = options.rate;
    for (const [name, { files }] of Object.entries(options.repos)) this.commit(name, files);
  }

  get url() {
    return originOf(this.#hub, this.#options.host);
  }

  /**
   * Adds a revision, which becomes main; older ones stay, as git has it.
   *
   * @param {string} name
   * @param {Record<string, Content>} files
   * @returns {string} its id
   */
  commit(name, files) {
    const list = Object.entries(files).map(([path, content]) =>
      hubFile(path, content, WEIGHTS.test(path) || content.size > LFS_FROM),
    );
    const id = createHash('sha1')
      .update(JSON.stringify(list.map(({ path, gitOid }) => [path, gitOid])))
      .digest('hex');
    const commits = this.#repos.get(name) ?? [];
    this.#repos.set(name, [...commits, { id, files: new Map(list.map((file) => [file.path, file])) }]);
    return id;
  }

  /**
   * Puts other bytes where a file was, under the same revision: what no hub does, and any other server may.
   *
   * @param {string} name
   * @param {string} path
   * @param {Content} content
   */
  replace(name, path, content) {
    const commit = this.#repos.get(name)?.at(-1);
    const file = commit?.files.get(path);
    if (!commit || !file) throw new Error(`There is no ${name}/${path}.`);
    commit.files.set(path, hubFile(path, content, file.sha256 !== undefined));
  }

  async listen() {
    await listen(this.#hub, this.#options.port ?? 0, this.#options.host);
    await listen(this.#cdn, 0, this.#options.host);
  }

  /** Breaks every connection that is open; new ones are taken. */
  cutAll() {
    this.#hub.closeAllConnections();
    this.#cdn.closeAllConnections();
  }

  close() {
    this.cutAll();
    this.#hub.close();
    this.#cdn.close();
  }

  // ---- the hub itself ------------------------------------------------------------------------------------------

  /**
   * @param {IncomingMessage} request
   * @param {ServerResponse} response
   */
  #answerHub(request, response) {
    response.setHeader('Access-Control-Allow-Origin', request.headers.origin ?? '*');
    response.setHeader('Vary', 'Origin');
    response.setHeader('Access-Control-Expose-Headers', HUB_EXPOSES);
    if (request.method === 'OPTIONS') {
      response.setHeader('Access-Control-Allow-Methods', 'GET,HEAD,OPTIONS');
      response.setHeader('Access-Control-Allow-Headers', request.headers['access-control-request-headers'] ?? '');
      return void response.writeHead(204).end();
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') return fail(response, 405, 'MethodNotAllowed', 'No.');
    const url = new URL(request.url ?? '/', 'http://hub');
    const path = decodeURIComponent(url.pathname);
    const api = /^\/api\/models\/([^/]+\/[^/]+)(?:\/(tree|revision)\/(.+))?$/.exec(path);
    if (api) return this.#answerApi(request, response, { name: api[1] ?? '', verb: api[2], revision: api[3], url });
    const file = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(path);
    if (file)
      return this.#answerResolve(request, response, {
        name: file[1] ?? '',
        revision: file[2] ?? '',
        path: file[3] ?? '',
      });
    fail(response, 404, 'EntryNotFound', 'Sorry, we can’t find the page you are looking for.');
  }

  /**
   * @param {IncomingMessage} request
   * @param {ServerResponse} response
   * @param {{ name: string, verb: string | undefined, revision: string | undefined, url: URL }} asked
   */
  #answerApi(request, response, { name, verb, revision = 'main', url }) {
    const commit = this.#find(request, response, name, revision);
    const status = this.faults.take('api', '').status;
    if (status) return void response.writeHead(status.status ?? 500, status.headers).end();
    if (!commit) return this.#note(request, 'api', url.pathname, response.statusCode);
    this.#note(request, 'api', url.pathname, 200);
    const all = [...commit.files.values()];
    if (verb !== 'tree') {
      const gated = this.#options.repos[name]?.gated ? 'manual' : false;
      const siblings = all.map(({ path }) => ({ rfilename: path }));
      return sendJson(response, { id: name, modelId: name, sha: commit.id, private: false, gated, siblings });
    }
    const deep = url.searchParams.get('recursive') === 'true';
    const listed = all.filter(({ path }) => deep || !path.includes('/'));
    const from = Number(url.searchParams.get('cursor') ?? 0);
    const to = from + (this.#options.pageSize ?? 1000);
    if (to < listed.length) {
      const next = new URL(url.pathname + url.search, this.url);
      next.searchParams.set('cursor', String(to));
      response.setHeader('Link', `<${next.href}>; rel="next"`);
    }
    sendJson(response, listed.slice(from, to).map(treeEntry));
  }

  /**
   * @param {IncomingMessage} request
   * @param {ServerResponse} response
   * @param {{ name: string, revision: string, path: string }} asked
   */
  #answerResolve(request, response, { name, revision, path }) {
    const commit = this.#find(request, response, name, revision);
    if (!commit) return this.#note(request, 'resolve', path, response.statusCode);
    const file = commit.files.get(path);
    const status = this.faults.take('resolve', path).status;
    if (status) {
      this.#note(request, 'resolve', path, status.status ?? 500);
      return void response.writeHead(status.status ?? 500, status.headers).end();
    }
    if (this.#options.repos[name]?.gated && !this.#isGranted(request)) {
      const known = request.headers.authorization !== undefined;
      this.#note(request, 'resolve', path, known ? 403 : 401);
      const message = known ? `Your token has no access to model ${name}.` : `Access to model ${name} is restricted.`;
      return fail(response, known ? 403 : 401, 'GatedRepo', message);
    }
    if (!file) {
      this.#note(request, 'resolve', path, 404);
      return fail(response, 404, 'EntryNotFound', 'Entry not found');
    }
    response.setHeader('X-Repo-Commit', commit.id);
    response.setHeader('ETag', `"${file.sha256 ?? file.gitOid}"`);
    if (file.sha256 === undefined) {
      // What git holds the hub sends itself.
      const entry = this.#note(request, 'file', path, 200);
      return sendFile(request, response, { file, entry, faults: this.faults, rate: () => this.rate });
    }
    this.#note(request, 'resolve', path, 302);
    const key = `${file.etag}-${createHash('sha1').update(`${name}/${path}`).digest('hex').slice(0, 8)}`;
    this.#cdnFiles.set(key, file);
    response.setHeader('X-Linked-Size', file.content.size);
    response.setHeader('X-Linked-ETag', `"${file.sha256}"`);
    response.writeHead(302, { Location: `${originOf(this.#cdn, this.#options.host)}/${key}?Expires=1&Signature=x` });
    response.end();
  }

  // ---- the CDN -------------------------------------------------------------------------------------------------

  /**
   * @param {IncomingMessage} request
   * @param {ServerResponse} response
   */
  #answerCdn(request, response) {
    // The real one's preflights have failed in the past: whoever needs one has already lost.
    if (request.method === 'OPTIONS') return void response.writeHead(403).end();
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Access-Control-Expose-Headers', CDN_EXPOSES);
    const file = this.#cdnFiles.get((request.url ?? '').replace(/^\/|\?.*$/g, ''));
    if (!file) return fail(response, 403, 'AccessDenied', 'Access denied');
    response.setHeader('ETag', `"${file.etag}"`);
    const entry = this.#note(request, 'file', file.path, 200);
    sendFile(request, response, { file, entry, faults: this.faults, rate: () => this.rate });
  }

  // ---- both ----------------------------------------------------------------------------------------------------

  /**
   * @param {IncomingMessage} request
   * @param {ServerResponse} response
   * @param {string} name
   * @param {string} revision
   */
  #find(request, response, name, revision) {
    const commits = this.#repos.get(name);
    if (!commits) {
      // To whom it does not know it does not tell which repositories there are.
      if (request.headers.authorization === undefined) {
        fail(response, 401, 'RepoNotFound', 'Invalid username or password.');
      } else fail(response, 404, 'RepoNotFound', 'Repository not found');
      return undefined;
    }
    const commit = revision === 'main' ? commits.at(-1) : commits.find(({ id }) => id === revision);
    if (!commit) fail(response, 404, 'RevisionNotFound', `Invalid rev id: ${revision}`);
    return commit;
  }

  /** @param {IncomingMessage} request */
  #isGranted(request) {
    const { token } = this.#options;
    return token !== undefined && request.headers.authorization === `Bearer ${token}`;
  }

  /**
   * @param {IncomingMessage} request
   * @param {'api' | 'resolve' | 'file'} where
   * @param {string} path
   * @param {number} status
   */
  #note(request, where, path, status) {
    const token = request.headers.authorization !== undefined;
    return this.log.add({ method: request.method ?? 'GET', where, path, status, token, first: 0 });
  }
}

/** @param {HubFile} file */
function treeEntry({ path, content, gitOid, sha256 }) {
  const lfs = sha256 === undefined ? {} : { lfs: { oid: sha256, size: content.size, pointerSize: 135 } };
  return { type: 'file', oid: gitOid, size: content.size, path, ...lfs };
}

/**
 * @param {ServerResponse} response
 * @param {unknown} value
 */
function sendJson(response, value) {
  response.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8' }).end(JSON.stringify(value));
}

/**
 * @param {ServerResponse} response
 * @param {number} status
 * @param {string} code
 * @param {string} message
 */
function fail(response, status, code, message) {
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'X-Error-Code': code,
    'X-Error-Message': encodeURI(message),
  });
  response.end(JSON.stringify({ error: message }));
}

/**
 * @param {Server} server
 * @param {number} port
 * @param {string} [host]
 * @returns {Promise<void>}
 */
function listen(server, port, host = '127.0.0.1') {
  return new Promise((done, failed) => {
    server.once('error', failed);
    server.listen(port, host, done);
  });
}

/**
 * @param {Server} server
 * @param {string} [host]
 */
function originOf(server, host = '127.0.0.1') {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The hub does not listen.');
  return `http://${host === '0.0.0.0' ? 'localhost' : host}:${address.port}`;
}
