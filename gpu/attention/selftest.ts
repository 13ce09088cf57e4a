/**
 * The self-test: a kernel is right if a known problem, with every trait of the call it is for, comes out as the
 * float64 reference has it.
 */
import { decodeRows8, encodeRows8, row8Bytes } from '../formats/rows8';
import type { DType, Gpu, Tensor } from '../device';
import { contiguous, OPEN } from './problem';
import type { Call, Dims, Operand } from './problem';
import { attentionReference } from './reference';
import { launchWith } from './run';
import type { Kernel } from './run';
import { sequenceTable, uniformLengths } from './sequences';
import type { Traits } from './specs';

/** Quiet NaN in f32, and in both halves as f16 and bf16: an output that stays unwritten shows. */
const POISON = 0x7fc07fc0;

/** Rounding of the storage type on outputs of at most 1, doubled, and some for exp2 and tanh of the driver. */
const TOLERANCE: Partial<Record<DType, number>> = { f32: 5e-5, f16: 1e-3, bf16: 8e-3 };

/** A problem whose every trait matters: several tiles with an edge, GQA, a causal mask with Sq < Sk. */
function knownDims(kernel: Kernel, headDim: number): Dims {
  if (kernel.kind === 'decode') return { batch: 2, seqQ: kernel.rows, seqK: 300, headsQ: 2, headsKv: 2, headDim };
  return { batch: 2, seqQ: 45, seqK: 75, headsQ: 4, headsKv: 2, headDim };
}

interface KnownInputs {
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
  readonly slopes: Float32Array;
}

/** Multiples of 1/64 in [-1, 1]: exact in f32, f16 and bf16 alike. */
function knownValues(length: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return ((state >>> 16) % 129) / 64 - 1;
  });
}

function knownInputs({ batch, seqQ, seqK, headsQ, headsKv, headDim }: Dims): KnownInputs {
  return {
    q: knownValues(batch * seqQ * headsQ * headDim, 1),
    k: knownValues(batch * seqK * headsKv * headDim, 2),
    v: knownValues(batch * seqK * headsKv * headDim, 3),
    slopes: Float32Array.from({ length: headsQ }, (_, h) => 2 ** -(h + 3)),
  };
}

/** Rows of 8 bits round: the reference computes with what they hold. */
function asStored(inputs: KnownInputs, { kv }: Traits, { headDim }: Dims): KnownInputs {
  if (kv !== 'u8') return inputs;
  const stored = (data: Float32Array): Float32Array => decodeRows8(encodeRows8(data, headDim), headDim);
  return { ...inputs, k: stored(inputs.k), v: stored(inputs.v) };
}

const SOFTCAP = 20;
const SINK = 0.5;

/** Runs the known problem; resolves with what is wrong in words, or with nothing. */
export async function verify(gpu: Gpu, kernel: Kernel, traits: Traits): Promise<string | undefined> {
  const dims = knownDims(kernel, traits.headDim);
  const inputs = asStored(knownInputs(dims), traits, dims);
  const held: Tensor[] = [];
  try {
    const { out, lse } = runKnown(gpu, kernel, traits, dims, inputs, held);
    const values = await Promise.all([gpu.downloadUnguarded(out), gpu.downloadUnguarded(lse)]);
    return compare(values, dims, inputs, traits);
  } finally {
    held.forEach((tensor) => tensor.destroy());
  }
}

function runKnown(
  gpu: Gpu,
  kernel: Kernel,
  traits: Traits,
  dims: Dims,
  inputs: KnownInputs,
  held: Tensor[],
): { out: Tensor; lse: Tensor } {
  const { batch, seqQ, seqK, headsQ, headsKv, headDim } = dims;
  const keep = (tensor: Tensor): Tensor => {
    held.push(tensor);
    return tensor;
  };
  // A ragged call of an even head_dim is one whose rows begin off a vec4: two elements further in.
  const skip = traits.ragged && headDim % 4 === 0 ? 2 : 0;
  const operand = (data: Float32Array, dtype: DType, seq: number, heads: number): Operand => {
    if (dtype === 'u8') return contiguous(keep(uploadHeads(gpu, data, [batch, seq, heads, headDim], dtype)));
    const padded = new Float32Array(data.length + skip);
    padded.set(data, skip);
    return strided(keep(gpu.upload(padded, [padded.length], dtype)), skip, seq, heads, headDim);
  };
  const out = keep(gpu.empty([batch, seqQ, headsQ, headDim], traits.out));
  const lse = keep(gpu.empty([batch, headsQ, seqQ], 'f32'));
  gpu.fill(out, POISON);
  gpu.fill(lse, POISON);
  const call: Omit<Call, 'sequences' | 'paging'> = {
    dims,
    q: operand(inputs.q, traits.q, seqQ, headsQ),
    k: operand(inputs.k, traits.kv, seqK, headsKv),
    v: operand(inputs.v, traits.kv, seqK, headsKv),
    out: strided(out, 0, seqQ, headsQ, headDim),
    lse,
    lseBatch: headsQ * seqQ,
    lseHead: seqQ,
    lseOffset: 0,
    tokens: batch * seqQ,
    scoring: { scale: 1 / Math.sqrt(headDim), left: OPEN, right: 0, softcap: traits.scoreMods ? SOFTCAP : 0 },
    shift: 0,
    splits: kernel.kind === 'decode' ? 3 : 0,
  };
  gpu.scoped(() => {
    const table = traits.sequences ? knownTable(gpu, traits, dims, inputs) : undefined;
    const pages = traits.paged
      ? keep(
          gpu.upload(
            Int32Array.from({ length: batch }, (_, b) => b),
            [batch],
            'i32',
          ),
        )
      : undefined;
    launchWith(
      gpu,
      {
        ...call,
        ...(table ? { sequences: table } : {}),
        ...(pages ? { paging: { table: pages, row: 1, pages: batch, pageSize: seqK } } : {}),
      },
      kernel,
    );
  });
  return { out, lse };
}

/** Heads `[B, S, H, D]` as a tensor of `dtype`; u8 is rows of 8 bits, with their scales. */
export function uploadHeads(gpu: Gpu, data: Float32Array, shape: readonly number[], dtype: DType): Tensor {
  const headDim = shape.at(-1)!;
  if (dtype !== 'u8') return gpu.upload(data, shape, dtype);
  return gpu.upload(encodeRows8(data, headDim), [...shape.slice(0, -1), row8Bytes(headDim)], 'u8');
}

function knownTable(gpu: Gpu, traits: Traits, dims: Dims, inputs: KnownInputs) {
  return sequenceTable(gpu, {
    ...uniformLengths(dims),
    cacheSeqlens: new Int32Array(dims.batch).fill(dims.seqK),
    alibiSlopes: traits.scoreMods ? inputs.slopes : undefined,
    sinks: traits.scoreMods ? new Float32Array(dims.headsQ).fill(SINK) : undefined,
  });
}

function strided(tensor: Tensor, offset: number, seq: number, heads: number, headDim: number): Operand {
  const row = heads * headDim;
  return { tensor, offset, batch: seq * row, row, head: headDim, extent: tensor.size - offset };
}

function compare(
  [out, lse]: readonly [Float32Array, Float32Array],
  dims: Dims,
  inputs: KnownInputs,
  traits: Traits,
): string | undefined {
  const modded = traits.scoreMods && traits.sequences;
  const expected = attentionReference(inputs.q, inputs.k, inputs.v, dims, {
    causal: true,
    softcap: traits.scoreMods ? SOFTCAP : 0,
    ...(modded ? { alibiSlopes: inputs.slopes, sinks: new Float32Array(dims.headsQ).fill(SINK) } : {}),
  });
  const outError = largestError(out, expected.out);
  const lseError = largestError(lse, expected.lse);
  const allowed = TOLERANCE[traits.out]!;
  if (outError <= allowed && lseError <= 1e-4) return undefined;
  return `out is off by ${outError} (at most ${allowed}), lse by ${lseError} (at most 0.0001)`;
}

/** NaN where anything is. */
function largestError(values: Float32Array, expected: Float64Array): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) {
    const error = Math.abs(values[i]! - expected[i]!);
    if (!(error <= largest)) largest = error;
  }
  return largest;
}
