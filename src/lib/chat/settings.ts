/** What an address may ask of the page: `?model=ID&path=cpu&threads=1&temperature=0`. Whatever makes no sense is left out. */
import type { Sampling } from '$lib/engine/protocol';

export interface Settings {
  /** A model of the store, in place of the one that comes along. */
  readonly stored?: string;
  readonly path: 'auto' | 'gpu' | 'cpu';
  /** Of the processor. */
  readonly threads?: number;
  readonly sampling: Sampling;
  readonly maxTokens: number;
}

/** Small models repeat themselves when they always take the likeliest word, and ramble when they seldom do. */
const SAMPLING: Sampling = { temperature: 0.6, topP: 0.9, repetitionPenalty: 1.05 };
const MAX_TOKENS = 1024;

export function readSettings(search: string): Settings {
  const given = new URLSearchParams(search);
  const path = given.get('path');
  const stored = given.get('model');
  const threads = numberOf(given.get('threads'), 1, 64);
  const temperature = numberOf(given.get('temperature'), 0, 2);
  return {
    ...(stored && { stored }),
    path: path === 'gpu' || path === 'cpu' ? path : 'auto',
    ...(threads !== undefined && { threads: Math.floor(threads) }),
    sampling: { ...SAMPLING, ...(temperature !== undefined && { temperature }) },
    maxTokens: MAX_TOKENS,
  };
}

function numberOf(text: string | null, least: number, most: number): number | undefined {
  const number = text ? Number(text) : NaN;
  return number >= least && number <= most ? number : undefined;
}
