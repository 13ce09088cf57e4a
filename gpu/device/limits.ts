/**
 * Limits and features: which of the adapter's we ask for, and how tests take some away again.
 */
import { ArgumentError } from './errors';

/** The limits that compute work depends on, with WebGPU's defaults: what every device has at least. */
export const DEFAULT_LIMITS = {
  maxBindGroups: 4,
  maxBindingsPerBindGroup: 1000,
  maxDynamicUniformBuffersPerPipelineLayout: 8,
  maxStorageBuffersPerShaderStage: 8,
  maxUniformBuffersPerShaderStage: 12,
  maxUniformBufferBindingSize: 65536,
  maxStorageBufferBindingSize: 134217728,
  minUniformBufferOffsetAlignment: 256,
  minStorageBufferOffsetAlignment: 256,
  maxBufferSize: 268435456,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupSizeY: 256,
  maxComputeWorkgroupSizeZ: 64,
  maxComputeWorkgroupsPerDimension: 65535,
} as const;

export type LimitName = keyof typeof DEFAULT_LIMITS;
export type Limits = Readonly<Record<LimitName, number>>;

export const LIMIT_NAMES = Object.keys(DEFAULT_LIMITS) as LimitName[];

/** Optional features that a kernel of ours could use. Nothing else is asked for. */
const USEFUL_FEATURES = [
  'shader-f16',
  'subgroups',
  'subgroup-size-control',
  'timestamp-query',
  'chromium-experimental-subgroup-matrix',
] as const;

/** What to take away from what the adapter offers, so that tests and developers see the poorer corners. */
export interface Reduction {
  readonly f16?: false;
  readonly subgroups?: false;
  readonly timestamps?: false;
  readonly experimental?: false;
  /** 'default': WebGPU's default limits. A record: upper bounds by name (lower bounds for the `min…` alignments). */
  readonly limits?: 'default' | Partial<Record<LimitName, number>>;
}

export function chooseFeatures(offered: ReadonlySet<string>, reduce: Reduction = {}): string[] {
  return USEFUL_FEATURES.filter((name) => offered.has(name) && !isTakenAway(name, reduce));
}

function isTakenAway(name: (typeof USEFUL_FEATURES)[number], reduce: Reduction): boolean {
  switch (name) {
    case 'shader-f16':
      return reduce.f16 === false;
    case 'subgroups':
    case 'subgroup-size-control':
      return reduce.subgroups === false;
    case 'timestamp-query':
      return reduce.timestamps === false;
    case 'chromium-experimental-subgroup-matrix':
      return reduce.experimental === false || reduce.subgroups === false;
  }
}

/** Larger is better for `max…` limits, smaller is better for `min…` alignments. */
function isAlignment(name: LimitName): boolean {
  return name.startsWith('min');
}

function worse(name: LimitName, a: number, b: number): number {
  return isAlignment(name) ? Math.max(a, b) : Math.min(a, b);
}

function better(name: LimitName, a: number, b: number): number {
  return isAlignment(name) ? Math.min(a, b) : Math.max(a, b);
}

/** What our own code may use: the adapter's limits, less what was taken away. */
export function effectiveLimits(offered: Readonly<Record<LimitName, number>>, reduce: Reduction = {}): Limits {
  const asked = reduce.limits ?? {};
  const bounds: Partial<Record<LimitName, number>> = asked === 'default' ? DEFAULT_LIMITS : asked;
  checkBounds(bounds);
  return mapLimits((name) => {
    const bound = bounds[name];
    return bound === undefined ? offered[name] : worse(name, offered[name], bound);
  });
}

function checkBounds(bounds: Partial<Record<LimitName, number>>): void {
  for (const [name, bound] of Object.entries(bounds)) {
    if (!(name in DEFAULT_LIMITS)) {
      throw new ArgumentError('reduce.limits', `'${name}'`, `one of ${LIMIT_NAMES.join(', ')}`);
    }
    if (!Number.isSafeInteger(bound) || bound < 1) {
      throw new ArgumentError(`reduce.limits.${name}`, String(bound), 'a whole number above 0');
    }
  }
}

/** What the device is asked for: WebGPU refuses less than its defaults, so poorer corners are enforced by us alone. */
export function requestedLimits(effective: Limits): Record<LimitName, number> {
  return mapLimits((name) => better(name, effective[name], DEFAULT_LIMITS[name]));
}

/** Reads the limits we know out of WebGPU's own object, whose properties live on its prototype. */
export function readLimits(source: GPUSupportedLimits): Limits {
  return mapLimits((name) => (source as Partial<Record<LimitName, number>>)[name] ?? DEFAULT_LIMITS[name]);
}

function mapLimits(value: (name: LimitName) => number): Record<LimitName, number> {
  return Object.fromEntries(LIMIT_NAMES.map((name) => [name, value(name)])) as Record<LimitName, number>;
}
