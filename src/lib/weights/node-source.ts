/** Files under Node. Pages and workers must not import this module: it needs `node:fs`. */
import { type FileHandle, open } from 'node:fs/promises';
import { SourceError } from './errors';
import { type ByteSource, checkRange } from './source';

/** Opens a file; `close()` it in the end. Rejects with Node's own error where there is no such file. */
export async function openFile(path: string): Promise<ByteSource & { close(): Promise<void> }> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    return new FileSource(path, size, handle);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

class FileSource implements ByteSource {
  readonly #handle: FileHandle;

  constructor(
    readonly name: string,
    readonly size: number,
    handle: FileHandle,
  ) {
    this.#handle = handle;
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    checkRange(this, offset, length);
    const bytes = new Uint8Array(length);
    await this.readInto(bytes, offset, signal);
    return bytes;
  }

  async readInto(target: Uint8Array, offset: number, signal?: AbortSignal): Promise<void> {
    checkRange(this, offset, target.length);
    for (let done = 0; done < target.length;) {
      signal?.throwIfAborted();
      const { bytesRead } = await this.#handle.read(target, done, target.length - done, offset + done);
      if (bytesRead === 0) {
        throw new SourceError(
          this.name,
          'short',
          `the file ends at ${offset + done}; it had ${this.size} bytes when it was opened.`,
        );
      }
      done += bytesRead;
    }
    signal?.throwIfAborted();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
