/**
 * Writes the library's types to dist/types. The sources' imports carry no file endings, as bundlers like it; Node's
 * own resolution wants them, so each is completed here.
 */
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root, runPackage } from './packages.js';

const folder = join(root, 'dist', 'types');

/** @returns {number} exit code */
export function writeTypes() {
  rmSync(folder, { recursive: true, force: true });
  const status = runPackage('typescript', ['--project', 'tsconfig.library.json'], { bin: 'tsc' });
  if (status !== 0) return status;
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (name.endsWith('.d.ts')) completeImports(join(folder, name));
  }
  return 0;
}

/** @param {string} file */
function completeImports(file) {
  const completed = readFileSync(file, 'utf8').replace(
    /(?<=(?:from|import)\s*\(?\s*['"])\.\.?(?:\/[^'"]*)?(?=['"])/g,
    (specifier) => complete(dirname(file), specifier),
  );
  writeFileSync(file, completed);
}

/**
 * @param {string} from the importing file's folder
 * @param {string} specifier './tensor', '../device'
 */
function complete(from, specifier) {
  if (existsSync(join(from, `${specifier}.d.ts`))) return `${specifier}.js`;
  return `${specifier.replace(/\/$/, '')}/index.js`;
}
