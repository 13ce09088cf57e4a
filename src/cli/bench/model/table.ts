/** The model bench for people: a line a figure, then tables of operations and of parts beside the peer's. */
import { alignColumns, formatBytes, threeDigits } from '../columns';
import type { ModelFigures, PartFigures, TokenFigures } from './figures';
import type { LoadingFigures } from './loading';
import type { StepFigures } from '$lib/engine/bench/operations';

const MEGABYTE = 1e6;
/** What loading may take beyond the weights, and a token beyond its kernels. */
const EXTRA_AIM = 64 * MEGABYTE;
const KERNELS_AIM = 1.15;

export function formatFigures(figures: ModelFigures): string {
  const { model, loading, prefill, seconds, clock } = figures;
  const head = `${model}; ${seconds.toFixed(0)} s in all. Times are the least of several: what else the machine does only adds.`;
  const measured = prefill.length > 0;
  return [
    head,
    ...(measured
      ? [`Kernels by ${clock.clock === 'gpu' ? 'GPU timestamps' : 'the wall clock'}: ${clock.reason}.`]
      : []),
    '',
    ...formatLoading(loading, figures.adapter.isFallback),
    ...(measured ? formatSpeed(figures) : []),
    ...figures.tokens.flatMap(({ step }) => ['', ...formatStep(step)]),
    ...figures.prompts.flatMap((step) => ['', ...formatStep(step)]),
    ...(measured ? ['', ...formatParts(figures)] : []),
  ].join('\n');
}

// ---- loading ---------------------------------------------------------------------------------------------------

function formatLoading({ phases, fileBytes, before, extra }: LoadingFigures, software: boolean): string[] {
  const rows = phases.map(({ phase, ms, peak, gpuBytes }) => [
    phase,
    threeDigits(ms),
    megabytes(peak.data - before.data),
    megabytes(peak.code - before.code),
    megabytes(gpuBytes),
  ]);
  const header = ['loading', 'ms', 'data', 'code', 'held by the GPU'];
  return [
    ...alignColumns([header, ...rows]),
    `MB beyond the start: most in the phase; code are pages of programs, a driver's compiler among them.${software ? ' What a software adapter holds is part of the data.' : ''}`,
    `${megabytes(fileBytes)} MB of files took ${megabytes(extra)} MB beyond ${software ? 'what the GPU holds' : 'the start'} until they were on the GPU; the aim is 64: ${verdict(extra <= EXTRA_AIM)}.`,
  ];
}

function megabytes(bytes: number): string {
  return (bytes / MEGABYTE).toFixed(0);
}

function verdict(met: boolean): string {
  return met ? 'met' : 'missed';
}

// ---- speed -----------------------------------------------------------------------------------------------------

function formatSpeed({ prefill, tokens, weightBytes = 0, kvType }: ModelFigures): string[] {
  const prompts = prefill.map(({ tokens: count, ms, tokensPerSecond }) => [
    `prefill, ${count} tokens`,
    threeDigits(ms),
    threeDigits(tokensPerSecond),
  ]);
  const decoded = tokens.map(({ decode, step, overKernels, gigabytesPerSecond }) => [
    `decode behind ${decode.context} tokens`,
    threeDigits(decode.msPerToken),
    threeDigits(decode.tokensPerSecond),
    String(step.dispatches),
    threeDigits(step.leastMs),
    `${overKernels.toFixed(2)}x ${verdict(overKernels <= KERNELS_AIM)}`,
    threeDigits(gigabytesPerSecond),
  ]);
  const header = ['speed', 'ms', 'tokens/s', 'dispatches', 'kernels, ms', 'token / kernels', 'GB/s'];
  return [
    '',
    ...alignColumns([header, ...prompts, ...decoded]),
    `GB/s: ${formatBytes(weightBytes)} of weights a token; the cache is ${kvType}. «token / kernels» is of times taken in turns; the aim is ${KERNELS_AIM}x.`,
  ];
}

function formatStep({ tokens, position, dispatches, operations, leastMs, medianMs, clock }: StepFigures): string[] {
  const rows = operations.map(({ label, workgroups, calls, ms }) => [
    label,
    workgroups.join(' x '),
    String(calls),
    threeDigits(ms),
    threeDigits(ms / calls),
    `${((ms / leastMs) * 100).toFixed(1)} %`,
  ]);
  const what = tokens === 1 ? `a token behind ${position}` : `a prompt of ${tokens}`;
  return [
    ...alignColumns([[what, 'workgroups', 'calls', 'ms', 'ms/call', 'share'], ...rows]),
    `${dispatches} dispatches, ${threeDigits(leastMs)} ms at their least, ${threeDigits(medianMs)} in the middle, by ${clock === 'gpu' ? 'GPU timestamps' : 'the wall clock, each dispatch alone'}`,
  ];
}

// ---- beside the peer -------------------------------------------------------------------------------------------

function formatParts(figures: ModelFigures): string[] {
  const counts = [...new Set(figures.parts.map(({ tokens }) => tokens))];
  const rows = counts.flatMap((count) => {
    const parts = figures.parts.filter(({ tokens }) => tokens === count);
    return [...parts.map(formatPart), ...sumsOf(parts, figures.tokens)];
  });
  const missing = [...new Set(figures.parts.flatMap(({ missing }) => (missing === undefined ? [] : [missing])))];
  return [
    `Beside ONNX Runtime's WebGPU provider (${figures.onnxRuntime}): MatMulNBits with blocks of 32, and GroupQueryAttention.`,
    'Ours hold norm, activation and residual; its hold none. x ORT: its time by ours, above 1 ours is faster.',
    ...alignColumns(
      [['part', 'tokens', 'calls', 'ours, ms', 'GFLOP/s', 'GB/s', 'its, ms', 'clock', 'x ORT', ''], ...rows],
      [0, 9],
    ),
    ...missing.map((why) => `Not asked: ${why}.`),
  ];
}

/** Sums that are off by more than this are wrong: some hundred terms of at most 1, in float32. */
const PEER_ALLOWED = 1e-2;

function formatPart({ name, tokens, calls, ms, product, peer, ratio }: PartFigures): string[] {
  const wrong = peer && !(peer.error !== null && peer.error <= PEER_ALLOWED);
  return [
    name,
    String(tokens),
    String(calls),
    threeDigits(ms),
    product ? threeDigits(product.gflops) : '',
    product ? threeDigits(product.gigabytesPerSecond) : '',
    peer ? threeDigits(peer.ms.least) : '',
    peer ? peer.clock : '',
    ratio === undefined ? '' : `${ratio.toFixed(2)}x`,
    wrong ? `its is wrong: off by ${peer.error === null ? 'no number' : peer.error.toExponential(1)}` : '',
  ];
}

/** Of a whole step, for each attention that was timed, where the peer has all parts. */
function sumsOf(parts: readonly PartFigures[], tokens: readonly TokenFigures[]): string[][] {
  const products = parts.filter(({ product }) => product);
  const attentions = parts.filter(({ product }) => !product);
  if (parts.some(({ peer }) => !peer)) return [];
  return attentions.map((attention) => {
    const all = [...products, attention];
    const ours = all.reduce((sum, { ms, calls }) => sum + ms * calls, 0);
    const theirs = all.reduce((sum, { peer, calls }) => sum + peer!.ms.least * calls, 0);
    const count = attention.tokens;
    const name = count === 1 && tokens.length > 1 ? `a token's sum, ${attention.name.split(', ')[1]}` : `a step's sum`;
    return [
      name,
      String(count),
      '',
      threeDigits(ours),
      '',
      '',
      threeDigits(theirs),
      '',
      `${(theirs / ours).toFixed(2)}x`,
    ];
  });
}
