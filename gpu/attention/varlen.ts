/** flashAttentionVarlen: sequences of different lengths, one after the other, without padding. */
import type { Gpu, Tensor } from '../device';
import {
  checkCount,
  checkCuSeqlens,
  checkHeadValues,
  checkHeads,
  checkIndices,
  checkOut,
  checkSameDType,
  checkShapeIs,
  checkTensor,
} from './check';
import { launch } from './launch';
import type { AttentionResult, VarlenOptions } from './options';
import { pagingOf } from './paging';
import { contiguous, scoringOf } from './problem';
import type { Dims, Operand } from './problem';
import { sequenceTable, sizeOf } from './sequences';

/**
 * q `[totalQ, Hq, D]`, k and v `[totalK, Hkv, D]`, sequence b being rows cuSeqlens[b] to cuSeqlens[b + 1]; with a block
 * table k and v are pages `[P, pageSize, Hkv, D]`, and cuSeqlensK counts keys. The result's lse is `[Hq, totalQ]`.
 * Rows of q in no sequence are left as they are. Semantics of flash_attn_varlen_func. Throws ArgumentError.
 */
export function flashAttentionVarlen(
  gpu: Gpu,
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: VarlenOptions,
): AttentionResult {
  const paged = options.blockTable !== undefined;
  const dims = checkVarlen(q, k, v, options);
  const { batch, headsQ, headDim } = dims;
  const totalQ = q.shape[0]!;
  const scoring = scoringOf(options, headDim);
  const out = options.out ?? gpu.empty(q.shape, q.dtype);
  const lse = options.returnLse ? gpu.empty([headsQ, totalQ], 'f32') : undefined;
  gpu.scoped(() => {
    const totalK = paged ? options.maxSeqlenK * batch : k.shape[0]!;
    const sequences = sequenceTable(gpu, {
      batch,
      headsQ,
      seqQ: options.maxSeqlenQ,
      totalQ,
      capacity: options.maxSeqlenK,
      newKeys: 0,
      cacheBatches: batch,
      totalK,
      maxSeqK: options.maxSeqlenK,
      paged,
      cuSeqlensQ: options.cuSeqlensQ,
      cuSeqlensK: options.cuSeqlensK,
      alibiSlopes: options.alibiSlopes,
      sinks: options.sinks,
    });
    launch(gpu, {
      dims,
      q: inRows(q),
      k: paged ? contiguous(k) : inRows(k),
      v: paged ? contiguous(v) : inRows(v),
      out: inRows(out),
      lse: lse ?? gpu.scratch([headsQ, totalQ], 'f32'),
      lseBatch: 0,
      lseHead: totalQ,
      lseOffset: 0,
      tokens: totalQ,
      scoring,
      shift: 0,
      splits: 0,
      ...(sequences ? { sequences } : {}),
      ...(options.blockTable ? { paging: pagingOf(gpu, options.blockTable, k, batch, options.maxSeqlenK) } : {}),
    });
  });
  return lse ? { out, lse } : { out };
}

/** `[total, H, D]`: the table says where each batch entry begins. */
function inRows(tensor: Tensor): Operand {
  return { ...contiguous(tensor), batch: 0 };
}

function checkVarlen(q: Tensor, k: Tensor, v: Tensor, options: VarlenOptions): Dims {
  const paged = options.blockTable !== undefined;
  const [rank, form] = paged ? [4, '[P, pageSize, Hkv, D]'] : [3, '[totalK, Hkv, D]'];
  checkTensor('q', q, 3, '[totalQ, Hq, D]');
  checkTensor('k', k, rank, form);
  checkTensor('v', v, rank, form);
  checkSameDType('k', k, q, 'q');
  checkSameDType('v', v, q, 'q');
  const [totalQ, headsQ, headDim] = q.shape as [number, number, number];
  const headsKv = k.shape[rank - 2]!;
  checkShapeIs('k', k, [...k.shape.slice(0, rank - 1), headDim], `${form} with D of q`);
  checkShapeIs('v', v, k.shape, 'the shape of k');
  checkCount('maxSeqlenQ', options.maxSeqlenQ);
  checkCount('maxSeqlenK', options.maxSeqlenK);
  const batch = Math.max(0, sizeOf(options.cuSeqlensQ) - 1);
  const totalK = paged ? options.maxSeqlenK * batch : k.shape[0]!;
  checkIndices('cuSeqlensQ', options.cuSeqlensQ, [batch + 1], '[B + 1]', { low: 0, high: totalQ });
  checkIndices('cuSeqlensK', options.cuSeqlensK, [batch + 1], '[B + 1]', { low: 0, high: totalK });
  checkCuSeqlens('cuSeqlensQ', options.cuSeqlensQ, totalQ, options.maxSeqlenQ);
  checkCuSeqlens('cuSeqlensK', options.cuSeqlensK, totalK, options.maxSeqlenK);
  const dims = { batch, seqQ: options.maxSeqlenQ, seqK: options.maxSeqlenK, headsQ, headsKv, headDim };
  checkHeads(dims);
  checkHeadValues('alibiSlopes', options.alibiSlopes, dims, true);
  checkHeadValues('sinks', options.sinks, dims, false);
  checkOut(options.out, q.shape, q.dtype, [q, k, v]);
  return dims;
}
