/** Files that a person chose or dropped, as something to take in: a GGUF model, or a folder as models lie on a hub. */
import { StoreError } from './errors';
import { versionOfFile } from './fetcher';
import { type Kind, kindsOf, NEEDED } from './kinds';
import type { Choice } from './offer';
import { bytesOf, type PlannedFile } from './records';

/** A file, and where it lies in what was chosen: workers are not told that by the file itself. */
export interface LocalFile {
  readonly path: string;
  readonly file: File;
}

export interface LocalChoice {
  readonly choice: Choice;
  /** By the path that the choice has them under. */
  readonly blobs: ReadonlyMap<string, Blob>;
}

/**
 * Of a folder that was chosen or dropped, each file tells its path from that folder on; of single ones nothing.
 *
 * @param folder that files lie in which do not tell so themselves
 */
export function localFiles(files: readonly File[], folder?: string): LocalFile[] {
  const beside = (name: string): string => (folder === undefined ? name : `${folder}/${name}`);
  return files.map((file) => ({ path: file.webkitRelativePath || beside(file.name), file }));
}

/** Throws a `StoreError` of the problem `files`, which says what is missing. */
export function localChoice(files: readonly LocalFile[]): LocalChoice {
  const { models, passedOver } = kindsOf(files);
  const gguf = models.filter(({ format }) => format === 'gguf');
  if (gguf.length > 1) throw wrong(`There are ${gguf.length} GGUF models here. Choose one of them.`);
  if (gguf[0]) return asChoice(gguf[0], gguf[0].name!);
  const folders = tensorFolders(files);
  if (folders.length > 1) throw wrong('There are several models here. Choose the folder of one.');
  const [folder] = folders;
  const inside = folder === undefined ? undefined : kindsOf(filesIn(folder, files));
  const [tensors] = inside?.models ?? [];
  if (tensors) return asChoice(tensors, folder!.split('/').at(-1)! || 'model');
  const [reason] = [...(inside?.passedOver ?? []), ...passedOver];
  if (!reason) {
    throw wrong(
      'There is no model here: neither a GGUF file nor model.safetensors. Choose the file, or the folder it lies in.',
    );
  }
  throw wrong(`${reason.path} is ${reason.why}. Choose the folder with all files of the model.`);
}

/** Folders with weights that have what they need beside them, else those with weights; the uppermost ones. */
function tensorFolders(files: readonly LocalFile[]): string[] {
  const paths = new Set(files.map(({ path }) => path));
  const weights = [...paths].filter((path) => /(^|\/)(adapter_)?model[^/]*\.safetensors$/.test(path));
  const folders = [...new Set(weights.map(folderOf))];
  const complete = folders.filter((folder) =>
    NEEDED.every((name) => paths.has(folder === '' ? name : `${folder}/${name}`)),
  );
  const depths = complete.length > 0 ? complete : folders;
  const depth = Math.min(...depths.map((folder) => folder.split('/').length));
  return depths.filter((folder) => folder.split('/').length === depth);
}

function filesIn(folder: string, files: readonly LocalFile[]): LocalFile[] {
  return files
    .filter(({ path }) => folderOf(path) === folder)
    .map(({ path, file }) => ({ path: path.slice(folder === '' ? 0 : folder.length + 1), file }));
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function asChoice({ format, files, quantization }: Kind<LocalFile>, name: string): LocalChoice {
  const planned: PlannedFile[] = files.map(({ path, file }) => ({
    path,
    size: file.size,
    version: versionOfFile(file),
  }));
  const weights = planned.find(({ path }) => /\.(gguf|safetensors)$/i.test(path))!;
  return {
    choice: {
      // Chosen again after a break, the same files are the same model.
      id: `local:${name}:${weights.version ?? ''}`,
      name,
      format,
      ...(quantization !== undefined && { quantization }),
      bytes: bytesOf(planned),
      files: planned,
      origin: { kind: 'local', address: name },
    },
    blobs: new Map(files.map(({ path, file }) => [path, file])),
  };
}

function wrong(message: string): StoreError {
  return new StoreError('files', message);
}
