/** What `--model` names: a folder, a GGUF file, or an address. */
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EngineFault } from '$lib/engine/errors';
import type { ModelFolder, ModelPlace } from '$lib/engine/open-model';
import { urlPlace } from '$lib/engine/url-place';
import { openFile } from '$lib/weights/node-source';

export async function modelPlace(name: string, signal: AbortSignal): Promise<ModelPlace> {
  if (/^https?:\/\//i.test(name)) return urlPlace(name, signal);
  const found = await stat(name).catch(() => undefined);
  if (!found) throw new EngineFault('files', `${name}: there is no such file or folder.`);
  return found.isDirectory()
    ? { folder: diskFolder(name) }
    : { file: await openFile(name), beside: diskFolder(dirname(name)) };
}

function diskFolder(path: string): ModelFolder {
  return {
    name: path,
    async open(file) {
      const full = join(path, file);
      const found = await stat(full).catch(() => undefined);
      return found?.isFile() ? openFile(full) : undefined;
    },
  };
}
