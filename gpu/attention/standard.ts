/**
 * The materialised baseline: all scores in memory, softmax over rows, product with the values. Three dispatches for
 * each (batch entry, kv head, range of rows); as many rows at a time as one binding holds scores for.
 *
 * It is what FlashAttention is measured against, and what serves where every flash kernel fails its self-test.
 */
import type { BindingKind, Gpu, PipelineSpec, Tensor } from '../device';
import { bindOperand, problemParams } from './problem';
import type { Call, Chunk } from './problem';
import { keptSpec, sources, storageConditions, traitsKey, traitsOf } from './specs';
import type { Traits } from './specs';
import { standardProducts } from './variants';
import type { Products } from './variants';

type Step = 'scores' | 'softmax' | 'values';

/** Runs a call the materialised way. `plain`: with nothing that a device may lack or do wrongly. */
export function launchStandard(gpu: Gpu, call: Call, plain: boolean): void {
  const { dims } = call;
  const pitch = Math.ceil(dims.seqK / 4) * 4;
  const rows = dims.seqQ * (dims.headsQ / dims.headsKv);
  const products = standardProducts(gpu, dims.headDim, { plain });
  const atOnce = Math.max(
    1,
    Math.min(rows, Math.floor(gpu.limits.maxStorageBufferBindingSize / Math.max(1, pitch * 4))),
  );
  gpu.scoped(() => {
    const scores = gpu.scratch([atOnce, Math.max(pitch, 4)], 'f32');
    for (let batch = 0; batch < dims.batch; batch++) {
      for (let head = 0; head < dims.headsKv; head++) {
        for (let row = 0; row < rows; row += atOnce) {
          launchChunk(gpu, call, products, scores, { batch, head, row, rows: Math.min(atOnce, rows - row), pitch });
        }
      }
    }
  });
}

function launchChunk(gpu: Gpu, call: Call, products: Products, scores: Tensor, chunk: Chunk): void {
  const traits = traitsOf(call);
  const table = call.sequences?.tensor ?? null;
  const pages = call.paging?.table ?? null;
  const [q, k, v, out] = [bindOperand(call.q), bindOperand(call.k), bindOperand(call.v), bindOperand(call.out)];
  const params = problemParams(call, { q: q.offset, k: k.offset, v: v.offset, out: out.offset }, { chunk });
  const rowTiles = Math.ceil(chunk.rows / products.rows);
  const keyTiles = Math.ceil(call.dims.seqK / products.keys);
  const [x, y] = rowGrid(gpu, chunk.rows);
  const pipeline = (step: Step) => gpu.pipeline(standardSpec(step, traits, products));
  if (keyTiles > 0) {
    gpu.dispatch({
      pipeline: pipeline('scores'),
      bindings: [null, q.binding, k.binding, null, scores, null, table, pages],
      params,
      workgroups: [keyTiles, rowTiles],
    });
  }
  gpu.dispatch({
    pipeline: pipeline('softmax'),
    bindings: [null, null, null, null, scores, call.lse, table, null],
    params,
    workgroups: [x, y],
  });
  gpu.dispatch({
    pipeline: pipeline('values'),
    bindings: [null, scores, null, v.binding, out.binding, null, table, pages],
    params,
    workgroups: [rowTiles],
  });
}

function standardSpec(step: Step, traits: Traits, products: Products): PipelineSpec {
  const { ending, rows, keys, constants, conditions } = products;
  const module = `attention/standard_${step}${step === 'softmax' ? '' : ending}`;
  return keptSpec(`${module} ${rows}x${keys} ${constants['KEYS'] ?? ''} ${traitsKey(traits)}`, () => ({
    label: module,
    module,
    sources,
    conditions: { ...storageConditions(traits, false), ...conditions },
    constants,
    bindings: standardBindings(step, traits),
  }));
}

function standardBindings(step: Step, traits: Traits): BindingKind[] {
  const table: BindingKind = traits.sequences ? 'read' : 'none';
  const pages: BindingKind = traits.paged ? 'read' : 'none';
  if (step === 'scores') return ['uniform', 'read', 'read', 'none', 'write', 'none', table, pages];
  if (step === 'softmax') return ['uniform', 'none', 'none', 'none', 'write', 'write', table, 'none'];
  return ['uniform', 'read', 'none', 'read', 'write', 'none', table, pages];
}

/** One workgroup a row, wrapped into y. */
function rowGrid(gpu: Gpu, rows: number): [number, number] {
  const x = Math.min(rows, gpu.limits.maxComputeWorkgroupsPerDimension);
  return [x, Math.ceil(rows / x)];
}
