/**
 * attention() as a Preparation: compiles the variants that this device can run, tests each against the reference, times
 * those that are right, and remembers their order. `gpu.report()` then says what serves, and what was refused.
 */
import { SelfTestError } from '../device';
import type { DType, Gpu, PipelineSpec, Preparation } from '../device';
import { cachedCall, cacheLengths } from './cached';
import { classOf, kernelName, noFlash, stateOf } from './choice';
import type { AttentionKind } from './options';
import { decodeSpec, decodeTileRows } from './decode';
import { attendWith } from './flash';
import { launchWith } from './run';
import type { Kernel } from './run';
import { uploadHeads, verify } from './selftest';
import { traitsKey } from './specs';
import type { Traits } from './specs';
import { PREFILL_VARIANTS } from './variants';
import type { Variant } from './variants';

export interface AttentionPreparation {
  /** Default `[64]`. */
  readonly headDims?: readonly number[];
  /** Default `['f32']`. */
  readonly dtypes?: readonly DType[];
  /** Query rows (GQA heads folded in) of decode calls to be ready for; default those of one query of 1, 2, 4 or 8 heads. */
  readonly decodeRows?: readonly number[];
  /** The variants to choose from: for tests. */
  readonly variants?: readonly Variant[];
}

/** Milliseconds from which on a measurement tells variants apart. */
const TELLING_MS = 2;
const FIRST_LENGTH = 64;
const LAST_LENGTH = 1024;
/** A variant this many times slower than the best has lost. */
const HOPELESS = 3;

export function attention(options: AttentionPreparation = {}): Preparation {
  const { headDims = [64], dtypes = ['f32'], decodeRows = [4], variants } = options;
  return {
    name: 'attention',
    prepare: async (gpu) => {
      if (variants) stateOf(gpu).variants = variants;
      for (const headDim of headDims) {
        for (const dtype of dtypes) await prepareClass(gpu, plainTraits(headDim, dtype), decodeRows);
      }
    },
  };
}

/** What a model's attention over its cache will meet. */
export interface CachedPreparation {
  readonly headDim: number;
  /** Storage type of the cache; queries and outputs are f32. */
  readonly kv: DType;
  /** Query rows of a decode call: query heads that share a key head. */
  readonly decodeRows: number;
  /** Scores are bent. */
  readonly softcap?: boolean;
  /** Default 'auto'. */
  readonly kind?: AttentionKind;
}

/** Compiles, tests and times the kernels of attendCache. Throws a SelfTestError where the kind asked for computes wrongly. */
export async function prepareCached(gpu: Gpu, cached: CachedPreparation): Promise<void> {
  const { headDim, kv, decodeRows, softcap = false, kind = 'auto' } = cached;
  const traits = { ...plainTraits(headDim, 'f32'), kv, sequences: true, scoreMods: softcap };
  if (kind === 'standard') {
    if (!(await passes(gpu, { kind: 'standard' }, traits))) throw noneRight();
    return;
  }
  await prepareClass(gpu, traits, [decodeRows]);
  if (kind === 'flash' && stateOf(gpu).ranking.get(classOf(traits))!.length === 0) throw noFlash();
}

function plainTraits(headDim: number, dtype: DType): Traits {
  return {
    headDim,
    q: dtype,
    kv: dtype,
    out: dtype,
    ragged: headDim % 4 !== 0,
    sequences: false,
    paged: false,
    scoreMods: false,
  };
}

async function prepareClass(gpu: Gpu, traits: Traits, decodeRows: readonly number[]): Promise<void> {
  const able = worthTrying(gpu, traits);
  const decoders = [...new Set(decodeRows.map(decodeTileRows))];
  const kernels: Kernel[] = [
    ...able.map((variant): Kernel => ({ kind: 'prefill', variant })),
    ...decoders.map((rows): Kernel => ({ kind: 'decode', rows })),
  ];
  const compiled = await Promise.all(kernels.map((kernel) => compiles(gpu, kernel, traits)));
  const right: Variant[] = [];
  for (const [n, kernel] of kernels.entries()) {
    if (!compiled[n] || !(await passes(gpu, kernel, traits))) continue;
    if (kernel.kind === 'prefill') right.push(kernel.variant);
  }
  await rank(gpu, traits, right);
}

/** What fits; on a software adapter, of our own variants, only those that may win there. */
function worthTrying(gpu: Gpu, traits: Traits): Variant[] {
  const { variants } = stateOf(gpu);
  const fitting = variants.filter((variant) => variant.fits(gpu, traits));
  const sparing = gpu.info.isFallback && variants === PREFILL_VARIANTS;
  return sparing ? fitting.filter((variant) => variant.onSoftware?.(gpu)) : fitting;
}

/** Compiles off this thread. A kernel that this driver refuses is one of those that are wrong. */
async function compiles(gpu: Gpu, kernel: Kernel, traits: Traits): Promise<boolean> {
  const spec = specOf(gpu, kernel, traits);
  return gpu.preparePipelines(spec ? [spec] : []).then(
    () => true,
    (error: unknown) => {
      refuse(gpu, kernel, traits, error instanceof Error ? error.message : String(error));
      return false;
    },
  );
}

function specOf(gpu: Gpu, kernel: Kernel, traits: Traits): PipelineSpec | undefined {
  if (kernel.kind === 'prefill') return kernel.variant.spec(gpu, traits);
  return kernel.kind === 'decode' ? decodeSpec({ ...traits, out: 'f32' }, kernel.rows) : undefined;
}

function refuse(gpu: Gpu, kernel: Kernel, traits: Traits, problem: string): void {
  const key = `${kernelName(kernel)} ${traitsKey(traits)}`;
  stateOf(gpu).verdicts.set(key, false);
  gpu.note({ room: 'attention', name: key, text: `wrong on this GPU: ${problem}`, level: 'warning' });
}

/** Tests a kernel where tests are on, and remembers the verdict. */
async function passes(gpu: Gpu, kernel: Kernel, traits: Traits): Promise<boolean> {
  if (!gpu.selfTest) return true;
  const problem = await verify(gpu, kernel, traits);
  if (problem) refuse(gpu, kernel, traits, problem);
  else stateOf(gpu).verdicts.set(`${kernelName(kernel)} ${traitsKey(traits)}`, true);
  return problem === undefined;
}

async function rank(gpu: Gpu, traits: Traits, right: readonly Variant[]): Promise<void> {
  const name = `prefill, ${classOf(traits)}`;
  if (right.length === 0) return standardServes(gpu, traits, name);
  const times = right.length === 1 ? [{ variant: right[0]!, ms: 0 }] : await race(gpu, traits, right);
  stateOf(gpu).ranking.set(
    classOf(traits),
    times.map(({ variant }) => variant),
  );
  const [best, ...others] = times;
  const behind = others.map(({ variant, ms }) => `${variant.name} ${ms.toFixed(2)} ms`).join(', ');
  gpu.note({ room: 'attention', name, text: `${best!.variant.name}${behind ? ` (${behind})` : ''}`, ms: best!.ms });
}

/** No flash kernel is right. The baseline serves if it is; else this GPU cannot be trusted with attention. */
async function standardServes(gpu: Gpu, traits: Traits, name: string): Promise<void> {
  stateOf(gpu).ranking.set(classOf(traits), []);
  if (await passes(gpu, { kind: 'standard', plain: true }, traits)) {
    const text = 'no flash kernel passes the self-test on this GPU: standardAttention serves';
    gpu.note({ room: 'attention', name, text, level: 'warning' });
    return;
  }
  throw noneRight();
}

function noneRight(): SelfTestError {
  return new SelfTestError(
    'No attention kernel computes rightly on this GPU, not even the plain one. Update the browser or the graphics driver, or use the CPU.',
  );
}

interface Time {
  readonly variant: Variant;
  readonly ms: number;
}

/** Times the variants on growing problems until the best takes long enough to tell; those far behind drop out. */
async function race(gpu: Gpu, traits: Traits, variants: readonly Variant[]): Promise<Time[]> {
  let running = [...variants];
  const lost: Time[] = [];
  for (let length = FIRST_LENGTH; ; length *= 2) {
    const times: Time[] = [];
    for (const variant of running) times.push({ variant, ms: await timeOf(gpu, traits, variant, length) });
    times.sort((a, b) => a.ms - b.ms);
    const best = times[0]!.ms;
    if (best >= TELLING_MS || length >= LAST_LENGTH) return [...times, ...lost];
    lost.unshift(...times.filter(({ ms }) => ms > HOPELESS * best));
    running = times.filter(({ ms }) => ms <= HOPELESS * best).map(({ variant }) => variant);
  }
}

/** Milliseconds of the fastest of three runs: causal, 8 heads on 2. */
async function timeOf(gpu: Gpu, traits: Traits, variant: Variant, length: number): Promise<number> {
  const tensor = (heads: number, dtype: DType) =>
    uploadHeads(gpu, ramp(length * heads * traits.headDim), [1, length, heads, traits.headDim], dtype);
  const [q, k, v] = [tensor(8, traits.q), tensor(2, traits.kv), tensor(2, traits.kv)];
  const out = gpu.empty(q.shape, traits.out);
  const none = gpu.upload(new Int32Array(1), [1]);
  const plan = gpu.record(() => {
    const kernel: Kernel = { kind: 'prefill', variant };
    if (!traits.sequences) return attendWith(gpu, q, k, v, { causal: true, out }, kernel);
    const lengths = cacheLengths(gpu, none, { headsQ: 8, seqQ: length, capacity: length });
    launchWith(gpu, cachedCall(gpu, { q, keys: k, values: v, out, lengths }), kernel);
  });
  await gpu.idle();
  let fastest = Infinity;
  for (let run = 0; run < 3; run++) {
    const start = performance.now();
    plan.run();
    await gpu.idle();
    fastest = Math.min(fastest, performance.now() - start);
  }
  plan.destroy();
  [q, k, v, out, none].forEach((each) => each.destroy());
  return fastest;
}

/** Anything but zeros, which some hardware multiplies faster. */
function ramp(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => ((i * 37) % 129) / 64 - 1);
}
