/**
 * Looks the device over: opens it, which compiles attention's kernels, tests them and picks the fastest that is right;
 * makes one attention call; closes it again.
 */
import { SelfTestError, attentionReference, flashAttention, formatReport, openGpu, standardAttention } from '$gpu';
import type { Gpu, Tensor } from '$gpu';
import type { AttentionCall, Inspection, InspectionStage } from './protocol';

/** One layer of a small model, float32. */
const LAYER = { batch: 1, headsQ: 8, headsKv: 2, headDim: 64 } as const;

/** Prompts to read, in tokens: the longer one where the shorter took no longer than this many milliseconds. */
const SHORT = 256;
const LONG = 1024;
const QUICK_MS = 30;

/** Float32 sums of so many terms, at most 1 each, differ from float64 by far less; a wrong kernel by far more. */
const TOLERANCE = 1e-4;

export async function inspect(progress: (stage: InspectionStage) => void): Promise<Inspection> {
  progress('opening');
  const start = performance.now();
  const gpu = await openGpu();
  try {
    const openedMs = performance.now() - start;
    progress('measuring');
    const attention = await callAttention(gpu);
    const report = gpu.report();
    return { report, text: formatReport(report), openedMs, attention };
  } finally {
    gpu.destroy();
  }
}

/** A software adapter would take minutes for what a GPU does in a blink: the call fits the device. */
async function callAttention(gpu: Gpu): Promise<AttentionCall> {
  const short = await callAt(gpu, SHORT);
  return short.flashMs > QUICK_MS ? short : callAt(gpu, LONG);
}

/** One causal call on random numbers: checked against the reference, and timed against the materialised way. */
async function callAt(gpu: Gpu, seq: number): Promise<AttentionCall> {
  const { headsQ, headsKv, headDim } = LAYER;
  const values = {
    q: noise(seq * headsQ * headDim),
    k: noise(seq * headsKv * headDim),
    v: noise(seq * headsKv * headDim),
  };
  const q = gpu.upload(values.q, [1, seq, headsQ, headDim]);
  const k = gpu.upload(values.k, [1, seq, headsKv, headDim]);
  const v = gpu.upload(values.v, [1, seq, headsKv, headDim]);
  const out = gpu.empty(q.shape, 'f32');

  const flashMs = await timeOf(gpu, () => flashAttention(gpu, q, k, v, { causal: true, out }));
  const difference = worstDifference(await gpu.download(out), values, seq);
  if (!(difference <= TOLERANCE)) {
    throw new SelfTestError(`Attention came out wrong on this GPU: it is off by ${difference}.`);
  }
  const standardMs = await timeOf(gpu, () => standardAttention(gpu, q, k, v, { causal: true, out }));
  [q, k, v, out].forEach((tensor) => tensor.destroy());
  return { seq, headsQ, headsKv, headDim, flashMs, standardMs, difference };
}

/** Numbers in [-1, 1). */
function noise(length: number): Float32Array {
  return Float32Array.from({ length }, () => Math.random() * 2 - 1);
}

/** Milliseconds of the fastest of three runs; one before them compiles what is not compiled yet. */
async function timeOf(gpu: Gpu, call: () => { out: Tensor }): Promise<number> {
  const plan = gpu.record(call);
  plan.run();
  await gpu.idle();
  let fastest = Infinity;
  for (let run = 0; run < 3; run++) {
    const start = performance.now();
    plan.run();
    await gpu.idle();
    fastest = Math.min(fastest, performance.now() - start);
  }
  plan.destroy();
  return fastest;
}

/** The largest distance between `out` `[1, S, Hq, D]` and the reference, over some queries: the ends, and odd ones. */
function worstDifference(out: Float32Array, { q, k, v }: Record<'q' | 'k' | 'v', Float32Array>, seq: number): number {
  const queryRows = [0, 1, 31, 65, 127, 200, seq - 1];
  const shapes = { ...LAYER, seqQ: seq, seqK: seq };
  const expected = attentionReference(q, k, v, shapes, { causal: true, queryRows }).out;
  const width = LAYER.headsQ * LAYER.headDim;
  let worst = 0;
  for (const query of queryRows) {
    for (let i = query * width; i < (query + 1) * width; i++) {
      const distance = Math.abs(out[i]! - expected[i]!);
      // Written so that NaN, which is neither more nor less than anything, is kept.
      if (!(distance <= worst)) worst = distance;
    }
  }
  return worst;
}
