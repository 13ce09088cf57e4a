/**
 * What there is to download in a repository: each GGUF file by itself, and its safetensors with what they need. Names,
 * sizes and hashes come from the hub at this moment. Of files elsewhere: `offer-url.ts`.
 */
import { formatAddress, HUGGING_FACE, type ModelAddress } from './address';
import { StoreError } from './errors';
import type { HubClient, HubListing } from './hub';
import { type Format, type Kind, kindsOf } from './kinds';
import { bytesOf, type FileFacts, type Origin, type PlannedFile } from './records';

/** One model that can be downloaded as it is. */
export interface Choice {
  /** The same for the same files of the same repository and revision. */
  readonly id: string;
  readonly name: string;
  readonly format: Format;
  /** Of a GGUF file, as its name says: `Q8_0`, `Q4_K_M`. */
  readonly quantization?: string;
  readonly bytes: number;
  readonly files: readonly PlannedFile[];
  readonly origin: Origin;
  readonly license?: string;
}

export interface Offer {
  readonly address: ModelAddress;
  /** Smallest first. Never empty. A model in parts is one. */
  readonly choices: readonly Choice[];
  /** Files that look like models and cannot be run, with the reason. */
  readonly passedOver: readonly { readonly path: string; readonly why: string }[];
  /** The publisher wants his terms accepted before the first byte. */
  readonly gated: boolean;
}

export async function offerOfRepo(
  client: HubClient,
  address: Extract<ModelAddress, { kind: 'hub' }>,
  signal?: AbortSignal,
): Promise<Offer> {
  const listing = await client.list(address.repo, address.revision, signal);
  const { models, passedOver } = kindsOf(listing.files);
  const choices = models.map((model) => choiceOf(model, client, address, listing));
  const wanted = narrow(choices, address);
  if (wanted.length === 0) throw nothingHere(address, choices, passedOver);
  wanted.sort((a, b) => a.bytes - b.bytes);
  return { address, choices: wanted, passedOver, gated: listing.gated };
}

function choiceOf(
  { format, files, name, quantization }: Kind<FileFacts>,
  client: HubClient,
  address: Extract<ModelAddress, { kind: 'hub' }>,
  { repo, commit, license }: HubListing,
): Choice {
  const revision = address.revision === undefined ? {} : { revision: address.revision };
  const path = format === 'gguf' ? { path: files[0]!.path } : {};
  const text = formatAddress({ kind: 'hub', repo, ...revision, ...path });
  return {
    id: client.url === HUGGING_FACE ? text : `${client.url}/${text}`,
    name: name ?? repo.split('/')[1]!,
    format,
    ...(quantization !== undefined && { quantization }),
    bytes: bytesOf(files),
    files: files.map((file) => ({ ...file, url: client.fileUrl(repo, commit, file.path) })),
    origin: { kind: 'hub', address: text, hub: client.url, repo, commit },
    ...(license !== undefined && { license }),
  };
}

function narrow(choices: readonly Choice[], { path, variant }: { path?: string; variant?: string }): Choice[] {
  if (path !== undefined) return choices.filter(({ files }) => files.some((file) => file.path === path));
  if (variant === undefined) return [...choices];
  const wanted = variant.toLowerCase();
  const exact = choices.filter(({ quantization }) => quantization?.toLowerCase() === wanted);
  return exact.length > 0 ? exact : choices.filter(({ name }) => name.toLowerCase().includes(wanted));
}

function nothingHere(
  { repo, path, variant }: Extract<ModelAddress, { kind: 'hub' }>,
  choices: readonly Choice[],
  passedOver: Offer['passedOver'],
): StoreError {
  const asked = path ?? variant;
  const named = choices.slice(0, 6).map(({ quantization, name }) => quantization ?? name);
  if (asked !== undefined && named.length > 0) {
    const rest = choices.length > named.length ? ' and others' : '';
    return new StoreError('not-found', `${repo} has no ${asked}. It has ${named.join(', ')}${rest}.`);
  }
  const reasons = passedOver.map((file) => `${file.path} is ${file.why}`);
  const advice = 'Look for a repository of the model with GGUF files, or with model.safetensors.';
  return new StoreError('not-found', [`${repo} has no model that can be run here.`, ...reasons, advice].join(' '));
}
