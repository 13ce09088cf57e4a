/** What there is to download at the address of a file on any server: it, and what belongs to it, which lies beside it. */
import { sniff, SNIFFED_BYTES, splitPart, splitPaths } from '$lib/weights';
import { formatAddress, type ModelAddress } from './address';
import { StoreError } from './errors';
import { type Fetcher, type OpenedBytes, Passing } from './fetcher';
import { BESIDE, NEEDED, quantizationOf, SHARD_INDEX, shardNames } from './kinds';
import type { Choice, Offer } from './offer';
import { bytesOf, type PlannedFile } from './records';

/** Each is asked for by itself; a model of more parts than these is larger than any device. */
const MOST_FILES = 200;
/** Milliseconds: a person waits. */
const LONGEST_ANSWER = 20_000;

/** @param known what is known already, as of the pocket model */
export async function offerOfUrl(
  fetcher: Fetcher,
  address: ModelAddress,
  url: string,
  signal: AbortSignal,
  known: { readonly sha256?: string; readonly name?: string; readonly license?: string } = {},
): Promise<Offer> {
  const path = nameIn(url);
  const names = filesOf(path);
  const { host } = new URL(url);
  if (names.length > MOST_FILES) throw new StoreError('address', `${path} says that it is one of too many parts.`);
  const found: PlannedFile[] = [];
  for (const name of names) {
    const file = await look(fetcher, { path: name, size: 0, url: name === path ? url : beside(url, name) }, signal);
    if (file) found.push(name === path && known.sha256 !== undefined ? { ...file, sha256: known.sha256 } : file);
    else if (NEEDED.includes(name) || !BESIDE.includes(name)) throw notThere(host, name, path);
  }
  const text = formatAddress(address);
  const part = splitPart(path);
  const isGguf = /\.gguf$/i.test(path);
  const quantization = isGguf ? quantizationOf(part ? `${part.stem}.gguf` : path) : undefined;
  const choice: Choice = {
    id: text,
    name: known.name ?? part?.stem ?? baseName(path),
    format: isGguf ? 'gguf' : 'safetensors',
    ...(quantization !== undefined && { quantization }),
    bytes: bytesOf(found),
    files: isGguf || shardNames(path) ? found : found.map((file) => (file.path === path ? asModel(file) : file)),
    origin: { kind: address.kind === 'pocket' ? 'pocket' : 'url', address: text },
    ...(known.license !== undefined && { license: known.license }),
  };
  return { address, choices: [choice], passedOver: [], gated: false };
}

/** The file itself and what belongs to it, weights last; some of what lies beside need not be there. */
function filesOf(path: string): readonly string[] {
  if (/\.gguf$/i.test(path)) {
    const part = splitPart(path);
    return part ? splitPaths(part) : [path];
  }
  const shards = shardNames(path);
  return shards ? [...BESIDE, SHARD_INDEX, ...shards] : [...BESIDE, path];
}

/** Weights in one file have one name, by which they are found. */
function asModel(file: PlannedFile): PlannedFile {
  return { ...file, path: 'model.safetensors' };
}

function baseName(path: string): string {
  return path
    .split('/')
    .at(-1)!
    .replace(/\.(gguf|safetensors)$/i, '');
}

function nameIn(url: string): string {
  const name = new URL(url).pathname.split('/').at(-1)!;
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** With what follows the «?», such as a signature. */
function beside(url: string, name: string): string {
  return Object.assign(new URL(encodeURIComponent(name), url), { search: new URL(url).search }).href;
}

function notThere(host: string, name: string, path: string): StoreError {
  if (name === path) return new StoreError('not-found', `${host} has no ${path}.`);
  if (splitPart(name) || shardNames(name)) {
    return new StoreError('not-found', `${path} is one of several parts, and ${host} has no ${name} beside it.`);
  }
  const message = `${path} is weights alone: beside it, ${host} has no ${name}. Name a repository that has both, or a GGUF file.`;
  return new StoreError('not-found', message);
}

/** Asks for the first bytes: they tell what it is, the answer how large. The rest of an answer is not waited for. */
async function look(fetcher: Fetcher, file: PlannedFile, signal: AbortSignal): Promise<PlannedFile | undefined> {
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(LONGEST_ANSWER)]);
  try {
    const opened = await fetcher.open(file, 0, SNIFFED_BYTES, inTime);
    const start = await beginning(opened);
    const { size, version } = opened;
    if (/\.(gguf|safetensors)$/i.test(file.path)) requireWeights(file, start);
    return { ...file, size, ...(version !== undefined && { version }) };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Passing) throw error.final;
    if (!(error instanceof StoreError)) throw noAnswer(file, error);
    if (error.problem === 'not-found') return undefined;
    throw error;
  }
}

function noAnswer({ url, path }: PlannedFile, cause: unknown): StoreError {
  const message = `${new URL(url!).host} began to send ${path}, and broke off. Check the connection, then try again.`;
  return new StoreError('network', message, { cause });
}

async function beginning({ bytes: reader }: OpenedBytes): Promise<Uint8Array> {
  const start: number[] = [];
  try {
    for (let bytes = await reader.read(); bytes && start.length < SNIFFED_BYTES; bytes = await reader.read()) {
      start.push(...bytes.subarray(0, SNIFFED_BYTES));
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
  return new Uint8Array(start);
}

/** A page that says «not found» with status 200, or a pointer to the file, is no model. */
function requireWeights({ path, url }: PlannedFile, start: Uint8Array): void {
  const format = sniff(start);
  if (typeof format === 'string' && path.toLowerCase().endsWith(format)) return;
  const is = typeof format === 'string' ? `a ${format} file under another name.` : format.mistake;
  throw new StoreError('wrong-bytes', `What ${new URL(url!).host} sends as ${path} is ${is}`);
}
