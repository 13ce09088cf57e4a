/**
 * One attention call, normalised: whatever the caller's layout, the kernels see dims, strides and a few scalars.
 * The twin of problem.wesl.
 */
import { ArgumentError, ParamWriter, bindRange } from '../device';
import type { BindingRange, Params, Tensor } from '../device';
import { bytesPerElement } from '../formats/dtype';
import type { AttentionKind, AttentionOptions } from './options';

export interface Dims {
  readonly batch: number;
  /** The longest sequence's. */
  readonly seqQ: number;
  readonly seqK: number;
  readonly headsQ: number;
  readonly headsKv: number;
  readonly headDim: number;
}

/** A strided look at `[B, S, H, D]` inside a tensor; strides and offset in elements. */
export interface Operand {
  readonly tensor: Tensor;
  readonly offset: number;
  readonly batch: number;
  readonly row: number;
  readonly head: number;
  /** Elements from the offset to the end of what may be touched. */
  readonly extent: number;
}

/** The table sequences.wesl writes, and where in it the per-head values begin (words), if they are there. */
export interface SequenceTable {
  readonly tensor: Tensor;
  readonly slopes?: number;
  /** Words from one batch entry's slopes to the next's; 0 where all share them. */
  readonly slopesBatch: number;
  readonly sinks?: number;
}

export interface Paging {
  readonly table: Tensor;
  /** Entries of the table a sequence has. */
  readonly row: number;
  readonly pages: number;
  readonly pageSize: number;
}

export interface Scoring {
  readonly scale: number;
  /** Keys before and after the diagonal; OPEN for all. */
  readonly left: number;
  readonly right: number;
  readonly softcap: number;
}

export interface Call {
  readonly dims: Dims;
  readonly q: Operand;
  readonly k: Operand;
  readonly v: Operand;
  readonly out: Operand;
  readonly lse: Tensor;
  readonly lseBatch: number;
  readonly lseHead: number;
  readonly lseOffset: number;
  /** Query rows of all batch entries together. */
  readonly tokens: number;
  readonly scoring: Scoring;
  /** Moves the diagonal, where the call covers only a part of the queries or keys. */
  readonly shift: number;
  readonly sequences?: SequenceTable;
  readonly paging?: Paging;
  /** Rows of k and v, where key j lies in row j modulo so many; what no window reaches is overwritten. */
  readonly ring?: number;
  /** 0 = chosen here. */
  readonly splits: number;
  /** Default 'auto'. */
  readonly kind?: AttentionKind;
}

/** Stands for «no bound»: far beyond any length, with room to add one. */
export const OPEN = 1 << 30;
const ABSENT = 0xffffffff;
/** Queries are multiplied by scale / softcap, and scores by softcap: both have to stay far within f32. */
const LEAST_SOFTCAP = 1e-20;

/** A contiguous tensor `[B, S, H, D]`, or `[S, H, D]` of one batch entry. */
export function contiguous(tensor: Tensor): Operand {
  const [rows, heads, dim] = tensor.shape.slice(-3) as [number, number, number];
  return {
    tensor,
    offset: 0,
    batch: tensor.shape.length === 4 ? rows * heads * dim : 0,
    row: heads * dim,
    head: dim,
    extent: tensor.size,
  };
}

/** One of the `parts` of a packed tensor `[B, S, parts, H, D]`. */
export function packedPart(tensor: Tensor, part: number): Operand {
  const [, rows, parts, heads, dim] = tensor.shape as [number, number, number, number, number];
  const offset = part * heads * dim;
  const row = parts * heads * dim;
  return { tensor, offset, batch: rows * row, row, head: dim, extent: Math.max(0, tensor.size - offset) };
}

export function scoringOf(options: AttentionOptions, headDim: number): Scoring {
  const { causal = false, windowSize = [-1, -1], softcap = 0 } = options;
  const scale = options.softmaxScale ?? 1 / Math.sqrt(headDim);
  if (!Number.isFinite(Math.fround(scale))) {
    throw new ArgumentError('softmaxScale', String(scale), 'a finite number that f32 holds');
  }
  if (softcap !== 0 && !(softcap >= LEAST_SOFTCAP && softcap <= 1 / LEAST_SOFTCAP)) {
    throw new ArgumentError('softcap', String(softcap), `0, or ${LEAST_SOFTCAP} to ${1 / LEAST_SOFTCAP}`);
  }
  const bounds = windowSize.map((size) => {
    if (!Number.isInteger(size) || size < -1) {
      throw new ArgumentError('windowSize', `[${windowSize.join(', ')}]`, 'two whole numbers, -1 for open');
    }
    return size === -1 ? OPEN : Math.min(size, OPEN);
  });
  if (bounds.length !== 2) throw new ArgumentError('windowSize', `${bounds.length} numbers`, 'two: [left, right]');
  return { scale, left: bounds[0]!, right: causal ? 0 : bounds[1]!, softcap };
}

/** Whether scores are changed between the product and the mask. */
export function modifiesScores(call: Call): boolean {
  return call.scoring.softcap > 0 || call.sequences?.slopes !== undefined || call.sequences?.sinks !== undefined;
}

export interface Bound {
  readonly binding: BindingRange;
  /** Where the operand begins inside the binding, in elements. */
  readonly offset: number;
}

/** Binds what the operand may touch; rows that begin off a vec4 make the call ragged (see isRagged). */
export function bindOperand(operand: Operand): Bound {
  const { binding, elementOffset } = bindRange(operand.tensor, operand.offset, operand.extent);
  return { binding, offset: elementOffset };
}

/** Whether rows begin or end inside a vec4, so that elements must be read one by one. */
export function isRagged(headDim: number, operand: Operand): boolean {
  const width = bytesPerElement(operand.tensor.dtype);
  const start = operand.tensor.offset / width + operand.offset;
  return [headDim, operand.batch, operand.row, operand.head, start].some((extent) => extent % 4 !== 0);
}

export interface Chunk {
  readonly batch: number;
  readonly head: number;
  readonly row: number;
  readonly rows: number;
  readonly pitch: number;
}

const WHOLE: Chunk = { batch: 0, head: 0, row: 0, rows: 0, pitch: 0 };

/** The uniform block, field by field as problem.wesl declares it. `offsets` are the operands' places in their bindings. */
export function problemParams(
  call: Call,
  offsets: { q?: number; k?: number; v?: number; out?: number },
  { splits = 1, chunk = WHOLE }: { splits?: number; chunk?: Chunk } = {},
): Params {
  const { dims, q, k, v, out, scoring, sequences, paging } = call;
  const group = dims.headsKv === 0 ? 1 : dims.headsQ / dims.headsKv;
  const writer = new ParamWriter();
  writer.u32(dims.seqQ).u32(dims.seqK).u32(dims.headsQ).u32(dims.headsKv);
  writer
    .u32(group)
    .u32(dims.batch)
    .u32(splits)
    .u32(paging?.pageSize ?? 1);
  writer
    .u32(q.batch)
    .u32(q.row)
    .u32(q.head)
    .u32(offsets.q ?? 0);
  writer
    .u32(k.batch)
    .u32(k.row)
    .u32(k.head)
    .u32(offsets.k ?? 0);
  writer
    .u32(v.batch)
    .u32(v.row)
    .u32(v.head)
    .u32(offsets.v ?? 0);
  writer
    .u32(out.batch)
    .u32(out.row)
    .u32(out.head)
    .u32(offsets.out ?? 0);
  writer
    .u32(call.lseBatch)
    .u32(call.lseHead)
    .u32(paging?.pages ?? 1)
    .u32(paging?.row ?? 1);
  writer
    .i32(scoring.left)
    .i32(scoring.right)
    .u32(sequences?.slopes ?? ABSENT)
    .u32(sequences?.slopesBatch ?? 0);
  writer
    .f32(queryScale(call))
    .f32(scoring.softcap)
    .u32(sequences?.sinks ?? ABSENT)
    .u32(call.tokens);
  writer
    .u32(Math.ceil(dims.headDim / 4))
    .u32(chunk.batch)
    .u32(chunk.head)
    .u32(chunk.row);
  writer.u32(chunk.rows).u32(chunk.pitch).i32(call.shift).u32(call.lseOffset);
  writer.u32(call.ring ?? ABSENT);
  return writer.done();
}

/** What q is multiplied by: base 2 at once where scores go straight into the softmax, else whatever comes first. */
function queryScale(call: Call): number {
  const { scale, softcap } = call.scoring;
  if (softcap > 0) return scale / softcap;
  return modifiesScores(call) ? scale : scale * Math.LOG2E;
}
