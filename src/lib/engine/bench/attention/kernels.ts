/** Our kernels for a case: the one that the self-test's measurement chose, the others that fit, and the baseline. */
import { attention, type Variant } from '$gpu/attention';
import { classOf, decoders, kernelName, stateOf } from '$gpu/attention/choice';
import { decodeTileRows } from '$gpu/attention/decode';
import type { Kernel } from '$gpu/attention/run';
import type { Traits } from '$gpu/attention/specs';
import type { Gpu } from '$gpu/device';
import { HEADS_KV, HEADS_Q, type Case } from './cases';

export type Role = 'flash' | 'variant' | 'standard';

export interface NamedKernel {
  readonly name: string;
  /** `flash`: the one a caller of flashAttention gets. */
  readonly role: Role;
  readonly kernel: Kernel;
}

const DECODE_ROWS = HEADS_Q / HEADS_KV;

/** Compiles, tests and ranks the variants for a case's class; all cases of a block share it. */
export async function prepareKernels(gpu: Gpu, one: Case, variants: readonly Variant[]): Promise<void> {
  const decodeRows = one.schedule === 'decode' ? [DECODE_ROWS] : [];
  await attention({ headDims: [one.headDim], dtypes: [one.dtype], decodeRows, variants }).prepare(gpu);
}

/** The chosen one first, the baseline last. */
export function kernelsOf(gpu: Gpu, one: Case, chosenAlone: boolean): NamedKernel[] {
  const flash = one.schedule === 'decode' ? decodeKernels(gpu, one) : prefillKernels(gpu, one);
  const kernels: NamedKernel[] = flash.map((kernel, n) => ({
    name: kernelName(kernel),
    role: n === 0 ? 'flash' : 'variant',
    kernel,
  }));
  const wanted = chosenAlone ? kernels.slice(0, 1) : kernels;
  return [...wanted, { name: 'standardAttention', role: 'standard', kernel: { kind: 'standard' } }];
}

function decodeKernels(gpu: Gpu, { headDim, dtype }: Case): Kernel[] {
  return decoders(gpu, traitsOf(headDim, dtype), decodeTileRows(DECODE_ROWS));
}

function prefillKernels(gpu: Gpu, { headDim, dtype }: Case): Kernel[] {
  const traits = traitsOf(headDim, dtype);
  const ranked = stateOf(gpu).ranking.get(classOf(traits)) ?? [];
  return ranked.filter((variant) => variant.fits(gpu, traits)).map((variant) => ({ kind: 'prefill', variant }));
}

/** Those of a plain dense call. */
function traitsOf(headDim: number, dtype: Case['dtype']): Traits {
  const plain = { ragged: false, sequences: false, paged: false, scoreMods: false };
  return { headDim, q: dtype, kv: dtype, out: dtype, ...plain };
}
