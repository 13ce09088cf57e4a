/**
 * Reads a stream of bytes through one piece of memory. Read in the usual way, each piece is memory of its own and soon
 * garbage: hundreds of megabytes of it, until somebody collects it.
 */

const PIECE = 256 * 1024;

export class StreamReader {
  readonly #byob: ReadableStreamBYOBReader | undefined;
  readonly #plain: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #memory = new ArrayBuffer(PIECE);

  constructor(stream: ReadableStream<Uint8Array>) {
    try {
      this.#byob = stream.getReader({ mode: 'byob' });
    } catch {
      // A stream that cannot be read so, as of an older browser.
      this.#plain = stream.getReader();
    }
  }

  /** The next bytes, valid until the next call; undefined at the end. */
  async read(): Promise<Uint8Array | undefined> {
    if (!this.#byob) return (await this.#plain!.read()).value;
    const { done, value } = await this.#byob.read(new Uint8Array(this.#memory));
    // The memory went there and came back.
    if (value) this.#memory = value.buffer;
    return done ? undefined : value;
  }

  async cancel(): Promise<void> {
    await (this.#byob ?? this.#plain)?.cancel();
  }
}

/** A Blob's bytes, a piece at a time, each valid only while `use` runs; returns how many there were. */
export async function readBlob(blob: Blob, use: (bytes: Uint8Array) => void): Promise<number> {
  const reader = new StreamReader(blob.stream());
  let length = 0;
  for (let bytes = await reader.read(); bytes; bytes = await reader.read()) {
    use(bytes);
    length += bytes.length;
  }
  return length;
}
