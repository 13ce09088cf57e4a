/** The angles by which positions turn: computed once a model, in float64, rounded once (rope_append.wesl reads them). */
import type { RopeConfig, RopeScaling } from '../formats/model';
import { ArgumentError } from '../device';

/** Factors that a file brings as tensors, by the name that the scaling gives them. */
export type FactorLists = Readonly<Partial<Record<string, ArrayLike<number>>>>;

/**
 * (cos, sin) of every position and pair, `[positions, pairs, 2]`.
 *
 * @param positions how many the model is run with: what is scaled by their number follows from it
 */
export function rotaryAngles(rope: RopeConfig, positions: number, lists: FactorLists = {}): Float32Array {
  const pairs = rope.dims / 2;
  const frequencies = rotaryFrequencies(rope, positions, lists);
  const wrong = frequencies.findIndex((frequency) => !Number.isFinite(frequency));
  if (wrong >= 0) throw new ArgumentError('rope', `${frequencies[wrong]} for pair ${wrong}`, 'finite frequencies');
  const magnitude = magnitudeOf(rope.scaling);
  const table = new Float32Array(positions * pairs * 2);
  for (let pair = 0; pair < pairs; pair++) {
    const frequency = frequencies[pair]!;
    for (let position = 0; position < positions; position++) {
      const at = (position * pairs + pair) * 2;
      table[at] = magnitude * Math.cos(position * frequency);
      table[at + 1] = magnitude * Math.sin(position * frequency);
    }
  }
  return table;
}

function magnitudeOf(scaling: RopeScaling | undefined): number {
  return scaling?.kind === 'yarn' || scaling?.kind === 'factors' ? scaling.magnitude : 1;
}

/** Radians a position, for each pair. Sources: the comments at each kind. */
export function rotaryFrequencies(rope: RopeConfig, positions: number, lists: FactorLists = {}): Float64Array {
  const { theta, dims, scaling } = rope;
  const plain = Float64Array.from({ length: dims / 2 }, (_, pair) => theta ** ((-2 * pair) / dims));
  switch (scaling?.kind) {
    case undefined:
      return plain;
    case 'linear':
      // Chen et al., Position Interpolation, arXiv 2306.15595.
      return plain.map((frequency) => frequency / scaling.factor);
    case 'llama3':
      return plain.map((frequency) => llama3(frequency, scaling));
    case 'yarn':
      return yarn(plain, rope, scaling);
    case 'factors': {
      const chosen = positions > scaling.original ? scaling.long : scaling.short;
      const factors = typeof chosen === 'string' ? lists[chosen]! : chosen;
      return plain.map((frequency, pair) => frequency / factors[pair]!);
    }
  }
}

type Scaling<K extends RopeScaling['kind']> = Extract<RopeScaling, { kind: K }>;

/** Slow pairs are stretched, fast ones left, those between in part (Llama 3.1's reference code). */
function llama3(frequency: number, { factor, fast, slow, original }: Scaling<'llama3'>): number {
  const turns = (original * frequency) / (2 * Math.PI);
  const kept = Math.min(1, Math.max(0, (turns - slow) / (fast - slow)));
  return frequency * (kept + (1 - kept) / factor);
}

/** The same, by the place of a pair among the others (Peng et al., YaRN, arXiv 2309.00071). */
function yarn(
  plain: Float64Array,
  { theta, dims }: RopeConfig,
  { factor, fast, slow, original }: Scaling<'yarn'>,
): Float64Array {
  const placeOf = (turns: number): number =>
    (dims * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const low = Math.max(0, Math.floor(placeOf(fast)));
  const high = Math.min(dims - 1, Math.ceil(placeOf(slow)));
  return plain.map((frequency, pair) => {
    const stretched = Math.min(1, Math.max(0, (pair - low) / Math.max(0.001, high - low)));
    return frequency * (1 - stretched + stretched / factor);
  });
}
