/**
 * What this device is and what we chose for it, as plain data and as text: for bug reports, for the status page, and
 * for whoever wonders why a kernel is slow.
 */
import type { AdapterSummary } from './adapter';
import type { MemoryUse } from './arena';
import type { Limits, Reduction } from './limits';

/** A line that a room adds: a variant it chose, a self-test that failed, a fallback it took. */
export interface Note {
  /** 'attention' */
  readonly room: string;
  /** 'prefill' */
  readonly name: string;
  /** A sentence: «rows kernel, 64 x 32 tiles». */
  readonly text: string;
  readonly level?: 'info' | 'warning';
  /** Milliseconds it took, where that is the point. */
  readonly ms?: number;
}

export interface GpuReport {
  readonly adapter: AdapterSummary;
  readonly features: readonly string[];
  readonly languageFeatures: readonly string[];
  readonly limits: Limits;
  /** What `reduce` took away, in words. */
  readonly reduced: readonly string[];
  readonly memory: MemoryUse;
  readonly pipelines: readonly string[];
  readonly notes: readonly Note[];
  readonly errors: readonly { readonly code: string; readonly message: string }[];
  /** Why the device is gone, where it is. */
  readonly lost?: string;
}

export function formatReport(report: GpuReport): string {
  const { adapter, memory } = report;
  const name = [adapter.vendor, adapter.architecture, adapter.device, adapter.description].filter(Boolean).join(', ');
  const lines = [
    `GPU          ${name || 'unnamed'}${adapter.isFallback ? ' (software)' : ''}`,
    `features     ${report.features.join(', ') || 'none'}`,
    `subgroups    ${formatSubgroups(report)}`,
    ...formatMatrixShapes(adapter),
    ...formatLimits(report.limits),
    ...report.reduced.map((what) => `reduced      ${what}`),
    `memory       ${megabytes(memory.used)} used, ${megabytes(memory.reserved)} reserved, ${megabytes(memory.peak)} at most`,
    `pipelines    ${report.pipelines.length}`,
    ...report.notes.map(formatNote),
    ...report.errors.map(({ code, message }) => `error        ${code}: ${message}`),
  ];
  if (report.lost) lines.push(`lost         ${report.lost}`);
  return lines.join('\n');
}

function formatSubgroups({ adapter, features }: GpuReport): string {
  if (!features.includes('subgroups')) return 'none';
  const { subgroupMinSize: least, subgroupMaxSize: most } = adapter;
  return least === most ? `of ${least}` : `of ${least} to ${most}`;
}

function formatMatrixShapes({ subgroupMatrixConfigs: shapes }: AdapterSummary): string[] {
  return shapes.map(
    ({ M, N, K, componentType, resultComponentType }) =>
      `matrices     ${M} x ${N} x ${K}, ${componentType} to ${resultComponentType}`,
  );
}

function formatLimits(limits: Limits): string[] {
  return [
    `buffer       ${megabytes(limits.maxBufferSize)}, ${megabytes(limits.maxStorageBufferBindingSize)} in one binding`,
    `workgroup    ${limits.maxComputeInvocationsPerWorkgroup} invocations, ${limits.maxComputeWorkgroupStorageSize} bytes`,
    `bindings     ${limits.maxStorageBuffersPerShaderStage} storage buffers, aligned to ${limits.minStorageBufferOffsetAlignment} bytes`,
  ];
}

function formatNote({ room, name, text, level, ms }: Note): string {
  const time = ms === undefined ? '' : ` (${ms.toFixed(3)} ms)`;
  return `${room.padEnd(12)} ${level === 'warning' ? 'WARNING: ' : ''}${name}: ${text}${time}`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(bytes < 2 ** 27 ? 1 : 0)} MiB`;
}

/** What was taken away on purpose, a phrase each. */
export function describeReduction({ f16, subgroups, timestamps, experimental, limits }: Reduction): string[] {
  const phrases: string[] = [];
  if (f16 === false) phrases.push('no f16');
  if (subgroups === false) phrases.push('no subgroups');
  if (timestamps === false) phrases.push('no timestamps');
  if (experimental === false) phrases.push('no experimental features');
  if (limits === 'default') phrases.push("WebGPU's default limits");
  else if (limits) phrases.push(...Object.entries(limits).map(([name, bound]) => `${name} ${bound}`));
  return phrases;
}
