/** Addresses of servers: what a person types, made into where the API begins. */
import { EngineError } from '../engine-error';

const LOOPBACK = /^(?:localhost|.*\.localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * `localhost:11434` -> `http://localhost:11434/v1`, `https://models.example.com/v1/chat/completions` ->
 * `https://models.example.com/v1`. Throws an EngineError, `remote-address` or `remote-insecure`.
 *
 * @param page origin of the page that asks: a server that the page itself came from is no less safe than the page
 */
export function serverAddress(text: string, page?: string): string {
  const url = parse(text.trim());
  if (url.username !== '' || url.password !== '') {
    throw remoteAddress('An address with a name or password in it is kept in too many places. Give the key by itself.');
  }
  const safe = url.protocol === 'https:' || LOOPBACK.test(url.hostname) || url.origin === page;
  if (!safe) {
    throw new EngineError({
      code: 'remote-insecure',
      message:
        `${url.host} is asked over plain http: whoever is on the way could read all that is written, and browsers ` +
        `refuse it to a page that came over https. Put https before that server (a reverse proxy or a private ` +
        `network with certificates does), or open Fireside from it: «fireside serve» brings the app along.`,
    });
  }
  const path = url.pathname.replace(/\/+$/, '').replace(/\/(?:chat\/completions|completions|models)$/, '');
  return `${url.origin}${path === '' ? '/v1' : path}`;
}

/** Name and port: `localhost:11434`. */
export function hostOf(server: string): string {
  return URL.canParse(server) ? new URL(server).host : server;
}

function parse(text: string): URL {
  const schemed = /^[a-z][a-z\d+.-]*:\/\//i.test(text);
  // A name without a scheme is taken for https, unless it is this machine.
  const guess = /^(?:localhost|127\.|\[::1\])/i.test(text) ? 'http' : 'https';
  const whole = schemed ? text : `${guess}://${text}`;
  const url = text !== '' && URL.canParse(whole) ? new URL(whole) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.hostname !== '') return url;
  throw remoteAddress(
    `«${text}» is no address of a server. It is like http://localhost:11434 or https://example.com/v1.`,
  );
}

function remoteAddress(message: string): EngineError {
  return new EngineError({ code: 'remote-address', message });
}
