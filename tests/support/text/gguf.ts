/** Reads the metadata of a trusted GGUF file, in the plainest way; independent of the reader in src/lib/weights. */
import { readFileSync } from 'node:fs';

// A byte order mark stays: SentencePiece vocabularies have a token for it.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

type Value = number | bigint | boolean | string | Value[];

class Cursor {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  number(size: number, read: (view: DataView, at: number) => number | bigint): number {
    const value = Number(read(this.#view, this.at));
    this.at += size;
    return value;
  }

  u32(): number {
    return this.number(4, (view, at) => view.getUint32(at, true));
  }

  u64(): number {
    return this.number(8, (view, at) => view.getBigUint64(at, true));
  }

  string(): string {
    const length = this.u64();
    this.at += length;
    return decoder.decode(this.#bytes.subarray(this.at - length, this.at));
  }

  /** A value of GGUF's type number `type`. */
  value(type: number): Value {
    switch (type) {
      case 0:
        return this.number(1, (view, at) => view.getUint8(at));
      case 4:
        return this.u32();
      case 5:
        return this.number(4, (view, at) => view.getInt32(at, true));
      case 6:
        return this.number(4, (view, at) => view.getFloat32(at, true));
      case 7:
        return this.number(1, (view, at) => view.getUint8(at)) !== 0;
      case 8:
        return this.string();
      case 9: {
        const element = this.u32();
        return Array.from({ length: this.u64() }, () => this.value(element));
      }
      case 10:
        return this.u64();
      default:
        throw new Error(`GGUF type ${type} at byte ${this.at} is not read here`);
    }
  }
}

export function readMetadata(file: string): Map<string, unknown> {
  const cursor = new Cursor(readFileSync(file));
  cursor.at = 16; // magic, version, number of tensors
  const metadata = new Map<string, unknown>();
  for (let left = cursor.u64(); left > 0; left--) metadata.set(cursor.string(), cursor.value(cursor.u32()));
  return metadata;
}
