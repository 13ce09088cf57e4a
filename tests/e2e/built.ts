/** The built app as files: what there is, and which of them is what. */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const BUILD = fileURLToPath(new URL('../../build', import.meta.url));

/** Paths below `BUILD`, with slashes. */
export function builtFiles(): string[] {
  return readdirSync(BUILD, { recursive: true, encoding: 'utf8' })
    .map((path) => path.split('\\').join('/'))
    .filter((path) => statSync(join(BUILD, path)).isFile());
}

/** The script of the worker that the page starts under this name; files of workers are called alike. */
export function workerNamed(name: string): string {
  const start = new RegExp(`(workers/worker-[\\w-]+\\.js)[^}]*name:\\s*["'\`]${name}["'\`]`);
  for (const path of builtFiles().filter((file) => file.endsWith('.js'))) {
    const found = start.exec(readFileSync(join(BUILD, path), 'utf8'));
    if (found) return `_app/immutable/${found[1]}`;
  }
  throw new Error(`no worker «${name}» is started by any script`);
}
