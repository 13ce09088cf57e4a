/**
 * What the engine is asked: the page's own choice, what the address asks for (`?model=ID&path=cpu&threads=1&temperature=0`), and
 * what was set for the conversation, the later before the earlier. Whatever makes no sense in an address is left out.
 */
import type { LoadOptions, ModelAt, RemoteModelAt, Sampling } from '$lib/engine/protocol';
import type { ChatSettings } from '$lib/conversations/records';
import { isRemote, remoteModelAt } from '$lib/store/remote-name';
import { shownName, storedId, storedName } from './models';

/** What an address may ask of the page. */
export interface AddressSettings {
  /** A model of the store or of a server, as `ChatSettings.model` names it. */
  readonly model?: string;
  readonly path?: 'gpu' | 'cpu';
  /** Of the processor. */
  readonly threads?: number;
  /** Tokens that the model holds. */
  readonly context?: number;
  readonly temperature?: number;
}

/** A model of this device, or a server's. */
export type ModelChoice = (ModelAt | RemoteModelAt) & LoadOptions;

/** In full, for one answer. */
export interface Effective {
  /** Its name, as `ChatSettings.model` has it. */
  readonly model: string;
  readonly load: ModelChoice & { readonly path: 'auto' | 'gpu' | 'cpu' };
  readonly system: string;
  readonly sampling: Sampling;
  readonly maxTokens: number;
}

/** Small models repeat themselves when they always take the likeliest word, and ramble when they seldom do. */
export const USUAL_SAMPLING = { temperature: 0.6, topP: 0.9, topK: 0, minP: 0, repetitionPenalty: 1.05 } as const;
export const USUAL_MAX_TOKENS = 1024;

export function readAddress(search: string): AddressSettings {
  const given = new URLSearchParams(search);
  const model = given.get('model');
  const path = given.get('path');
  const threads = numberOf(given.get('threads'), 1, 64);
  const context = numberOf(given.get('context'), 64, 2 ** 20);
  const temperature = numberOf(given.get('temperature'), 0, 2);
  return {
    ...(model && { model: isRemote(model) ? model : storedName(model) }),
    ...((path === 'gpu' || path === 'cpu') && { path }),
    ...(threads !== undefined && { threads: Math.floor(threads) }),
    ...(context !== undefined && { context: Math.floor(context) }),
    ...(temperature !== undefined && { temperature }),
  };
}

/**
 * @param model where neither conversation nor address name one
 * @param files of that model, where its name does not lead to them
 */
export function effective(
  model: string,
  address: AddressSettings,
  settings: ChatSettings,
  files?: readonly File[],
): Effective {
  const { path, threads, context, temperature } = address;
  const named = settings.model ?? address.model ?? model;
  return {
    model: named,
    load: {
      ...(files && named === model ? { files, name: shownName(named) } : modelAt(named)),
      path: settings.path ?? path ?? 'auto',
      // What the store has in safetensors counts there as what it becomes.
      ...(storedId(named) !== undefined && { quant: 'auto' as const }),
      ...(threads !== undefined && { threads }),
      ...(context !== undefined && { context }),
    },
    system: settings.system ?? '',
    // A server knows its model, and how words are usually drawn from it.
    sampling: {
      ...(isRemote(named) ? {} : USUAL_SAMPLING),
      ...(temperature !== undefined && { temperature }),
      ...settings.sampling,
    },
    maxTokens: settings.maxTokens ?? USUAL_MAX_TOKENS,
  };
}

function modelAt(name: string): ModelAt | RemoteModelAt {
  if (isRemote(name)) return remoteModelAt(name);
  const stored = storedId(name);
  if (stored !== undefined) return { stored };
  return { url: new URL(name, document.baseURI).href };
}

function numberOf(text: string | null, least: number, most: number): number | undefined {
  const number = text ? Number(text) : NaN;
  return number >= least && number <= most ? number : undefined;
}
