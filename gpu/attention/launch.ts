/**
 * From a call to dispatches: with the kernel that is best and right, and in parts where one binding is too small.
 *
 * Inputs beyond one binding are cut by batch entry, then by query rows, then by keys, and joined by their LSE.
 */
import { LimitError, describe } from '../device';
import type { Gpu } from '../device';
import { bytesPerElement } from '../formats/dtype';
import { chosenKernel } from './choice';
import { mergeResults } from './merge';
import { contiguous } from './problem';
import type { Call, Operand } from './problem';
import { run, withWholeWords } from './run';

/** Records the dispatches of a call, with the kernel that is best and right for it. */
export function launch(gpu: Gpu, call: Call): void {
  withWholeWords(gpu, call, (ready) => launchPart(gpu, ready));
}

// ---- more than one binding holds -------------------------------------------------------------------------------

function bytesOf(operand: Operand): number {
  return operand.extent * bytesPerElement(operand.tensor.dtype);
}

/** A binding may begin up to one alignment before what it is for. */
function room(gpu: Gpu): number {
  return gpu.limits.maxStorageBufferBindingSize - gpu.limits.minStorageBufferOffsetAlignment;
}

function oversized(gpu: Gpu, call: Call): boolean {
  return [call.q, call.k, call.v, call.out].some((operand) => bytesOf(operand) > room(gpu));
}

/** Queries are too many for one binding, or, where keys are cut, the two f32 results to join are. */
function tooManyQueries(gpu: Gpu, call: Call): boolean {
  const { seqQ, headsQ, headDim } = call.dims;
  const toJoin = 2 * seqQ * headsQ * Math.ceil(headDim / 4) * 16;
  const keysAreCut = Math.max(bytesOf(call.k), bytesOf(call.v)) > room(gpu);
  return Math.max(bytesOf(call.q), bytesOf(call.out), keysAreCut ? toJoin : 0) > room(gpu);
}

/** Halves the call along the first axis that helps, until every part fits. */
function launchInParts(gpu: Gpu, call: Call): void {
  const { dims, sequences, paging } = call;
  if (sequences || paging) {
    const largest = [call.k, call.v, call.q, call.out].reduce((a, b) => (bytesOf(a) >= bytesOf(b) ? a : b));
    throw new LimitError(
      'maxStorageBufferBindingSize',
      bytesOf(largest),
      gpu.limits.maxStorageBufferBindingSize,
      `${describe(largest.tensor)} in one attention call with lengths, tables or head values`,
    );
  }
  if (dims.batch > 1) {
    for (let b = 0; b < dims.batch; b++) launchPart(gpu, batchEntry(call, b));
  } else if (dims.seqQ > 1 && tooManyQueries(gpu, call)) {
    const half = Math.ceil(dims.seqQ / 2);
    launchPart(gpu, queryRange(call, 0, half));
    launchPart(gpu, queryRange(call, half, dims.seqQ));
  } else {
    launchKeyHalves(gpu, call);
  }
}

function launchPart(gpu: Gpu, call: Call): void {
  if (oversized(gpu, call)) launchInParts(gpu, call);
  else run(gpu, call, chosenKernel(gpu, call));
}

/** Attention over the first and over the second half of the keys, joined. */
function launchKeyHalves(gpu: Gpu, call: Call): void {
  const { dims } = call;
  if (dims.seqK < 2) {
    const row = Math.max(bytesOf(call.k), bytesOf(call.q));
    throw new LimitError('maxStorageBufferBindingSize', row, room(gpu), 'one row of all heads');
  }
  gpu.scoped(() => {
    const half = Math.ceil(dims.seqK / 2);
    const shape = [dims.batch, dims.seqQ, dims.headsQ, dims.headDim];
    const results = [keyRange(call, 0, half), keyRange(call, half, dims.seqK)].map((part) => {
      const out = gpu.scratch(shape, 'f32');
      const lse = gpu.scratch([dims.batch, dims.headsQ, dims.seqQ], 'f32');
      const strides = { lseBatch: dims.headsQ * dims.seqQ, lseHead: dims.seqQ, lseOffset: 0 };
      launchPart(gpu, { ...part, out: contiguous(out), lse, ...strides });
      return { out, lse };
    });
    mergeResults(gpu, call, results);
  });
}

/** Batch entry b alone. */
function batchEntry(call: Call, b: number): Call {
  const one = (operand: Operand): Operand => from(operand, b * operand.batch, operand.batch);
  return {
    ...call,
    dims: { ...call.dims, batch: 1 },
    q: one(call.q),
    k: one(call.k),
    v: one(call.v),
    out: one(call.out),
    lseOffset: call.lseOffset + b * call.lseBatch,
    tokens: call.dims.seqQ,
  };
}

function queryRange(call: Call, begin: number, end: number): Call {
  const rows = (operand: Operand): Operand => from(operand, begin * operand.row, (end - begin) * operand.row);
  return {
    ...call,
    dims: { ...call.dims, seqQ: end - begin },
    q: rows(call.q),
    out: rows(call.out),
    // Query i of the part is query begin + i: the diagonal moves by what the part's own length takes away.
    shift: call.shift + end - call.dims.seqQ,
    lseOffset: call.lseOffset + begin,
    tokens: end - begin,
  };
}

function keyRange(call: Call, begin: number, end: number): Call {
  const rows = (operand: Operand): Operand => from(operand, begin * operand.row, (end - begin) * operand.row);
  return {
    ...call,
    dims: { ...call.dims, seqK: end - begin },
    k: rows(call.k),
    v: rows(call.v),
    shift: call.shift + call.dims.seqK - end,
  };
}

function from(operand: Operand, offset: number, extent: number): Operand {
  return { ...operand, offset: operand.offset + offset, extent: Math.min(extent, operand.extent - offset) };
}
