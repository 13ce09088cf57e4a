/** A model's files, wherever the request says they are. */
import { type BlobBacked, IdbDepot, type Manifest, StoreError } from '$lib/store';
import { blobSource, type ByteSource } from '$lib/weights';
import { EngineFault } from './errors';
import type { ModelPlace } from './open-model';
import type { ModelAt } from './protocol';
import { urlPlace } from './url-place';

export function placeOf(at: ModelAt, signal: AbortSignal): Promise<ModelPlace> {
  if ('url' in at) return urlPlace(at.url, signal);
  if ('stored' in at) return storedPlace(at.stored);
  return Promise.resolve(filesPlace(at.files));
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
  const [single] = manifest.files;
  if (single && manifest.files.length === 1) return { file: depot.source(manifest, single) };
  const open = async (path: string): Promise<ByteSource | undefined> => {
    const file = manifest.files.find((found) => found.path === path);
    return file && depot.source(manifest, file);
  };
  return { folder: { name: manifest.name, open } };
}

function filesPlace(files: readonly File[]): ModelPlace {
  const [single] = files;
  if (!single) throw new EngineFault('files', 'No file was chosen.');
  if (files.length === 1) return { file: chosenFile(single) };
  const open = async (name: string): Promise<ByteSource | undefined> => {
    const file = files.find((found) => found.name === name);
    return file && chosenFile(file);
  };
  return { folder: { name: single.webkitRelativePath.split('/').at(-2) ?? 'model', open } };
}

function chosenFile(file: File): ByteSource & BlobBacked {
  return { ...blobSource(file), blob: async () => file };
}
