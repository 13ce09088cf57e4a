/** The settings of a conversation that are numbers, and how they are asked for. */
import type { Sampling } from '$lib/engine/protocol';
import type { USUAL_SAMPLING } from '../effective';

export type SamplingName = keyof typeof USUAL_SAMPLING;

export interface NumberField {
  readonly name: SamplingName;
  readonly note: `${SamplingName}Note`;
  readonly min: number;
  readonly max: number;
  readonly step: number;
}

export const SAMPLING_FIELDS: readonly NumberField[] = [
  { name: 'temperature', note: 'temperatureNote', min: 0, max: 2, step: 0.1 },
  { name: 'topP', note: 'topPNote', min: 0, max: 1, step: 0.05 },
  { name: 'topK', note: 'topKNote', min: 0, max: 1000, step: 1 },
  { name: 'minP', note: 'minPNote', min: 0, max: 1, step: 0.01 },
  { name: 'repetitionPenalty', note: 'repetitionPenaltyNote', min: 0.5, max: 2, step: 0.05 },
];

/** Their names in the catalogue, in the order in which they are shown. */
export const CONVERSATION_FIELDS = [
  'presets',
  'model',
  'system',
  'temperature',
  'topP',
  'topK',
  'minP',
  'repetitionPenalty',
  'seed',
  'maxTokens',
] as const;

/** Sampling with one value set, or left to the page again. */
export function withValue(sampling: Sampling, name: keyof Sampling, value: number | undefined): Sampling {
  const others = Object.entries(sampling).filter(([key]) => key !== name);
  return Object.fromEntries(value === undefined ? others : [...others, [name, value]]);
}

/** What stands in a field of numbers, if it is one that fits. */
export function valueOf({ value, validity }: Pick<HTMLInputElement, 'value' | 'validity'>): number | undefined {
  return value === '' || !validity.valid ? undefined : Number(value);
}
