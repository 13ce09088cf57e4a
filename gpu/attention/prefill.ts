/** The prefill schedule: one dispatch of a prefill variant. */
import type { Gpu } from '../device';
import { bindOperand, problemParams } from './problem';
import type { Call } from './problem';
import { traitsOf } from './specs';
import type { Variant } from './variants';

export function launchPrefill(gpu: Gpu, call: Call, variant: Variant): void {
  const { dims, sequences, paging } = call;
  const [q, k, v, out] = [bindOperand(call.q), bindOperand(call.k), bindOperand(call.v), bindOperand(call.out)];
  const tiles = Math.ceil((dims.seqQ * (dims.headsQ / dims.headsKv)) / variant.tileRows);
  gpu.dispatch({
    pipeline: gpu.pipeline(variant.spec(gpu, traitsOf(call))),
    bindings: [
      null,
      q.binding,
      k.binding,
      v.binding,
      out.binding,
      call.lse,
      sequences?.tensor ?? null,
      paging?.table ?? null,
    ],
    params: problemParams(call, { q: q.offset, k: k.offset, v: v.offset, out: out.offset }),
    workgroups: [tiles, dims.headsKv, dims.batch],
  });
}
