/**
 * Writes the library's types to dist/types. The sources' imports carry no file endings, and begin with `$lib` or `$gpu`,
 * as bundlers like it; Node's own resolution wants paths to files, so each is completed here.
 */
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
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
    /(?<=(?:from|import)\s*\(?\s*['"])(?:\.\.?|\$lib|\$gpu)(?:\/[^'"]*)?(?=['"])/g,
    (specifier) => complete(dirname(file), fromAlias(dirname(file), specifier)),
  );
  writeFileSync(file, completed);
}

const ALIASES = { $lib: join(folder, 'src', 'lib'), $gpu: join(folder, 'gpu') };

/**
 * @param {string} from the importing file's folder
 * @param {string} specifier '$gpu/device', './tensor'
 */
function fromAlias(from, specifier) {
  for (const [alias, path] of Object.entries(ALIASES)) {
    if (specifier !== alias && !specifier.startsWith(`${alias}/`)) continue;
    const target = relative(from, path + specifier.slice(alias.length))
      .split(sep)
      .join('/');
    return target.startsWith('.') ? target : `./${target}`;
  }
  return specifier;
}

/**
 * @param {string} from the importing file's folder
 * @param {string} specifier './tensor', '../device'
 */
function complete(from, specifier) {
  if (existsSync(join(from, `${specifier}.d.ts`))) return `${specifier}.js`;
  return `${specifier.replace(/\/$/, '')}/index.js`;
}
