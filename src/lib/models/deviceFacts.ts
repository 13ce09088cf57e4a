/**
 * A device's report in words and units that people know. Pure functions of plain data.
 */
import type { AttentionCall, Failure, GpuReport } from '$lib/engine/protocol';
import type { Bar } from '$lib/ui/bar';
import type { Fact } from '$lib/ui/fact';
import { formatBytes, formatDuration } from '$lib/ui/format';

/** What matters to somebody who wants to run a model here, most important first. */
export function deviceFacts(report: GpuReport): Fact[] {
  const { adapter, features, limits } = report;
  return [
    { name: 'Graphics', value: adapterName(report), ...(adapter.isFallback && { note: '(software, no GPU)' }) },
    { name: 'Half precision', value: features.includes('shader-f16') ? 'Yes' : 'No' },
    { name: 'Subgroups', value: subgroups(report) },
    { name: 'GPU clock', value: features.includes('timestamp-query') ? 'Yes' : 'No' },
    {
      name: 'Largest buffer',
      value: formatBytes(limits.maxBufferSize),
      ...(limits.maxStorageBufferBindingSize < limits.maxBufferSize && {
        note: `of which a kernel sees ${formatBytes(limits.maxStorageBufferBindingSize)} at a time`,
      }),
    },
    {
      name: 'Workgroup',
      value: `${limits.maxComputeInvocationsPerWorkgroup} threads`,
      note: `sharing ${formatBytes(limits.maxComputeWorkgroupStorageSize)}`,
    },
  ];
}

/** How long attention took, in our way and in the plain one. */
export function attentionBars({ flashMs, standardMs }: AttentionCall): Bar[] {
  return [
    { name: 'FlashAttention', amount: flashMs, text: formatDuration(flashMs) },
    { name: 'With every score held in memory', amount: standardMs, text: formatDuration(standardMs) },
  ];
}

function adapterName({ adapter }: GpuReport): string {
  if (adapter.description) return adapter.description;
  const parts = [adapter.vendor, adapter.architecture, adapter.device].filter(Boolean);
  return parts.join(' ') || 'The browser does not say which';
}

function subgroups({ adapter, features }: GpuReport): string {
  if (!features.includes('subgroups')) return 'No';
  const { subgroupMinSize: least, subgroupMaxSize: most } = adapter;
  return least === most ? `${least} threads` : `${least} to ${most} threads`;
}

/** What a person can try, the likeliest first. */
export function remedies(code: Failure['code']): string[] {
  switch (code) {
    case 'no-webgpu':
      return [
        'Open this page in a current Chrome or Edge, in Safari 26 or newer, or in Firefox on Windows or macOS.',
        'On an iPhone or iPad, update to iOS 26 or newer.',
        'If the address starts with http://, use https:// instead: browsers keep WebGPU to secure pages.',
      ];
    case 'no-adapter':
      return [
        'Switch on hardware acceleration in the browser’s settings, under System, and restart the browser.',
        'Update the graphics driver, and then the browser.',
        'In Chrome on Linux, set chrome://flags/#enable-unsafe-webgpu and chrome://flags/#enable-vulkan to Enabled.',
      ];
    case 'lost':
    case 'out-of-memory':
      return ['Close other tabs and programs that use the GPU, and check again.'];
    case 'self-test':
    case 'shader':
    case 'validation':
      return ['Update the browser and the graphics driver: this one computes wrongly.', 'Try another browser.'];
    case 'limit':
      return ['Try another browser: this one offers less than the GPU has.'];
    case 'worker':
      return ['Reload the page.', 'If that does not help, a blocker may be keeping its scripts from loading.'];
    default:
      return ['Reload the page. If it happens again, it is our mistake, and a report would help.'];
  }
}
