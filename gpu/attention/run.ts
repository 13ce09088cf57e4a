/**
 * Runs a call with a given kernel. Which one that should be is choice.ts's question; calls too large for one binding
 * are launch.ts's.
 */
import type { Gpu } from '../device';
import { castTensor } from './cast';
import { launchDecode } from './decode';
import { launchPrefill } from './prefill';
import { isRagged } from './problem';
import type { Call } from './problem';
import { launchStandard } from './standard';
import type { Variant } from './variants';

export interface PrefillKernel {
  readonly kind: 'prefill';
  readonly variant: Variant;
}

export interface DecodeKernel {
  readonly kind: 'decode';
  /** Of one workgroup's tile. */
  readonly rows: number;
  /** Keys are read by neighbouring lanes together, whose sums meet by shuffles. Default: a thread reads whole keys. */
  readonly shuffled?: boolean;
}

export interface StandardKernel {
  readonly kind: 'standard';
  /** With nothing that a device may lack or do wrongly: the last resort. */
  readonly plain?: boolean;
}

/** A kernel to run a call with. */
export type Kernel = PrefillKernel | DecodeKernel | StandardKernel;

/** Records the dispatches of a call. */
export function launchWith(gpu: Gpu, call: Call, kernel: Kernel): void {
  withWholeWords(gpu, call, (ready) => run(gpu, ready, kernel));
}

/**
 * Runs `body` with an output that it can write in whole words, and brings it where the call wants it: two workgroups
 * would otherwise write halves of one word of a ragged 16-bit output.
 */
export function withWholeWords(gpu: Gpu, call: Call, body: (call: Call) => void): void {
  const { out } = call;
  if (out.tensor.dtype === 'f32' || !isRagged(call.dims.headDim, out)) return body(call);
  gpu.scoped(() => {
    const wide = gpu.scratch(out.tensor.shape, 'f32');
    body({ ...call, out: { ...out, tensor: wide } });
    castTensor(gpu, wide, out.tensor);
  });
}

export function run(gpu: Gpu, call: Call, kernel: Kernel): void {
  const { dims } = call;
  if (dims.batch === 0 || dims.seqQ === 0 || dims.headsQ === 0) return;
  // Nothing is read of keys that are not there; WebGPU wants something bound all the same.
  const bound = dims.seqK === 0 ? { ...call, k: call.q, v: call.q } : call;
  start(gpu, bound, kernel);
}

function start(gpu: Gpu, call: Call, kernel: Kernel): void {
  if (kernel.kind === 'prefill') launchPrefill(gpu, call, kernel.variant);
  else if (kernel.kind === 'decode') launchDecode(gpu, call, kernel.shuffled);
  else launchStandard(gpu, call, kernel.plain ?? false);
}
