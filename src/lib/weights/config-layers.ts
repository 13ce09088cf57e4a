/** What both kinds of files leave to the family: which layers look back only so far, and what differs by its name. */
import { ARCHITECTURES, FAMILIES, isArchitecture } from '$gpu/formats/families';
import type { Architecture } from '$gpu/formats/families';
import type { LayerKind } from '$gpu/formats/model';
import { FormatError } from './errors';

export function requireArchitecture(
  name: string | undefined,
  file: string,
  field: string,
  found: string,
): Architecture {
  if (name !== undefined && isArchitecture(name)) return name;
  const known = ARCHITECTURES.map((one) => `${one} (${FAMILIES[one].models})`).join(', ');
  throw new FormatError(file, 'unsupported', field, `models of the family «${found}» cannot be run. Known: ${known}.`);
}

/** Every layer of a family looks back only so far but every n-th, which sees all. */
const WHOLE_EVERY: Partial<Record<Architecture, number>> = { gemma2: 2, gemma3: 6 };

/** Every n-th layer does not turn by position. */
export const ROPELESS_EVERY: Partial<Record<Architecture, number>> = { smollm3: 4 };

export interface LayerFacts {
  readonly architecture: Architecture;
  readonly count: number;
  /** Newest positions that windowed layers see; undefined or 0: there are no such layers. */
  readonly window: number | undefined;
  /** Which layers are windowed, where the file says so. */
  readonly windowed?: ((layer: number) => boolean) | undefined;
  /** Which layers do not turn, where the file says so. */
  readonly ropeless?: ((layer: number) => boolean) | undefined;
  /** Windowed layers turn otherwise. */
  readonly localRope?: boolean;
}

export function layerKinds(facts: LayerFacts): LayerKind[] {
  const { architecture, count, window, localRope = false } = facts;
  const wholeEvery = WHOLE_EVERY[architecture];
  const ropelessEvery = ROPELESS_EVERY[architecture];
  const windowed = facts.windowed ?? ((layer) => wholeEvery === undefined || (layer + 1) % wholeEvery !== 0);
  const ropeless = facts.ropeless ?? ((layer) => ropelessEvery !== undefined && (layer + 1) % ropelessEvery === 0);
  return Array.from({ length: count }, (_, layer): LayerKind => {
    const local = Boolean(window) && windowed(layer);
    const rope = ropeless(layer) ? 'none' : local && localRope ? 'local' : 'global';
    return local ? { window: window!, rope } : { rope };
  });
}

/** Positions that turn as local ones do, where a Gemma 3 file does not say: its windowed layers were never stretched. */
export const LOCAL_THETA = 10000;

/** The softening that goes with stretched positions (Peng et al., YaRN, arXiv 2309.00071, section 3.4). */
export function yarnMagnitude(factor: number): number {
  return factor <= 1 ? 1 : 1 + 0.1 * Math.log(factor);
}
