/**
 * What a hub serves: bytes in memory, files on a disk, or bytes made up on the way, so that a gigabyte needs neither
 * memory nor disk. With each its hashes, as the hub lists them.
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, statSync } from 'node:fs';

/**
 * @typedef {object} Content
 * @property {number} size in bytes
 * @property {(offset: number, length: number) => Uint8Array} at exactly so many bytes
 */

/**
 * @typedef {object} HubFile
 * @property {string} path
 * @property {Content} content
 * @property {string} gitOid SHA-1 as git names the blob: of the file itself, or of its LFS pointer
 * @property {string} [sha256] of a file in LFS
 * @property {string} etag as the CDN tells it, without quotes
 */

const PIECE = 1 << 20;

/**
 * @param {Uint8Array} bytes
 * @returns {Content}
 */
export function memoryContent(bytes) {
  return { size: bytes.length, at: (offset, length) => bytes.subarray(offset, offset + length) };
}

/**
 * @param {string} path
 * @returns {Content}
 */
export function diskContent(path) {
  return {
    size: statSync(path).size,
    at(offset, length) {
      const bytes = new Uint8Array(length);
      const file = openSync(path, 'r');
      try {
        const read = readSync(file, bytes, 0, length, offset);
        if (read !== length) throw new Error(`${path} became shorter while it was served.`);
      } finally {
        closeSync(file);
      }
      return bytes;
    },
  };
}

/**
 * Bytes that look random and are the same each time; no two pieces of a megabyte are alike.
 *
 * @param {number} size
 * @param {number} [seed]
 * @returns {Content}
 */
export function madeUpContent(size, seed = 1) {
  const block = new Uint8Array(PIECE);
  let state = seed >>> 0 || 1;
  for (let i = 0; i < block.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    block[i] = state >>> 24;
  }
  return {
    size,
    at(offset, length) {
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length;) {
        const position = offset + done;
        const from = position % PIECE;
        const count = Math.min(length - done, PIECE - from);
        bytes.set(block.subarray(from, from + count), done);
        const number = Math.floor(position / PIECE);
        // The piece's number stands in its first four bytes, the least significant one first.
        for (let i = from; i < Math.min(4, from + count); i++) bytes[done + i - from] = (number >>> (8 * i)) & 255;
        done += count;
      }
      return bytes;
    },
  };
}

/**
 * @param {string} path
 * @param {Content} content
 * @param {boolean} lfs whether git holds a pointer, and LFS the file
 * @returns {HubFile}
 */
export function hubFile(path, content, lfs) {
  if (!lfs) {
    const gitOid = gitBlob(content);
    return { path, content, gitOid, etag: gitOid };
  }
  const sha256 = digest(createHash('sha256'), content);
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize ${content.size}\n`;
  // The CDN has names of its own for what it holds, and they are no hashes of the content.
  const etag = createHash('sha256').update(`cdn:${sha256}`).digest('hex');
  return { path, content, gitOid: gitBlob(memoryContent(new TextEncoder().encode(pointer))), sha256, etag };
}

/** @param {Content} content */
function gitBlob(content) {
  return digest(createHash('sha1').update(`blob ${content.size}\0`), content);
}

/**
 * @param {import('node:crypto').Hash} hash
 * @param {Content} content
 */
function digest(hash, { size, at }) {
  for (let offset = 0; offset < size; offset += PIECE) hash.update(at(offset, Math.min(PIECE, size - offset)));
  return hash.digest('hex');
}
