/** What all dense calls share: checks, outputs, and the table of values a head. */
import type { Gpu, Tensor } from '../device';
import { checkHeadValues, checkHeads, checkOut, checkSameDType, checkShapeIs, checkTensor } from './check';
import type { AttentionOptions, AttentionResult } from './options';
import { contiguous, scoringOf } from './problem';
import type { Call, Dims, Operand } from './problem';
import { sequenceTable, uniformLengths } from './sequences';

export interface Inputs {
  readonly dims: Dims;
  readonly q: Operand;
  readonly k: Operand;
  readonly v: Operand;
}

export function separate(q: Tensor, k: Tensor, v: Tensor): Inputs {
  checkTensor('q', q, 4, '[B, Sq, Hq, D]');
  checkTensor('k', k, 4, '[B, Sk, Hkv, D]');
  checkTensor('v', v, 4, '[B, Sk, Hkv, D]');
  checkSameDType('k', k, q, 'q');
  checkSameDType('v', v, q, 'q');
  const [batch, seqQ, headsQ, headDim] = q.shape as [number, number, number, number];
  const [, seqK, headsKv] = k.shape as [number, number, number, number];
  checkShapeIs('k', k, [batch, seqK, headsKv, headDim], '[B, Sk, Hkv, D] with B and D of q');
  checkShapeIs('v', v, k.shape, 'the shape of k');
  const dims = { batch, seqQ, seqK, headsQ, headsKv, headDim };
  return { dims, q: contiguous(q), k: contiguous(k), v: contiguous(v) };
}

/** Checks the options, makes the outputs, and hands the call to `start`. */
export function attend(
  gpu: Gpu,
  inputs: Inputs,
  options: AttentionOptions,
  start: (gpu: Gpu, call: Call) => void,
): AttentionResult {
  const { dims, q, k, v } = inputs;
  const { batch, seqQ, headsQ, headDim } = dims;
  checkHeads(dims);
  checkHeadValues('alibiSlopes', options.alibiSlopes, dims, true);
  checkHeadValues('sinks', options.sinks, dims, false);
  const shape = [batch, seqQ, headsQ, headDim];
  checkOut(options.out, shape, q.tensor.dtype, [q.tensor, k.tensor, v.tensor]);
  const scoring = scoringOf(options, headDim);
  const out = options.out ?? gpu.empty(shape, q.tensor.dtype);
  const lse = options.returnLse ? gpu.empty([batch, headsQ, seqQ], 'f32') : undefined;
  gpu.scoped(() => {
    const sequences = sequenceTable(gpu, {
      ...uniformLengths(dims),
      alibiSlopes: options.alibiSlopes,
      sinks: options.sinks,
    });
    start(gpu, {
      ...inputs,
      out: contiguous(out),
      lse: lse ?? gpu.scratch([batch, headsQ, seqQ], 'f32'),
      lseBatch: headsQ * seqQ,
      lseHead: seqQ,
      lseOffset: 0,
      tokens: batch * seqQ,
      scoring,
      shift: 0,
      splits: 0,
      ...(sequences ? { sequences } : {}),
    });
  });
  return lse ? { out, lse } : { out };
}
