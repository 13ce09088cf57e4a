/**
 * Tensors' bytes in the order of the file, in chunks: the way from a file to the GPU.
 *
 * At most two chunks are in memory, whatever the model's size: while one is being uploaded, the next is read.
 * Neighbours share a chunk, so that a hundred norms are one request to a server; a large tensor spans several.
 */
import { tensorTypeInfo } from '../../../gpu/formats/blocks';
import type { ByteSource } from './source';
import type { TensorEntry } from './types';

export interface StreamOptions {
  /** Of one chunk; two of them are the memory that a stream takes. 8 MiB unless told otherwise. */
  readonly chunkBytes?: number;
  readonly signal?: AbortSignal;
}

/** A part of a tensor, or all of it. */
export interface TensorPiece {
  readonly tensor: TensorEntry;
  /**
   * Where the piece begins in the tensor: at whole rows where a chunk holds one, else whole blocks, and always a
   * multiple of 4, as uploads to the GPU want it.
   */
  readonly byteOffset: number;
  /** Valid until the next piece is asked for: the memory is used again. */
  readonly bytes: Uint8Array;
  /** Whether the tensor ends here. */
  readonly last: boolean;
}

const CHUNK_BYTES = 8 * 2 ** 20;
/** Bytes between two tensors that are cheaper read than jumped over. */
const LARGEST_GAP = 64 * 1024;

/**
 * @param files a weights' `files`, or the one source of its entries
 * @param entries what is wanted; they come in the order of the files, not of this list
 */
export async function* streamTensors(
  files: ByteSource | readonly ByteSource[],
  entries: Iterable<TensorEntry>,
  options: StreamOptions = {},
): AsyncGenerator<TensorPiece, void, undefined> {
  const sources = 'read' in files ? [files] : files;
  const chunkBytes = options.chunkBytes ?? CHUNK_BYTES;
  const memory = [new ChunkMemory(chunkBytes), new ChunkMemory(chunkBytes)] as const;
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;

  const begin = (chunk: Chunk | undefined, turn: number): Promise<Uint8Array> | undefined => {
    if (!chunk) return undefined;
    const source = sources[chunk.file];
    if (!source) throw new RangeError(`There is no file ${chunk.file} for the tensor ${chunk.parts[0]!.tensor.name}.`);
    const reading = memory[turn % 2]!.read(source, chunk, signal);
    // Whoever stops early leaves the read ahead behind, and its rejection is nobody's.
    reading.catch(() => undefined);
    return reading;
  };

  const chunks = [...planChunks(entries, chunkBytes)];
  try {
    let ahead = begin(chunks[0], 0);
    for (const [turn, chunk] of chunks.entries()) {
      const bytes = await ahead!;
      ahead = begin(chunks[turn + 1], turn + 1);
      for (const part of chunk.parts) yield pieceOf(part, chunk, bytes);
    }
  } finally {
    stop.abort();
  }
}

/** One of the two places that chunks are read into by turns. */
class ChunkMemory {
  readonly #size: number;
  #bytes: Uint8Array | undefined;

  constructor(size: number) {
    this.#size = size;
  }

  async read(source: ByteSource, chunk: Chunk, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const length = chunk.end - chunk.start;
    if (!source.readInto) return source.read(chunk.start, length, signal);
    // A chunk is larger than asked for where not even one row's or block's unit fits.
    if (!this.#bytes || this.#bytes.length < length) this.#bytes = new Uint8Array(Math.max(length, this.#size));
    const target = this.#bytes.subarray(0, length);
    await source.readInto(target, chunk.start, signal);
    return target;
  }
}

function pieceOf(part: Part, chunk: Chunk, bytes: Uint8Array): TensorPiece {
  const { tensor, byteOffset, length } = part;
  const at = tensor.offset + byteOffset - chunk.start;
  return {
    tensor,
    byteOffset,
    bytes: bytes.subarray(at, at + length),
    last: byteOffset + length === tensor.byteLength,
  };
}

// ---- the plan --------------------------------------------------------------------------------------------------

interface Part {
  readonly tensor: TensorEntry;
  readonly byteOffset: number;
  readonly length: number;
}

/** One read: bytes `start` to `end` of a file, and the parts of tensors in it. */
interface Chunk {
  readonly file: number;
  readonly start: number;
  readonly end: number;
  readonly parts: readonly Part[];
}

export function* planChunks(entries: Iterable<TensorEntry>, chunkBytes: number): Generator<Chunk> {
  const inOrder = [...entries].sort((a, b) => a.file - b.file || a.offset - b.offset);
  let chunk: { file: number; start: number; end: number; parts: Part[] } | undefined;
  for (const part of partsOf(inOrder, chunkBytes)) {
    const { file } = part.tensor;
    const start = part.tensor.offset + part.byteOffset;
    const end = start + part.length;
    const joins =
      chunk?.file === file && end - chunk.start <= chunkBytes && start >= chunk.end && start - chunk.end <= LARGEST_GAP;
    if (chunk && joins) {
      chunk.parts.push(part);
      chunk.end = end;
    } else {
      if (chunk) yield chunk;
      chunk = { file, start, end, parts: [part] };
    }
  }
  if (chunk) yield chunk;
}

function* partsOf(tensors: readonly TensorEntry[], chunkBytes: number): Generator<Part> {
  for (const tensor of tensors) {
    const unit = unitOf(tensor, chunkBytes);
    const most = Math.max(unit, Math.floor(chunkBytes / unit) * unit);
    let byteOffset = 0;
    do {
      const length = Math.min(most, tensor.byteLength - byteOffset);
      yield { tensor, byteOffset, length };
      byteOffset += length;
    } while (byteOffset < tensor.byteLength);
  }
}

/** Where a tensor may be cut: between rows, and where a chunk is smaller than that, between blocks. */
function unitOf(tensor: TensorEntry, chunkBytes: number): number {
  const { blockElements, blockBytes } = tensorTypeInfo(tensor.type);
  const rowBytes = ((tensor.shape.at(-1) ?? 1) / blockElements) * blockBytes;
  const rows = multipleOf4(rowBytes);
  return rows > 0 && rows <= chunkBytes ? rows : multipleOf4(blockBytes);
}

function multipleOf4(bytes: number): number {
  let multiple = bytes;
  while (multiple % 4 !== 0) multiple += bytes;
  return multiple;
}
