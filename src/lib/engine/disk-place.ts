/** A model's files on a disk: a folder, or a GGUF file. Not for pages: `node:` modules. */
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { openFile } from '$lib/weights/node-source';
import type { ModelFolder, ModelPlace } from './open-model';

/** Undefined: there is nothing of this name. */
export async function diskPlace(name: string): Promise<ModelPlace | undefined> {
  const found = await stat(name).catch(() => undefined);
  if (!found) return undefined;
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
