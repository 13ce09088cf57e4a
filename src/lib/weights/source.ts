/**
 * Where bytes come from. Readers and the stream of tensors know this interface alone; a URL is `url-source.ts`, a
 * file under Node `node-source.ts`, and the store can give another over its chunks.
 */
import { SourceError } from './errors';

export interface ByteSource {
  /** For messages: a file's name or an address. */
  readonly name: string;
  /** Bytes in all. */
  readonly size: number;
  /**
   * Exactly `length` bytes from `offset`, or a rejection: a `SourceError`, or the signal's reason. The array is not
   * to be written to.
   */
  read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** The same into `target`, all of it, where a source can do so without memory of its own. */
  readInto?(target: Uint8Array, offset: number, signal?: AbortSignal): Promise<void>;
  /** Gives back what the source holds open. */
  close?(): Promise<void>;
}

/** Refuses what lies outside the source, whatever numbers a header came up with. */
export function checkRange(source: ByteSource, offset: number, length: number): void {
  const inside =
    Number.isSafeInteger(offset) &&
    Number.isSafeInteger(length) &&
    offset >= 0 &&
    length >= 0 &&
    offset + length <= source.size;
  if (!inside) {
    const message = `bytes ${offset} to ${offset + length} are outside the file, which has ${source.size}.`;
    throw new SourceError(source.name, 'outside', message);
  }
}

/** Bytes that are in memory already. Reads are views. */
export function memorySource(bytes: Uint8Array, name = 'memory'): ByteSource {
  const source: ByteSource = {
    name,
    size: bytes.length,
    async read(offset, length, signal) {
      signal?.throwIfAborted();
      checkRange(source, offset, length);
      return bytes.subarray(offset, offset + length);
    },
    async readInto(target, offset, signal) {
      target.set(await source.read(offset, target.length, signal));
    },
  };
  return source;
}

/** A file that a person chose, or any Blob. */
export function blobSource(blob: Blob, name = blobName(blob)): ByteSource {
  const source: ByteSource = {
    name,
    size: blob.size,
    async read(offset, length, signal) {
      signal?.throwIfAborted();
      checkRange(source, offset, length);
      const bytes = new Uint8Array(await readBlob(blob.slice(offset, offset + length), name));
      // Nothing interrupts the read of a Blob: what came too late is thrown away.
      signal?.throwIfAborted();
      if (bytes.length !== length) {
        throw new SourceError(name, 'short', `${bytes.length} bytes came where ${length} were asked for.`);
      }
      return bytes;
    },
  };
  return source;
}

function blobName(blob: Blob): string {
  return typeof File !== 'undefined' && blob instanceof File ? blob.name : 'Blob';
}

async function readBlob(part: Blob, name: string): Promise<ArrayBuffer> {
  try {
    return await part.arrayBuffer();
  } catch (cause) {
    // A File whose file was changed, moved or deleted since it was chosen answers with NotReadableError.
    throw new SourceError(
      name,
      'changed',
      'the file can no longer be read; it may have been changed or moved. Choose it again.',
      { cause },
    );
  }
}
