/**
 * A weight matrix `[N, K]` on the GPU, and what fills it with the bytes of a file.
 *
 * Several tensors of a file may share one matrix, one below the other: q, k and v are one product then, of one dispatch
 * where they are of one type. What is larger than one binding is cut between rows, each part with buffers of its own.
 */
import { tensorTypeInfo } from '../formats/blocks';
import type { TensorType } from '../formats/blocks';
import type { QuantisationError } from '../formats/quantise';
import { ArgumentError } from '../device';
import type { Gpu, Tensor } from '../device';
import { chunksOf, chunkWords, layoutOf, MATRIX_TYPES, sideWords } from './layouts';
import type { Layout } from './layouts';
import { Quantiser } from './quantise';
import { repackBlocks } from './repack';

/** Rows of a matrix in one layout and one place. */
export interface MatrixPart {
  readonly layout: Layout;
  /** Chunks of a row. */
  readonly chunks: number;
  readonly firstRow: number;
  readonly rows: number;
  /** u32, `[rows, chunks]` of as many words as a chunk has. */
  readonly codes: Tensor;
  /** u32, `[rows, groups, words]`, where the layout has scales: they, and what else lies beside the codes. */
  readonly scales?: Tensor;
}

/** Rows that come from one tensor. */
export interface Section {
  readonly layout: Layout;
  readonly rows: number;
}

/** Parts are cut at multiples of this many rows. */
const ROW_BLOCK = 64;
/** Bytes that go to the GPU at once, to be repacked there. */
const PIECE = 8 * 1024 * 1024;

export class Matrix {
  readonly rows: number;
  readonly parts: readonly MatrixPart[];

  /** Sections lie one below the other; neighbours of the same layout are one part. */
  constructor(
    gpu: Gpu,
    readonly columns: number,
    sections: readonly Section[],
  ) {
    if (columns % 4 !== 0) throw new ArgumentError('columns', String(columns), 'a multiple of 4');
    this.rows = sections.reduce((sum, { rows }) => sum + rows, 0);
    let firstRow = 0;
    this.parts = joined(sections).flatMap((section) => {
      const parts = [...cut(gpu, columns, section, firstRow)];
      firstRow += section.rows;
      return parts;
    });
  }

  /** Bytes on the GPU. */
  get bytes(): number {
    return this.parts.reduce((sum, { codes, scales }) => sum + codes.byteLength + (scales?.byteLength ?? 0), 0);
  }

  destroy(): void {
    for (const { codes, scales } of this.parts) {
      codes.destroy();
      scales?.destroy();
    }
  }
}

function joined(sections: readonly Section[]): Section[] {
  const all: Section[] = [];
  for (const { layout, rows } of sections) {
    const last = all.at(-1);
    if (last?.layout === layout) all[all.length - 1] = { layout, rows: last.rows + rows };
    else all.push({ layout, rows });
  }
  return all;
}

function* cut(gpu: Gpu, columns: number, { layout, rows }: Section, firstRow: number): Generator<MatrixPart> {
  const { maxStorageBufferBindingSize, maxBufferSize } = gpu.limits;
  if (columns % layout.group !== 0) {
    throw new ArgumentError('columns', String(columns), `a multiple of ${layout.group} for ${layout.name}`);
  }
  const chunks = chunksOf(layout, columns);
  const words = chunks * chunkWords(layout);
  // What lies beside the codes is never more than they are.
  const most = Math.floor(Math.min(maxStorageBufferBindingSize, maxBufferSize) / (words * 4));
  const rowsAPart = most >= rows ? rows : Math.max(1, Math.floor(most / ROW_BLOCK) * ROW_BLOCK);
  const side = (columns / layout.group) * sideWords(layout).all;
  for (let done = 0; done < rows; done += rowsAPart) {
    const count = Math.min(rowsAPart, rows - done);
    yield {
      layout,
      chunks,
      firstRow: firstRow + done,
      rows: count,
      codes: gpu.empty([count * words], 'u32'),
      ...(side > 0 ? { scales: gpu.empty([count, side], 'u32') } : {}),
    };
  }
}

/** The layout for a type of tensor, or an error that names the types that have one. */
export function requireLayout(type: TensorType, name: string): Layout {
  const layout = layoutOf(type);
  if (layout) return layout;
  throw new ArgumentError(name, `a tensor of type ${type}`, `one of ${MATRIX_TYPES.join(', ')}`);
}

/**
 * Fills `rows` rows of a matrix, from `firstRow` on, with a tensor's bytes in pieces of any length. Where the layout
 * there is none of the tensor's type but one of blocks, its numbers are quantised.
 */
export class MatrixWriter {
  /** Bytes of a row, which go together: rows begin at whole chunks. */
  readonly #unit: number;
  /** Rows that go to the GPU at once. */
  readonly #mostRows: number;
  readonly #expected: number;
  #received = 0;
  #rest = new Uint8Array(0);
  /** Units done. */
  #done = 0;
  #quantiser: Quantiser | undefined;

  constructor(
    private readonly gpu: Gpu,
    private readonly matrix: Matrix,
    private readonly type: TensorType,
    private readonly firstRow: number,
    rows: number,
  ) {
    const { blockElements, blockBytes } = tensorTypeInfo(type);
    const rowBytes = (matrix.columns / blockElements) * blockBytes;
    this.#expected = rows * rowBytes;
    this.#unit = rowBytes;
    this.#mostRows = Math.max(1, Math.floor(Math.min(PIECE, gpu.limits.maxStorageBufferBindingSize) / rowBytes));
  }

  push(bytes: Uint8Array): void {
    this.#received += bytes.length;
    if (this.#received > this.#expected) {
      throw new ArgumentError('bytes', `${this.#received} in all`, `the ${this.#expected} of the tensor`);
    }
    const joined = this.#rest.length > 0 ? concat(this.#rest, bytes) : bytes;
    const units = Math.floor(joined.length / this.#unit);
    if (units > 0) this.#write(joined.subarray(0, units * this.#unit), units);
    this.#rest = joined.slice(units * this.#unit);
  }

  /** Throws unless every byte has come. */
  finish(): void {
    if (this.#received === this.#expected) return;
    throw new ArgumentError('bytes', `${this.#received} in all`, `the ${this.#expected} of the tensor`);
  }

  /** Of the whole tensor, after `finish`; undefined where nothing was lost. */
  quantisationError(): Promise<QuantisationError> | undefined {
    return this.#quantiser?.finish();
  }

  /** Whole rows, part by part. */
  #write(bytes: Uint8Array, rows: number): void {
    let at = 0;
    while (at < rows) {
      const row = this.firstRow + this.#done;
      const part = this.matrix.parts.find((one) => row < one.firstRow + one.rows)!;
      const count = Math.min(rows - at, part.firstRow + part.rows - row, this.#mostRows);
      this.#writeRows(part, row - part.firstRow, bytes.subarray(at * this.#unit, (at + count) * this.#unit));
      at += count;
      this.#done += count;
    }
  }

  #writeRows(part: MatrixPart, row: number, bytes: Uint8Array): void {
    const { chunks, layout } = part;
    const group = (row * this.matrix.columns) / layout.group;
    if (layout !== layoutOf(this.type)) {
      this.#quantiser ??= new Quantiser(this.gpu, this.type);
      return this.#quantiser.write(part, group, bytes);
    }
    if (part.scales) return repackBlocks(this.gpu, part, group, bytes, this.type);
    const padded = chunks * 16 === this.#unit ? bytes : pad(bytes, this.#unit, chunks * 16);
    this.gpu.writeBytes(part.codes, padded, row * chunks * 16);
  }
}

/** Rows of `from` bytes as rows of `to` bytes, zeros behind. */
function pad(bytes: Uint8Array, from: number, to: number): Uint8Array {
  const rows = bytes.length / from;
  const padded = new Uint8Array(rows * to);
  for (let row = 0; row < rows; row++) padded.set(bytes.subarray(row * from, (row + 1) * from), row * to);
  return padded;
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
