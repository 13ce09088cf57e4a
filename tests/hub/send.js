/** A file's bytes on their way: ranges and conditions, the speed that was asked for, and what was made to go wrong. */

/** @import { IncomingMessage, ServerResponse } from 'node:http' */
/** @import { HubFile } from './content.js' */
/** @import { Fault, Faults } from './faults.js' */
/** @import { Entry } from './log.js' */

/**
 * @typedef {object} Sending
 * @property {HubFile} file
 * @property {Entry} entry where it is counted
 * @property {Faults} faults
 * @property {() => number | undefined} rate bytes a second
 */

/** Small, so that little lies between us and the browser when a connection breaks. */
const PIECE = 16 * 1024;

/**
 * @param {IncomingMessage} request
 * @param {ServerResponse} response
 * @param {Sending} sending
 */
export function sendFile(request, response, { file, entry, faults, rate }) {
  const { size } = file.content;
  const etag = String(response.getHeader('ETag'));
  const asked = rangeOf(request, etag, size);
  const taken = faults.take('file', file.path, asked === 'outside' ? undefined : asked);
  const end = (/** @type {number} */ status, /** @type {Record<string, string>} */ headers = {}) => {
    entry.status = status;
    response.writeHead(status, headers).end();
  };
  if (taken.status) return end(taken.status.status ?? 500, taken.status.headers);
  const { 'if-match': wanted, 'if-none-match': held } = request.headers;
  if (wanted !== undefined && wanted !== etag) return end(412);
  if (held === etag) return end(304);
  if (asked === 'outside') return end(416, { 'Content-Range': `bytes */${size}` });
  const range = taken['no-range'] ? undefined : asked;
  const first = range?.first ?? 0;
  const last = range?.last ?? size - 1;
  entry.status = range ? 206 : 200;
  entry.first = first;
  if (!taken['no-range']) response.setHeader('Accept-Ranges', 'bytes');
  response.writeHead(entry.status, {
    'Content-Type': 'application/octet-stream',
    'Content-Length': last + 1 - first,
    ...(range && { 'Content-Range': `bytes ${first}-${last}/${size}` }),
  });
  if (request.method === 'HEAD') return void response.end();
  void pour(response, { file, entry, first, last, rate, taken });
}

/**
 * @param {ServerResponse} response
 * @param {Pick<Sending, 'file' | 'entry' | 'rate'> & { first: number, last: number, taken: { [K in Fault['kind']]?: Fault } }} sending
 */
async function pour(response, { file, entry, first, last, rate, taken }) {
  const stop = Math.min(taken.cut?.after ?? Infinity, taken.stall?.after ?? Infinity);
  const start = performance.now();
  let owed = 0;
  for (let offset = first; offset <= last;) {
    const length = Math.min(PIECE, last + 1 - offset, stop - entry.sent);
    if (length <= 0) break;
    const bytes = Buffer.from(file.content.at(offset, length));
    const flipped = (taken.wrong?.offset ?? -1) - offset;
    if (flipped >= 0 && flipped < length) bytes[flipped] = (bytes[flipped] ?? 0) ^ 1;
    await new Promise((done) => {
      response.once('close', done);
      response.write(bytes, () => {
        response.off('close', done);
        done(undefined);
      });
    });
    if (response.destroyed) return;
    entry.sent += length;
    offset += length;
    const speed = rate();
    if (speed === undefined) continue;
    // Timers are coarse: sleep when there is something to sleep for.
    owed = (entry.sent / speed) * 1000 - (performance.now() - start);
    if (owed > 2) await new Promise((done) => setTimeout(done, owed));
  }
  if (taken.cut) return void response.destroy();
  if (!taken.stall) response.end();
}

/**
 * @param {IncomingMessage} request
 * @param {string} etag
 * @param {number} size
 * @returns {{ first: number, last: number } | 'outside' | undefined} undefined: the whole file
 */
function rangeOf({ headers }, etag, size) {
  if (headers['if-range'] !== undefined && headers['if-range'] !== etag) return undefined;
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? [];
  if (first === undefined) return undefined;
  const range = { first: Number(first), last: Math.min(last ? Number(last) : Infinity, size - 1) };
  return range.first >= size || range.last < range.first ? 'outside' : range;
}
