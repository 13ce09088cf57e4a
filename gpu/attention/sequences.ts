/** The table of what varies between batch entries: lengths, starts, indices, and values a head (sequences.wesl). */
import { ParamWriter, Tensor } from '../device';
import type { BindingKind, Gpu, PipelineSpec } from '../device';
import type { HeadValues, Indices } from './options';
import type { Dims, SequenceTable } from './problem';
import { keptSpec, sources } from './specs';

export interface SequenceInputs {
  readonly batch: number;
  readonly headsQ: number;
  /** The longest sequence of queries, and all query rows together. */
  readonly seqQ: number;
  readonly totalQ: number;
  /** Rows a cache entry (or a sequence's pages) holds; of them `newKeys` are appended by this call. */
  readonly capacity: number;
  readonly newKeys: number;
  readonly cacheBatches: number;
  readonly totalK: number;
  readonly maxSeqK: number;
  readonly paged: boolean;
  readonly cuSeqlensQ?: Indices | undefined;
  readonly cuSeqlensK?: Indices | undefined;
  readonly cacheSeqlens?: Indices | undefined;
  readonly cacheBatchIdx?: Indices | undefined;
  readonly cacheLeftpad?: Indices | undefined;
  readonly alibiSlopes?: HeadValues | undefined;
  readonly sinks?: HeadValues | undefined;
}

/** Words a batch entry takes in the table. */
const ENTRY = 8;

/** Binding, condition and input, in the order of sequences.wesl. */
const INPUTS = [
  ['CU_Q', 'cuSeqlensQ'],
  ['CU_K', 'cuSeqlensK'],
  ['LENGTHS', 'cacheSeqlens'],
  ['BATCH_INDEX', 'cacheBatchIdx'],
  ['LEFTPAD', 'cacheLeftpad'],
  ['SLOPES', 'alibiSlopes'],
  ['SINKS', 'sinks'],
] as const;

/** Every batch entry has all queries and all keys. */
export function uniformLengths({ batch, seqQ, seqK, headsQ }: Dims): SequenceInputs {
  return {
    batch,
    headsQ,
    seqQ,
    totalQ: seqQ,
    capacity: seqK,
    newKeys: 0,
    cacheBatches: batch,
    totalK: seqK,
    maxSeqK: seqK,
    paged: false,
  };
}

/** Records the dispatch that builds the table, or nothing where no entry differs from another. */
export function sequenceTable(gpu: Gpu, inputs: SequenceInputs): SequenceTable | undefined {
  if (INPUTS.every(([, name]) => inputs[name] === undefined) && inputs.newKeys === 0) return undefined;
  const slopes = inputs.alibiSlopes ? sizeOf(inputs.alibiSlopes) : 0;
  const sinks = inputs.sinks ? sizeOf(inputs.sinks) : 0;
  const tensor = gpu.scratch([inputs.batch * ENTRY + slopes + sinks], 'u32');
  gpu.dispatch({
    pipeline: gpu.pipeline(sequencesSpec(inputs)),
    bindings: [null, ...INPUTS.map(([, name]) => onGpu(gpu, inputs[name])), tensor],
    params: new ParamWriter()
      .u32(inputs.batch)
      .u32(inputs.seqQ)
      .u32(inputs.totalQ)
      .u32(inputs.totalK)
      .u32(inputs.capacity)
      .u32(inputs.newKeys)
      .u32(inputs.cacheBatches)
      .u32(slopes)
      .u32(sinks)
      .u32(inputs.maxSeqK)
      .done(),
    workgroups: [Math.ceil(Math.max(inputs.batch, slopes, sinks) / 64)],
  });
  return {
    tensor,
    slopesBatch: slopes > inputs.headsQ ? inputs.headsQ : 0,
    ...(slopes > 0 ? { slopes: inputs.batch * ENTRY } : {}),
    ...(sinks > 0 ? { sinks: inputs.batch * ENTRY + slopes } : {}),
  };
}

function sequencesSpec(inputs: SequenceInputs): PipelineSpec {
  const present = INPUTS.filter(([, name]) => inputs[name] !== undefined).map(([condition]) => condition);
  return keptSpec(`sequences ${present.join(' ')} ${inputs.paged}`, () => ({
    label: 'attention/sequences',
    module: 'attention/sequences',
    sources,
    conditions: {
      ...Object.fromEntries(INPUTS.map(([condition, name]) => [condition, inputs[name] !== undefined])),
      PAGED: inputs.paged,
    },
    bindings: [
      'uniform',
      ...INPUTS.map(([, name]): BindingKind => (inputs[name] === undefined ? 'none' : 'read')),
      'write',
    ],
  }));
}

/** Values of the host become scratch; a tensor is used where it lies. */
export function onGpu(gpu: Gpu, values: Indices | HeadValues | undefined): Tensor | null {
  if (values === undefined) return null;
  if (values instanceof Tensor) return values;
  const data = values instanceof Int32Array || values instanceof Float32Array ? values : Float32Array.from(values);
  const tensor = gpu.scratch([data.length], data instanceof Int32Array ? 'i32' : 'f32');
  gpu.write(tensor, data);
  return tensor;
}

export function sizeOf(values: Indices | HeadValues): number {
  return values instanceof Tensor ? values.size : values.length;
}
