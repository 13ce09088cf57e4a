/**
 * Ways to multiply few rows of x, all right, of which devices prefer one or the other: gpu/model measures them on a GPU
 * (gpu/model/race.ts), and software adapters have theirs by what was measured once (docs/log.md).
 */
import type { Gpu } from '../device';

export interface ProductWay {
  /** Neighbouring lanes whose sums meet by shuffles before they go through workgroup memory; 1: all go there. */
  readonly width: number;
  /** RMSNorm is a dispatch of its own, instead of being done by every group of rows on its way. */
  readonly normApart: boolean;
}

/** Threads that share rows in matvec.wesl. */
export const LANES = 32;

const SLOT = Symbol('product way');

/** The way that serves on this device. */
export function productWay(gpu: Gpu): ProductWay {
  const chosen = gpu.slots.get(SLOT) as ProductWay | undefined;
  return chosen ?? (gpu.info.isFallback ? { width: widest(gpu), normApart: true } : { width: 1, normApart: false });
}

/** What is recorded from now on goes this way. */
export function setProductWay(gpu: Gpu, way: ProductWay): void {
  gpu.slots.set(SLOT, way);
}

/** Every way that this device can go. */
export function productWays(gpu: Gpu): ProductWay[] {
  const widths = [...new Set([1, widest(gpu)])];
  return widths.flatMap((width) => [false, true].map((normApart) => ({ width, normApart })));
}

/** Lanes that are sure to be in one subgroup; a power of two. */
function widest({ has, info }: Gpu): number {
  return has.subgroups ? Math.min(LANES, Math.max(1, info.subgroupMinSize)) : 1;
}

export function wayName({ width, normApart }: ProductWay): string {
  return `${width > 1 ? `sums by ${width} lanes` : 'sums in memory'}, norm ${normApart ? 'apart' : 'on the way'}`;
}
