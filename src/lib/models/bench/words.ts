/** Measured figures in words, lines and bars, in the page's language. Pure functions of plain data. */
import type {
  AnswerFigures,
  AttentionPoint,
  Figure,
  GpuFigures,
  KernelTime,
  LoadedModel,
  ModelProfile,
  Schedule,
  StepFigures,
} from '$lib/engine/protocol';
import type { Bar } from '$lib/ui/bar';
import type { Fact } from '$lib/ui/fact';
import { formatBytes, formatDuration, formatPercent, formatRate } from '$lib/ui/format';
import { language, t } from '$lib/ui/language.svelte';
import type { Line } from '$lib/ui/line-chart';
import { adapterName } from '../deviceFacts';

/** How fast the GPU reads and multiplies, each with its spread. */
export function gpuFacts({ report, reading, products }: GpuFigures): Fact[] {
  const words = t().device;
  return [
    {
      name: words.facts.graphics,
      value: adapterName(report),
      ...(report.adapter.isFallback && { note: words.facts.software }),
    },
    ...(reading
      ? [{ name: words.run.reading, value: gigabytes(reading.gigabytesPerSecond), note: spread(reading.ms) }]
      : []),
    ...products.map(({ dtype, gflops, ms }) => ({
      name: words.run.multiplying(dtype === 'f16' ? 'float16' : 'float32'),
      value: flops(gflops),
      note: spread(ms),
    })),
  ];
}

/** How fast the model answers, and how much of the GPU's memory speed that takes. */
export function answerFacts(
  model: LoadedModel,
  { promptTokens, prefill, decode }: AnswerFigures,
  profile: ModelProfile | undefined,
  gpu: GpuFigures | undefined,
): Fact[] {
  const words = t().device.run;
  // What is measured here runs here.
  const place = model.path === 'server' ? '' : t().model.on[model.path];
  const { threads = 1 } = model;
  return [
    { name: words.where, value: place, ...(threads > 1 && { note: t().model.threads(threads) }) },
    {
      name: words.reads,
      value: words.perSecond(formatRate(prefill.median, language())),
      note: [spread(prefill), words.ofTokens(promptTokens)].filter(Boolean).join(', '),
    },
    ...(decode
      ? [{ name: words.writes, value: words.perSecond(formatRate(decode.median, language())), note: spread(decode) }]
      : []),
    ...(decode && profile ? [weightsFact(profile.weightBytes, decode, gpu)] : []),
  ];
}

function weightsFact(weightBytes: number, decode: Figure, gpu: GpuFigures | undefined): Fact {
  const words = t().device.run;
  const rate = (weightBytes * decode.median) / 1e9;
  const most = gpu?.reading?.gigabytesPerSecond;
  return {
    name: words.weights,
    value: formatBytes(weightBytes, language()),
    ...(most !== undefined && { note: words.ofBandwidth(gigabytes(rate), formatPercent(rate / most, language())) }),
  };
}

// ---- attention -------------------------------------------------------------------------------------------------

export function pointsOf(gpu: GpuFigures, schedule: Schedule): AttentionPoint[] {
  return gpu.attention.filter((point) => point.schedule === schedule);
}

/** Milliseconds over tokens, ours first. */
export function attentionLines(points: readonly AttentionPoint[]): Line[] {
  const words = t().device.run;
  const line = (times: (point: AttentionPoint) => KernelTime): Map<number, number> =>
    new Map(points.flatMap((point) => timeOf(times(point)).map((ms) => [point.keys, ms] as const)));
  return [
    { name: words.flash, points: line(({ flash }) => flash) },
    { name: words.standard, dashed: true, points: line(({ standard }) => standard) },
  ];
}

function timeOf(time: KernelTime): number[] {
  return 'ms' in time ? [time.ms.median] : [];
}

/** The longest length that both took, compared in sentences. */
export function attentionWords(points: readonly AttentionPoint[]): string {
  const words = t().device.run;
  for (const { keys, flash, standard } of [...points].reverse()) {
    if (!('ms' in flash) || !('ms' in standard)) continue;
    const ratio = standard.ms.median / flash.ms.median;
    const said = (value: number): string => value.toLocaleString(language(), { maximumSignificantDigits: 2 });
    return [
      ratio >= 1 ? words.compare(keys, said(ratio)) : words.compareSlower(keys, said(1 / ratio)),
      words.memory(formatBytes(flash.extraBytes, language()), formatBytes(standard.extraBytes, language())),
    ].join(' ');
  }
  return '';
}

/** A cell of the table. */
export function timeWords(time: KernelTime): string {
  const words = t().device.run;
  if (!('ms' in time)) return time.missing === 'slow' ? words.tooSlow : words.failedHere;
  return [formatDuration(time.ms.median, language()), spread(time.ms)].filter(Boolean).join(' ');
}

export function memoryWords(time: KernelTime): string {
  return 'ms' in time ? formatBytes(time.extraBytes, language()) : '';
}

// ---- operations ------------------------------------------------------------------------------------------------

type Group = 'products' | 'attention' | 'sampling' | 'rest';

/** By what a dispatch is called (gpu/ops, gpu/attention, gpu/generate). */
function groupOf(label: string): Group {
  if (/^(matvec|matmul)/.test(label)) return 'products';
  if (label.startsWith('attention/')) return 'attention';
  return label.startsWith('generate/') ? 'sampling' : 'rest';
}

/** The time of a step by what it is spent on, the largest part first. */
export function operationBars({ operations }: StepFigures): Bar[] {
  const sums = new Map<Group, number>();
  for (const { label, ms } of operations) sums.set(groupOf(label), (sums.get(groupOf(label)) ?? 0) + ms);
  return [...sums]
    .map(([group, ms]) => ({
      name: t().device.run.groups[group],
      amount: ms,
      text: formatDuration(ms, language()),
    }))
    .sort((a, b) => b.amount - a.amount);
}

// ---- numbers ---------------------------------------------------------------------------------------------------

function gigabytes(perSecond: number): string {
  return `${threeDigits(perSecond)} GB/s`;
}

function flops(gflops: number): string {
  return gflops >= 1000 ? `${threeDigits(gflops / 1000)} TFLOP/s` : `${threeDigits(gflops)} GFLOP/s`;
}

function threeDigits(value: number): string {
  return value.toLocaleString(language(), { maximumSignificantDigits: 3 });
}

/** Half of the distance between the quartiles; one sample alone tells none. */
function spread({ median, low, high, samples }: Figure): string {
  if (samples < 2) return '';
  return t().device.run.spread(formatPercent(median > 0 ? (high - low) / 2 / median : 0, language()));
}
