import { expect, test } from 'vitest';
import { ArgumentError } from '$gpu/device';
import {
  chooseFeatures,
  DEFAULT_LIMITS,
  effectiveLimits,
  readLimits,
  requestedLimits,
  type LimitName,
  type Limits,
} from '$gpu/device/limits';

const RICH: Limits = {
  ...DEFAULT_LIMITS,
  maxBufferSize: 2 ** 32,
  maxStorageBufferBindingSize: 2 ** 31,
  maxStorageBuffersPerShaderStage: 16,
  maxComputeInvocationsPerWorkgroup: 1024,
  minStorageBufferOffsetAlignment: 32,
};

test('without reduction our limits are the adapter’s, and those are asked for', () => {
  expect(effectiveLimits(RICH)).toEqual(RICH);
  expect(requestedLimits(RICH)).toEqual(RICH);
});

test('reduced to defaults, the device itself is asked for no more', () => {
  const limits = effectiveLimits(RICH, { limits: 'default' });
  expect(limits).toEqual(DEFAULT_LIMITS);
  expect(requestedLimits(limits)).toEqual(DEFAULT_LIMITS);
});

test('below the defaults we alone hold the line, since WebGPU refuses to', () => {
  const limits = effectiveLimits(RICH, { limits: { maxBufferSize: 4096, minStorageBufferOffsetAlignment: 512 } });
  expect(limits.maxBufferSize).toBe(4096);
  expect(limits.minStorageBufferOffsetAlignment).toBe(512);
  expect(limits.maxStorageBuffersPerShaderStage).toBe(16);
  const asked = requestedLimits(limits);
  expect(asked.maxBufferSize).toBe(DEFAULT_LIMITS.maxBufferSize);
  expect(asked.minStorageBufferOffsetAlignment).toBe(DEFAULT_LIMITS.minStorageBufferOffsetAlignment);
});

test('reduction never adds: a bound above the adapter’s limit changes nothing', () => {
  const limits = effectiveLimits(RICH, { limits: { maxBufferSize: 2 ** 40, minStorageBufferOffsetAlignment: 4 } });
  expect(limits).toEqual(RICH);
});

test('an unknown limit, or one that is no number, is an argument error that lists the names', () => {
  const unknown = { maxWishes: 3 } as unknown as Partial<Record<LimitName, number>>;
  expect(() => effectiveLimits(RICH, { limits: unknown })).toThrow(ArgumentError);
  expect(() => effectiveLimits(RICH, { limits: unknown })).toThrow(/maxWishes.*maxBufferSize/);
  expect(() => effectiveLimits(RICH, { limits: { maxBufferSize: 0.5 } })).toThrow(ArgumentError);
});

test('a limit that an old browser does not report counts as the default', () => {
  const old = { maxBufferSize: 1 << 30 } as unknown as GPUSupportedLimits;
  expect(readLimits(old)).toEqual({ ...DEFAULT_LIMITS, maxBufferSize: 1 << 30 });
});

test('features: all useful ones that the adapter has, less what is taken away', () => {
  const offered = new Set([
    'shader-f16',
    'subgroups',
    'timestamp-query',
    'texture-compression-bc',
    'subgroup-size-control',
  ]);
  expect(chooseFeatures(offered)).toEqual(['shader-f16', 'subgroups', 'subgroup-size-control', 'timestamp-query']);
  expect(chooseFeatures(offered, { f16: false })).not.toContain('shader-f16');
  expect(chooseFeatures(offered, { subgroups: false })).toEqual(['shader-f16', 'timestamp-query']);
  expect(chooseFeatures(offered, { timestamps: false })).not.toContain('timestamp-query');
  const experimental = new Set(['chromium-experimental-subgroup-matrix', 'subgroups']);
  expect(chooseFeatures(experimental)).toContain('chromium-experimental-subgroup-matrix');
  expect(chooseFeatures(experimental, { experimental: false })).toEqual(['subgroups']);
  expect(chooseFeatures(experimental, { subgroups: false })).toEqual([]);
});
