/** Figures with their noise. */

/** A measured quantity: the median of its samples, and how far they spread. */
export interface Figure {
  readonly median: number;
  /** Quartiles: half of the samples lie between them. */
  readonly low: number;
  readonly high: number;
  readonly least: number;
  readonly most: number;
  readonly samples: number;
}

export function summarize(samples: readonly number[]): Figure {
  if (samples.length === 0) throw new RangeError('a figure needs samples');
  const sorted = [...samples].sort((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    low: quantile(sorted, 0.25),
    high: quantile(sorted, 0.75),
    least: sorted[0]!,
    most: sorted.at(-1)!,
    samples: sorted.length,
  };
}

/** Between neighbours, in proportion. */
function quantile(sorted: readonly number[], q: number): number {
  const at = q * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (sorted[above]! - sorted[below]!) * (at - below);
}

/** Half of the distance between the quartiles, as a share of the median. */
export function noiseOf({ median, low, high }: Figure): number {
  return median > 0 ? (high - low) / 2 / median : 0;
}

/** A quotient of two figures, with the noise of both. */
export interface Ratio {
  readonly value: number;
  readonly noise: number;
}

export function ratioOf(numerator: Figure, denominator: Figure): Ratio {
  return {
    value: numerator.median / denominator.median,
    noise: Math.hypot(noiseOf(numerator), noiseOf(denominator)),
  };
}

/** What is left of `whole` without `part`, for `count` repetitions: medians of differences need no pairing. */
export function differenceOf(whole: Figure, part: Figure, count: number): Figure {
  const each = (a: number, b: number): number => Math.max(0, a - b) / count;
  return {
    median: each(whole.median, part.median),
    low: each(whole.low, part.high),
    high: each(whole.high, part.low),
    least: each(whole.least, part.most),
    most: each(whole.most, part.least),
    samples: Math.min(whole.samples, part.samples),
  };
}
