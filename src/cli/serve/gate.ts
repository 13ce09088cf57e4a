/** Who may ask: by the Host header, the origin, and a token. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { ApiError } from '$lib/engine/handle';

export interface GateOptions {
  /** Names that this server is called by, beside this machine's own and addresses. */
  readonly hosts: readonly string[];
  /** Pages of other origins that may ask. None unless they are named. */
  readonly origins: readonly string[];
  readonly token: string | undefined;
  /** Reached from other machines: then their addresses for it count too. */
  readonly open: boolean;
}

const OWN_NAMES = ['localhost', '127.0.0.1', '[::1]'];

export class Gate {
  readonly #options: GateOptions;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /**
   * A page may point a name of its own at this machine (DNS rebinding), and then its requests come with that name.
   * Throws an ApiError.
   */
  requireHost({ headers }: IncomingMessage): void {
    const name = (headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
    const { hosts, open } = this.#options;
    if (OWN_NAMES.includes(name) || hosts.includes(name)) return;
    if (open && isIP(name.replace(/^\[(.*)\]$/, '$1')) > 0) return;
    throw new ApiError(`This server is not called «${name}». Name it with --allow-host.`, {
      status: 421,
      code: 'unknown_host',
    });
  }

  /** The headers of an answer that a page of another origin may read; throws an ApiError for one that may not ask. */
  crossOrigin({ headers }: IncomingMessage): Record<string, string> {
    const { origin, host } = headers;
    if (origin === undefined || origin === `http://${host}`) return {};
    if (!this.#options.origins.includes(origin)) {
      throw new ApiError(`Pages of ${origin} may not ask here. Name it with --allow-origin.`, {
        status: 403,
        code: 'origin_not_allowed',
      });
    }
    return {
      'Access-Control-Allow-Origin': origin,
      'Access-Control-Allow-Methods': 'GET, POST',
      'Access-Control-Allow-Headers': 'authorization, content-type, x-stainless-retry-count, x-stainless-timeout',
      'Access-Control-Max-Age': '600',
      'Cross-Origin-Resource-Policy': 'cross-origin',
      Vary: 'Origin',
    };
  }

  /** Takes as long for a token that is nearly right as for any other. Throws an ApiError. */
  requireToken({ headers }: IncomingMessage): void {
    const { token } = this.#options;
    if (token === undefined) return;
    const [, given = ''] = /^Bearer (.*)$/i.exec(headers.authorization ?? '') ?? [];
    if (timingSafeEqual(digest(given), digest(token))) return;
    const details = { status: 401, code: 'invalid_api_key', headers: { 'WWW-Authenticate': 'Bearer' } };
    throw new ApiError('A token is needed here: «Authorization: Bearer TOKEN».', details);
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
