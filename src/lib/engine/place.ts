/** A model's files, wherever the request says they are. */
import { type BlobBacked, IdbDepot, type Manifest, StoreError } from '$lib/store';
import { blobSource, type ByteSource, plainName, splitPart } from '$lib/weights';
import { EngineFault } from './errors';
import type { ModelFolder, ModelPlace } from './open-model';
import type { ModelAt } from './protocol';
import { urlPlace } from './url-place';

export function placeOf(at: ModelAt, signal: AbortSignal): Promise<ModelPlace> {
  if ('url' in at) return urlPlace(at.url, signal);
  if ('stored' in at) return storedPlace(at.stored);
  return Promise.resolve(filesPlace(at.files, at.name));
}

/** One connection, however many models are opened. */
let depot: IdbDepot | undefined;

/** Reads the records alone: bytes come when they are asked for, a stretch at a time. */
async function storedPlace(id: string): Promise<ModelPlace> {
  depot ??= new IdbDepot();
  const manifest = (await depot.manifests()).find((found) => found.id === id);
  if (!manifest) throw new StoreError('missing', `${id} is not on this device, or not whole yet. Download it first.`);
  return manifestPlace(manifest, depot);
}

/** What gives a stored file's bytes. */
export interface FileSources {
  source(manifest: Manifest, file: Manifest['files'][number]): ByteSource;
}

export function manifestPlace(manifest: Manifest, depot: FileSources): ModelPlace {
  const { name, files } = manifest;
  return together(
    name,
    files.map((file) => ({ path: file.path, open: () => depot.source(manifest, file) })),
  );
}

function filesPlace(files: readonly File[], folder?: string): ModelPlace {
  const [single] = files;
  if (!single) throw new EngineFault('files', 'No file was chosen.');
  const name = folder ?? single.webkitRelativePath.split('/').at(-2) ?? 'model';
  return together(
    name,
    files.map((file) => ({ path: file.name, open: () => chosenFile(file) })),
  );
}

interface Member {
  readonly path: string;
  readonly open: () => ByteSource;
}

/** A single file, a GGUF's parts, which lie beside the first, or a folder as models lie on a hub. */
function together(name: string, members: readonly Member[]): ModelPlace {
  const find = (wanted: string): Member | undefined => members.find(({ path }) => plainName(path) === wanted);
  const folder: ModelFolder = { name, open: async (file) => find(file)?.open() };
  const first = members.find(({ path }) => splitPart(path)?.part === 1);
  if (first) return { file: first.open(), beside: folder };
  return members.length === 1 ? { file: members[0]!.open() } : { folder };
}

function chosenFile(file: File): ByteSource & BlobBacked {
  return { ...blobSource(file), blob: async () => file };
}
