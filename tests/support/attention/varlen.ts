/** Sequences of different lengths laid end to end, with or without pages, and what attention over each should give. */
import { expect } from 'vitest';
import { flashAttentionVarlen, type VarlenOptions } from '$gpu/attention';
import type { ReferenceOptions } from '$gpu/attention/reference';
import type { Gpu, Tensor } from '$gpu/device';
import type { FloatDType } from '$gpu/formats/dtype';
import { deviceOptions, downloadResult, poisonArena, withTensors, type Downloaded, type Tensors } from './device';
import { cumulative, randomBlockTable, toPages } from './layout';
import { normals, type Inputs, type Problem } from './problem';
import { expectByTheRule, judgeOf } from './rule';

export interface VarlenProblem {
  /** [queries, keys] of each sequence. */
  readonly lengths: readonly (readonly [number, number])[];
  readonly headsQ: number;
  readonly headsKv: number;
  readonly headDim: number;
  readonly dtype: FloatDType;
  readonly options: ReferenceOptions;
  /** Rows of a page; 0 = keys lie end to end. */
  readonly pageSize: number;
  readonly integers: 'Int32Array' | 'i32 Tensor';
  readonly seed: number;
}

/** Runs all sequences in one call, then holds each to the rule on its own. */
export async function checkVarlen(gpu: Gpu, problem: VarlenProblem): Promise<void> {
  const sequences = problem.lengths.map((_, b) => sequenceProblem(problem, b));
  const { out, lse } = await runVarlen(gpu, problem, sequences);
  const cuSeqlensQ = cumulative(problem.lengths.map(([queries]) => queries));
  const total = cuSeqlensQ.at(-1)!;
  const row = problem.headsQ * problem.headDim;
  sequences.forEach((sequence, b) => {
    const [from, to] = [cuSeqlensQ[b]!, cuSeqlensQ[b + 1]!];
    // lse is [Hq, total]: a run of each head's row.
    const heads = Array.from({ length: problem.headsQ }, (_, h) => lse.subarray(h * total + from, h * total + to));
    const result = { out: out.subarray(from * row, to * row), lse: heads.flatMap((head) => Array.from(head)) };
    expectByTheRule(result, judgeOf(sequence.problem, sequence.inputs), `sequence ${b}: `);
  });
}

interface Sequence {
  readonly problem: Problem;
  readonly inputs: Inputs;
}

function sequenceProblem(varlen: VarlenProblem, b: number): Sequence {
  const { lengths, headsQ, headsKv, headDim, dtype, options, seed } = varlen;
  const [seqQ, seqK] = lengths[b]!;
  const { alibiSlopes: slopes } = options;
  const own = slopes && slopes.length > headsQ ? Array.from(slopes).slice(b * headsQ, (b + 1) * headsQ) : slopes;
  return {
    problem: {
      shapes: { batch: 1, seqQ, seqK, headsQ, headsKv, headDim },
      dtype,
      options: { ...options, ...(own && { alibiSlopes: own }) },
    },
    inputs: {
      q: normals(seed + 10 * b, seqQ * headsQ * headDim, dtype, options.softcap || 1),
      k: normals(seed + 10 * b + 1, seqK * headsKv * headDim, dtype),
      v: normals(seed + 10 * b + 2, seqK * headsKv * headDim, dtype),
    },
  };
}

async function runVarlen(gpu: Gpu, varlen: VarlenProblem, sequences: readonly Sequence[]): Promise<Downloaded> {
  const { lengths, headsQ, headDim, dtype, options } = varlen;
  const total = lengths.reduce((sum, [queries]) => sum + queries, 0);
  return withTensors(gpu, async (tensors) => {
    const q = tensors.upload(concatenated(sequences.map(({ inputs }) => inputs.q)), [total, headsQ, headDim], dtype);
    const { k, v, blockTable } = keysAndValues(tensors, varlen, sequences);
    const out = tensors.poisoned([total, headsQ, headDim], dtype);
    poisonArena(gpu, [headsQ, total], 'f32');
    const ints = (values: readonly number[]): Int32Array | Tensor => indices(tensors, varlen, cumulative(values));
    const result = flashAttentionVarlen(gpu, q, k, v, {
      ...deviceOptions(tensors, options, headsQ),
      cuSeqlensQ: ints(lengths.map(([queries]) => queries)),
      cuSeqlensK: ints(lengths.map(([, keys]) => keys)),
      maxSeqlenQ: Math.max(...lengths.map(([queries]) => queries)),
      maxSeqlenK: Math.max(...lengths.map(([, keys]) => keys)),
      ...(blockTable && { blockTable }),
      out,
    });
    expect(result.out).toBe(out);
    expect(result.lse?.shape).toEqual([headsQ, total]);
    return downloadResult(gpu, result);
  });
}

function keysAndValues(
  tensors: Tensors,
  varlen: VarlenProblem,
  sequences: readonly Sequence[],
): { k: Tensor; v: Tensor; blockTable?: NonNullable<VarlenOptions['blockTable']> } {
  const { lengths, headsKv, headDim, dtype, pageSize, seed } = varlen;
  const row = headsKv * headDim;
  if (pageSize === 0) {
    const total = lengths.reduce((sum, [, keys]) => sum + keys, 0);
    const upload = (parts: Float32Array[]): Tensor =>
      tensors.upload(concatenated(parts), [total, headsKv, headDim], dtype);
    return { k: upload(sequences.map(({ inputs }) => inputs.k)), v: upload(sequences.map(({ inputs }) => inputs.v)) };
  }
  const batch = lengths.length;
  const longest = Math.max(...lengths.map(([, keys]) => keys));
  const layout = randomBlockTable(seed, batch, longest, pageSize);
  // Rows behind a sequence's end are NaN, as is all that no sequence uses.
  const padded = (parts: Float32Array[]): Float32Array =>
    concatenated(parts.map((part) => concatenated([part, new Float32Array(longest * row - part.length).fill(NaN)])));
  const upload = (parts: Float32Array[]): Tensor =>
    tensors.upload(
      toPages(padded(parts), { batch, seqK: longest, row }, layout).pages,
      [layout.blocks, pageSize, headsKv, headDim],
      dtype,
    );
  return {
    k: upload(sequences.map(({ inputs }) => inputs.k)),
    v: upload(sequences.map(({ inputs }) => inputs.v)),
    blockTable: indices(tensors, varlen, layout.table, [batch, layout.blocksPerSequence]),
  };
}

function indices(
  tensors: Tensors,
  { integers }: VarlenProblem,
  values: Int32Array,
  shape: readonly number[] = [values.length],
): Int32Array | Tensor {
  return integers === 'Int32Array' ? values : tensors.ints(values, shape);
}

function concatenated(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
