/**
 * attention() as a Preparation: compiles the variants that this device can run, tests each against the reference, times
 * those that are right, and remembers their order. `gpu.report()` then says what serves, and what was refused.
 */
import { SelfTestError } from '../device';
import type { DType, Gpu, PipelineSpec, Preparation } from '../device';
import { classOf, decodeClassOf, kernelName, noFlash, stateOf } from './choice';
import type { AttentionKind } from './options';
import { decodeSpec, decodeTileRows, shuffles } from './decode';
import { race } from './race';
import type { Time } from './race';
import type { DecodeKernel, Kernel, PrefillKernel } from './run';
import { verify } from './selftest';
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
  const prefill = worthTrying(gpu, traits).map((variant): PrefillKernel => ({ kind: 'prefill', variant }));
  const decoders = [...new Set(decodeRows.map(decodeTileRows))].map((rows) => decodersOf(gpu, traits, rows));
  const kernels = [...prefill, ...decoders.flat()];
  const compiled = await Promise.all(kernels.map((kernel) => compiles(gpu, kernel, traits)));
  const right = new Set<Kernel>();
  for (const [n, kernel] of kernels.entries()) {
    if (compiled[n] && (await passes(gpu, kernel, traits))) right.add(kernel);
  }
  await rank(
    gpu,
    traits,
    prefill.filter((kernel) => right.has(kernel)),
  );
  for (const rivals of decoders) {
    await rankDecoders(
      gpu,
      traits,
      rivals.filter((kernel) => right.has(kernel)),
    );
  }
}

/** The ways to decode tiles of so many rows; on a software adapter the one that runs everywhere. */
function decodersOf(gpu: Gpu, traits: Traits, rows: number): DecodeKernel[] {
  const plain: DecodeKernel = { kind: 'decode', rows };
  return gpu.info.isFallback || !shuffles(gpu, traits) ? [plain] : [plain, { ...plain, shuffled: true }];
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
  return kernel.kind === 'decode' ? decodeSpec(gpu, { ...traits, out: 'f32' }, kernel) : undefined;
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

async function rank(gpu: Gpu, traits: Traits, right: readonly PrefillKernel[]): Promise<void> {
  const name = `prefill, ${classOf(traits)}`;
  if (right.length === 0) return standardServes(gpu, traits, name);
  const times = await race(gpu, traits, right);
  const variants = times.flatMap(({ kernel }) => (kernel.kind === 'prefill' ? [kernel.variant] : []));
  stateOf(gpu).ranking.set(classOf(traits), variants);
  noteRace(gpu, name, times);
}

/** Remembers which of the ways to decode is faster. */
async function rankDecoders(gpu: Gpu, traits: Traits, right: readonly DecodeKernel[]): Promise<void> {
  if (right.length < 2) return;
  const times = await race(gpu, traits, right);
  const [best] = times;
  if (best?.kernel.kind !== 'decode') return;
  const key = decodeClassOf(traits, best.kernel.rows);
  stateOf(gpu).shuffledDecoders.set(key, best.kernel.shuffled === true);
  noteRace(gpu, key, times);
}

function noteRace(gpu: Gpu, name: string, [best, ...others]: readonly Time[]): void {
  const behind = others.map(({ kernel, ms }) => `${kernelName(kernel)} ${ms.toFixed(3)} ms`).join(', ');
  const text = `${kernelName(best!.kernel)}${behind ? ` (${behind})` : ''}`;
  gpu.note({ room: 'attention', name, text, ms: best!.ms });
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
