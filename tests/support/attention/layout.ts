/** The layouts that keys and values come in besides `[B, S, H, D]`: pages, sequences end to end, packed tensors. */
import { random } from '../gpu';

/** Numbers 0 .. count-1 in random order (Fisher and Yates). */
export function permutation(seed: number, count: number): Int32Array {
  const next = random(seed);
  const order = Int32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const other = Math.floor(next() * (i + 1));
    [order[i], order[other]] = [order[other]!, order[i]!];
  }
  return order;
}

export interface Paged {
  /** `[blocks, pageSize, H, D]` */
  readonly pages: Float32Array;
  readonly blocks: number;
  readonly pageSize: number;
  /** `[B, blocksPerSequence]` */
  readonly table: Int32Array;
  readonly blocksPerSequence: number;
}

/** A block table for `batch` sequences of up to `seqK` keys, its blocks scattered, with as many again unused. */
export function randomBlockTable(seed: number, batch: number, seqK: number, pageSize: number): Omit<Paged, 'pages'> {
  const blocksPerSequence = Math.max(1, Math.ceil(seqK / pageSize));
  const blocks = 2 * batch * blocksPerSequence;
  return { blocks, pageSize, table: permutation(seed, blocks).slice(0, batch * blocksPerSequence), blocksPerSequence };
}

/** x `[B, Sk, H, D]` cut into pages; what no sequence uses is NaN, so that reading it shows. */
export function toPages(
  x: Float32Array,
  { batch, seqK, row }: { batch: number; seqK: number; row: number },
  layout: Omit<Paged, 'pages'>,
): Paged {
  const pages = new Float32Array(layout.blocks * layout.pageSize * row).fill(NaN);
  for (let b = 0; b < batch; b++) {
    for (let s = 0; s < seqK; s++) {
      const from = (b * seqK + s) * row;
      pages.set(x.subarray(from, from + row), pagedRow(layout, b, s) * row);
    }
  }
  return { ...layout, pages };
}

/** Row of the pages at which token s of batch entry b lies. */
export function pagedRow({ table, pageSize, blocksPerSequence }: Omit<Paged, 'pages'>, b: number, s: number): number {
  return table[b * blocksPerSequence + Math.floor(s / pageSize)]! * pageSize + (s % pageSize);
}

/** Pages gathered back to `[B, Sk, H, D]`. */
export function fromPages(
  paged: Paged,
  { batch, seqK, row }: { batch: number; seqK: number; row: number },
): Float32Array {
  const x = new Float32Array(batch * seqK * row);
  for (let b = 0; b < batch; b++) {
    for (let s = 0; s < seqK; s++) {
      const from = pagedRow(paged, b, s) * row;
      x.set(paged.pages.subarray(from, from + row), (b * seqK + s) * row);
    }
  }
  return x;
}

/** `[0, l0, l0 + l1, ...]` */
export function cumulative(lengths: readonly number[]): Int32Array {
  const sums = new Int32Array(lengths.length + 1);
  lengths.forEach((length, b) => (sums[b + 1] = sums[b]! + length));
  return sums;
}

/** Sequence b out of tensors laid end to end: x `[total, H, D]`, `row` = H * D. */
export function sequenceOf(x: Float32Array, cuSeqlens: Int32Array, b: number, row: number): Float32Array {
  return x.slice(cuSeqlens[b]! * row, cuSeqlens[b + 1]! * row);
}

/** Tensors `[B, S, H, D]` interleaved to `[B, S, n, H, D]`, as flash_attn packs q, k and v. */
export function pack(parts: readonly Float32Array[], row: number): Float32Array {
  const tokens = parts[0]!.length / row;
  const packed = new Float32Array(tokens * parts.length * row);
  parts.forEach((part, n) => {
    for (let t = 0; t < tokens; t++) {
      packed.set(part.subarray(t * row, (t + 1) * row), (t * parts.length + n) * row);
    }
  });
  return packed;
}
