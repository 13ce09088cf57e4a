/**
 * A device's report in words and units that people know. Pure functions of plain data, in the page's language.
 */
import type { AttentionCall, Failure, GpuReport } from '$lib/engine/protocol';
import type { Bar } from '$lib/ui/bar';
import type { Fact } from '$lib/ui/fact';
import { formatBytes, formatDuration } from '$lib/ui/format';
import { language, t } from '$lib/ui/language.svelte';

/** What matters to somebody who wants to run a model here, most important first. */
export function deviceFacts(report: GpuReport): Fact[] {
  const { adapter, features, limits } = report;
  const words = t().device.facts;
  const size = (bytes: number): string => formatBytes(bytes, language());
  const whether = (feature: string): string => (features.includes(feature) ? words.yes : words.no);
  return [
    { name: words.graphics, value: adapterName(report), ...(adapter.isFallback && { note: words.software }) },
    { name: words.half, value: whether('shader-f16') },
    { name: words.subgroups, value: subgroups(report) },
    { name: words.clock, value: whether('timestamp-query') },
    {
      name: words.buffer,
      value: size(limits.maxBufferSize),
      ...(limits.maxStorageBufferBindingSize < limits.maxBufferSize && {
        note: words.bindingPart(size(limits.maxStorageBufferBindingSize)),
      }),
    },
    {
      name: words.workgroup,
      value: words.threads(String(limits.maxComputeInvocationsPerWorkgroup)),
      note: words.sharing(size(limits.maxComputeWorkgroupStorageSize)),
    },
  ];
}

/** How long attention took, in our way and in the plain one. */
export function attentionBars({ flashMs, standardMs }: AttentionCall): Bar[] {
  const words = t().device.facts;
  return [
    { name: words.flash, amount: flashMs, text: formatDuration(flashMs, language()) },
    { name: words.standard, amount: standardMs, text: formatDuration(standardMs, language()) },
  ];
}

export function adapterName({ adapter }: GpuReport): string {
  if (adapter.description) return adapter.description;
  const parts = [adapter.vendor, adapter.architecture, adapter.device].filter(Boolean);
  return parts.join(' ') || t().device.facts.unnamed;
}

function subgroups({ adapter, features }: GpuReport): string {
  const words = t().device.facts;
  if (!features.includes('subgroups')) return words.no;
  const { subgroupMinSize: least, subgroupMaxSize: most } = adapter;
  return words.threads(least === most ? String(least) : `${least}–${most}`);
}

/** What a person can try, the likeliest first. */
export function remedies(code: Failure['code']): readonly string[] {
  const words = t().device.remedies;
  switch (code) {
    case 'no-webgpu':
      return words.noWebgpu;
    case 'no-adapter':
      return words.noAdapter;
    case 'lost':
    case 'out-of-memory':
      return words.memory;
    case 'self-test':
    case 'shader':
    case 'validation':
      return words.wrong;
    case 'limit':
      return words.limit;
    case 'worker':
      return words.worker;
    default:
      return words.other;
  }
}
