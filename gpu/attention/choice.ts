/**
 * Which kernel a call gets: what has been measured on this GPU, less what has been found wrong on it.
 *
 * `attention()` as a Preparation measures before the first call (selftest.ts). A specialisation that was not prepared
 * is tested when it is first used: the call is recorded at once, and no value is given out before the test has passed.
 */
import { SelfTestError } from '../device';
import type { Gpu } from '../device';
import type { Call } from './problem';
import { isRagged } from './problem';
import type { DecodeKernel, Kernel } from './run';
import { decodeTileRows, decodeTiles, rowsOf, shuffles } from './decode';
import { verify } from './selftest';
import { traitsKey, traitsOf } from './specs';
import type { Traits } from './specs';
import { PREFILL_VARIANTS } from './variants';
import type { Variant } from './variants';

/** Query rows (GQA heads folded in) up to which keys are split over workgroups rather than rows. */
const DECODE_ROWS = 32;

interface State {
  /** Variants to choose from; tests hand in broken ones. */
  variants: readonly Variant[];
  /** By class of inputs, fastest first: what measuring found. */
  readonly ranking: Map<string, readonly Variant[]>;
  /** By class of inputs and rows: whether the shuffled decode kernel was measured to be the faster one. */
  readonly shuffledDecoders: Map<string, boolean>;
  /** What is known of a kernel with given traits. */
  readonly verdicts: Map<string, boolean>;
}

const SLOT = Symbol('attention');

export function stateOf(gpu: Gpu): State {
  const known = gpu.slots.get(SLOT) as State | undefined;
  if (known) return known;
  const state: State = {
    variants: PREFILL_VARIANTS,
    ranking: new Map(),
    shuffledDecoders: new Map(),
    verdicts: new Map(),
  };
  gpu.slots.set(SLOT, state);
  return state;
}

/** Inputs that are alike enough for one measurement to speak for all. */
export function classOf({ headDim, kv }: Traits): string {
  const bits = kv === 'f32' ? 32 : kv === 'u8' ? 8 : 16;
  return `${bits} bits, head_dim to ${headDim <= 64 ? 64 : headDim <= 128 ? 128 : 256}`;
}

export function decodeClassOf(traits: Traits, rows: number): string {
  return `decode ${rows}, ${classOf(traits)}`;
}

export function kernelName(kernel: Kernel): string {
  if (kernel.kind === 'prefill') return kernel.variant.name;
  if (kernel.kind === 'standard') return kernel.kind;
  return `decode ${kernel.rows}${kernel.shuffled ? ' shuffled' : ''}`;
}

export function chosenKernel(gpu: Gpu, call: Call): Kernel {
  if (call.kind === 'standard') return { kind: 'standard' };
  const state = stateOf(gpu);
  const traits = keptTraits(call);
  for (const kernel of candidates(gpu, call, traits)) {
    const key = `${kernelName(kernel)} ${traitsKey(traits)}`;
    const verdict = state.verdicts.get(key);
    if (verdict === false) continue;
    if (verdict === undefined && gpu.selfTest) verifyLater(gpu, kernel, traits, key);
    return kernel;
  }
  if (call.kind === 'flash') throw noFlash();
  return { kind: 'standard', plain: true };
}

export function noFlash(): SelfTestError {
  return new SelfTestError(
    'No flash attention kernel computes rightly on this GPU, and nothing else was allowed. Allow «auto» or «standard».',
  );
}

/** What the kernel itself will meet: ragged 16-bit outputs are written as f32 (launch.ts). */
function keptTraits(call: Call): Traits {
  const traits = traitsOf(call);
  return isRagged(call.dims.headDim, call.out) ? { ...traits, out: 'f32' } : traits;
}

function* candidates(gpu: Gpu, call: Call, traits: Traits): Generator<Kernel> {
  if (splitsKeys(gpu, call)) yield* decoders(gpu, traits, decodeTileRows(rowsOf(call)));
  for (const variant of rankedVariants(gpu, traits)) {
    if (variant.fits(gpu, traits)) yield { kind: 'prefill', variant };
  }
}

/** The faster one first, where both were measured. */
export function decoders(gpu: Gpu, traits: Traits, rows: number): DecodeKernel[] {
  const plain: DecodeKernel = { kind: 'decode', rows };
  const isShuffledFaster = stateOf(gpu).shuffledDecoders.get(decodeClassOf(traits, rows));
  if (isShuffledFaster === undefined || !shuffles(gpu, traits)) return [plain];
  const shuffled = { ...plain, shuffled: true };
  return isShuffledFaster ? [shuffled, plain] : [plain, shuffled];
}

/** Few rows on many keys; sequences laid end to end have no common grid of splits, and no grid is endless. */
function splitsKeys(gpu: Gpu, call: Call): boolean {
  const { dims, splits, q } = call;
  if (q.batch === 0 && dims.batch > 1) return false;
  if (decodeTiles(call) > gpu.limits.maxComputeWorkgroupsPerDimension) return false;
  return splits > 0 || rowsOf(call) <= DECODE_ROWS;
}

/** What was measured for such inputs, else for others, else the order of the list. */
function rankedVariants(gpu: Gpu, traits: Traits): readonly Variant[] {
  const { ranking, variants } = stateOf(gpu);
  return ranking.get(classOf(traits)) ?? ranking.values().next().value ?? variants;
}

function verifyLater(gpu: Gpu, kernel: Kernel, traits: Traits, key: string): void {
  const { verdicts } = stateOf(gpu);
  // Until the test has spoken: calls in between wait for the same guard.
  verdicts.set(key, true);
  // In a task of its own: the call that asks may be inside gpu.record, whose plan is no place for a test.
  const check = Promise.resolve()
    .then(() => verify(gpu, kernel, traits))
    .then((problem) => {
      if (!problem) return;
      verdicts.set(key, false);
      gpu.note({ room: 'attention', name: key, text: `wrong on this GPU: ${problem}`, level: 'warning' });
      throw new SelfTestError(
        `Attention kernel «${key}» computes wrongly on this GPU: ${problem}. Call again: another one serves from now on.`,
      );
    });
  gpu.guard(check);
}
