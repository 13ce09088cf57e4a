/** Files that a person chose or dropped, as something to take in: a GGUF file, or a folder as models lie on a hub. */
import { StoreError } from './errors';
import { versionOfFile } from './fetcher';
import { type Choice, quantizationOf } from './offer';
import { bytesOf, type PlannedFile } from './records';

const WEIGHTS = /\.(gguf|safetensors)$/i;
const USED =
  /^(model.*\.safetensors(\.index\.json)?|(config|tokenizer|tokenizer_config|generation_config|special_tokens_map)\.json|chat_template\.jinja)$/;

export interface LocalChoice {
  readonly choice: Choice;
  /** By the path that the choice has them under. */
  readonly blobs: ReadonlyMap<string, Blob>;
}

/** Throws a `StoreError` of the problem `files`, which says what is missing. */
export function localChoice(files: readonly File[]): LocalChoice {
  const gguf = files.filter(({ name }) => /\.gguf$/i.test(name));
  if (gguf.length > 1) throw wrong(`There are ${gguf.length} GGUF files here. Choose one of them.`);
  const [single] = gguf;
  if (single) return asChoice('gguf', single.name.replace(WEIGHTS, ''), [single]);
  const used = files.filter(({ name }) => USED.test(name));
  const names = new Set(used.map(({ name }) => name));
  if (![...names].some((name) => name.endsWith('.safetensors'))) {
    throw wrong(
      'There is no model here: neither a GGUF file nor model.safetensors. Choose the file, or the folder it lies in.',
    );
  }
  const missing = ['config.json', 'tokenizer.json'].filter((name) => !names.has(name));
  if (missing.length > 0) {
    throw wrong(
      `Beside the weights there is no ${missing.join(', and no ')}. Choose the folder with all files of the model.`,
    );
  }
  if (names.size < used.length) throw wrong('There are several models here. Choose the folder of one.');
  // Of a folder that was chosen, browsers tell each file's path in it.
  const { webkitRelativePath: path = '' } = used[0]! as Partial<File>;
  return asChoice('safetensors', path.split('/').at(-2) ?? 'model', used);
}

function asChoice(format: Choice['format'], name: string, files: readonly File[]): LocalChoice {
  const planned: PlannedFile[] = files.map((file) => ({
    path: file.name,
    size: file.size,
    version: versionOfFile(file),
  }));
  const first = planned.find(({ path }) => WEIGHTS.test(path))!;
  const quantization = format === 'gguf' ? quantizationOf(first.path) : undefined;
  return {
    choice: {
      // Chosen again after a break, the same files are the same model.
      id: `local:${name}:${first.version ?? ''}`,
      name,
      format,
      ...(quantization !== undefined && { quantization }),
      bytes: bytesOf(planned),
      files: planned,
      origin: { kind: 'local', address: name },
    },
    blobs: new Map(files.map((file) => [file.name, file])),
  };
}

function wrong(message: string): StoreError {
  return new StoreError('files', message);
}
