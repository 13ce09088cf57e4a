/**
 * The likeliest tokens and their logarithmic probabilities, of the logits as they are: no penalties, temperature 1.
 *
 * For rows of logits (`topTokens`), and for the token just drawn (sampler.ts records that). See top_pick.wesl.
 */
import { ArgumentError, describe } from '../device';
import type { Gpu, PipelineSpec, Tensor } from '../device';
import { MAX_TOP, checkTop, pickConstants, shapeOf, threadsOn } from './shape';
import type { Threads } from './shape';
import { generateSources } from './shaders';
import { RING_LENGTH } from './state';

/** Likeliest first. */
export type TopTokens = (readonly [id: number, logprob: number])[];

const SCAN: PipelineSpec = {
  label: 'generate/top_scan',
  module: 'generate/top_scan',
  sources: [generateSources],
  bindings: ['uniform', 'none', 'read', 'none', 'none', 'none', 'none', 'write'],
};

const pick = (threads: Threads): PipelineSpec => ({
  label: `generate/top_pick ${threads}`,
  module: 'generate/top_pick',
  sources: [generateSources],
  conditions: { CHOSEN: false },
  constants: pickConstants(threads),
  bindings: ['uniform', 'none', 'read', 'none', 'write', 'none', 'none', 'write'],
});

const chosenPick = (threads: Threads): PipelineSpec => ({
  ...pick(threads),
  label: `generate/top_pick ${threads} of the drawn`,
  conditions: { CHOSEN: true },
  bindings: ['uniform', 'read', 'read', 'none', 'write', 'read', 'none', 'write'],
});

const PICKS = { 64: pick(64), 256: pick(256) } as const;
/** The sampler's third dispatch. */
export const CHOSEN_PICKS = { 64: chosenPick(64), 256: chosenPick(256) } as const;

/** For `gpu.preparePipelines`: what `topTokens` runs. */
export function topSpecs(gpu: Gpu): PipelineSpec[] {
  return [SCAN, PICKS[threadsOn(gpu)]];
}

// ---- of rows ---------------------------------------------------------------------------------------------------

/** Of each row of logits f32 `[rows, V]` the `top` likeliest tokens: u32 `[rows, 2 * top]`, for `readTop`. */
export function topTokens(gpu: Gpu, logits: Tensor, top: number): Tensor {
  checkTop(top);
  const [rows = 0, vocab = 0] = logits.shape;
  if (logits.dtype !== 'f32' || logits.shape.length !== 2)
    throw new ArgumentError('logits', describe(logits), 'f32 [rows, V]');
  const shape = shapeOf(vocab, top);
  const out = gpu.empty([rows, 2 * top], 'u32');
  if (out.size === 0) return out;
  gpu.scoped(() => {
    const tops = gpu.scratch([rows, 3, shape.groups], 'u32');
    gpu.dispatch({
      pipeline: gpu.pipeline(SCAN),
      bindings: [null, null, logits, null, null, null, null, tops],
      params: shape.params,
      workgroups: [shape.blocks, rows],
    });
    gpu.dispatch({
      pipeline: gpu.pipeline(PICKS[threadsOn(gpu)]),
      bindings: [null, null, logits, null, out, null, null, tops],
      params: shape.params,
      workgroups: [rows],
    });
  });
  return out;
}

/** A download of `topTokens`; a row of logits without a distribution (NaN, all -inf) has no tokens. */
export function readTop(words: Int32Array | Uint32Array, top: number): TopTokens[] {
  return Array.from({ length: top > 0 ? words.length / (2 * top) : 0 }, (_, row) =>
    readRecord(words.subarray(row * 2 * top, (row + 1) * 2 * top), top, top),
  );
}

// ---- of the token just drawn -----------------------------------------------------------------------------------

const CHOSEN_LENGTH = 2 * MAX_TOP + 1;

/** Where the sampler leaves what it knows of the last tokens drawn: u32 `[RING_LENGTH, 2 * MAX_TOP + 1]`. */
export function createLogprobs(gpu: Gpu): Tensor {
  return gpu.upload(new Uint32Array(RING_LENGTH * CHOSEN_LENGTH), [RING_LENGTH, CHOSEN_LENGTH]);
}

export function checkLogprobs(logprobs: Tensor): void {
  if (logprobs.dtype === 'u32' && logprobs.size === RING_LENGTH * CHOSEN_LENGTH) return;
  throw new ArgumentError('logprobs', describe(logprobs), `u32 [${RING_LENGTH}, ${CHOSEN_LENGTH}]`);
}

/** Of a download of `createLogprobs`' tensor: token n of the request, with the `top` likeliest in its place. */
export function drawnLogprobs(
  words: Int32Array | Uint32Array,
  n: number,
  top: number,
): { logprob: number; top: TopTokens } {
  const start = (n % RING_LENGTH) * CHOSEN_LENGTH;
  const record = words.subarray(start, start + CHOSEN_LENGTH);
  return { logprob: floatsOf(record)[2 * MAX_TOP]!, top: readRecord(record, top, MAX_TOP) };
}

/** `count` pairs out of a record that has room for `capacity`. */
function readRecord(record: Int32Array | Uint32Array, count: number, capacity: number): TopTokens {
  const floats = floatsOf(record);
  const pairs = Array.from({ length: count }, (_, at) => [record[at]! | 0, floats[capacity + at]!] as const);
  return pairs.filter(([id]) => id >= 0);
}

function floatsOf(words: Int32Array | Uint32Array): Float32Array {
  return new Float32Array(words.buffer, words.byteOffset, words.length);
}
