/** A device's report in words. */
import { expect, test } from 'vitest';
import type { GpuReport } from '$lib/engine/protocol';
import { deviceFacts, remedies } from '$lib/models/deviceFacts';
import { formatBytes, formatDuration } from '$lib/ui/format';

function report(changes: {
  readonly adapter?: Partial<GpuReport['adapter']>;
  readonly limits?: Partial<GpuReport['limits']>;
  readonly features?: readonly string[];
}): GpuReport {
  return {
    adapter: { vendor: '', architecture: '', device: '', description: '', isFallback: false, ...changes.adapter },
    features: changes.features ?? [],
    limits: {
      maxBufferSize: 2 ** 28,
      maxStorageBufferBindingSize: 2 ** 27,
      maxComputeInvocationsPerWorkgroup: 256,
      maxComputeWorkgroupStorageSize: 16384,
      ...changes.limits,
    },
  } as GpuReport;
}

function value(of: GpuReport, name: string): string {
  const fact = deviceFacts(of).find((row) => row.name === name);
  return [fact?.value, fact?.note].filter(Boolean).join(' ');
}

test('the adapter is called by its description, else by its parts, else not at all', () => {
  expect(value(report({ adapter: { vendor: 'apple', description: 'Apple M4' } }), 'Graphics')).toBe('Apple M4');
  expect(value(report({ adapter: { vendor: 'apple', architecture: 'metal-3' } }), 'Graphics')).toBe('apple metal-3');
  expect(value(report({}), 'Graphics')).toBe('The browser does not say which');
  expect(value(report({ adapter: { vendor: 'x', isFallback: true } }), 'Graphics')).toContain('software');
});

test('subgroups and half precision are told from the features', () => {
  expect(value(report({}), 'Subgroups')).toBe('No');
  expect(value(report({}), 'Half precision')).toBe('No');
  const features = ['subgroups', 'shader-f16'];
  expect(value(report({ features, adapter: { subgroupMinSize: 4, subgroupMaxSize: 64 } }), 'Subgroups')).toBe(
    '4–64 threads',
  );
  expect(value(report({ features, adapter: { subgroupMinSize: 32, subgroupMaxSize: 32 } }), 'Subgroups')).toBe(
    '32 threads',
  );
  expect(value(report({ features }), 'Half precision')).toBe('Yes');
});

test('a binding smaller than the buffer is said, an equal one is not', () => {
  expect(value(report({}), 'Largest buffer')).toBe('256 MB of which a kernel sees 128 MB at a time');
  expect(value(report({ limits: { maxStorageBufferBindingSize: 2 ** 28 } }), 'Largest buffer')).toBe('256 MB');
});

test('numbers come in units that people know', () => {
  expect([0, 512, 16384, 1.5 * 2 ** 20, 2 ** 32, 2 ** 42].map((bytes) => formatBytes(bytes))).toEqual([
    '0 bytes',
    '512 bytes',
    '16 kB',
    '1.5 MB',
    '4 GB',
    '4,096 GB',
  ]);
  expect([0.8123, 12.3, 999, 1234].map((ms) => formatDuration(ms))).toEqual([
    '0.81 ms',
    '12 ms',
    '999 ms',
    '1.2 seconds',
  ]);
});

test('every failure has something to try', () => {
  for (const code of ['no-webgpu', 'no-adapter', 'limit', 'lost', 'self-test', 'worker', 'unknown'] as const) {
    expect(remedies(code).length).toBeGreaterThan(0);
  }
});
