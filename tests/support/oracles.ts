/** Packages of tests/oracles, which `npm test` installs. Nothing here knows their types: what is used of them is said. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const oracles = new URL('../oracles/package.json', import.meta.url);

/** Why they cannot be asked here, if they cannot. */
export function missingPackage(name: string): string | undefined {
  return existsSync(new URL(`node_modules/${name}`, oracles)) ? undefined : `${name} is not installed in tests/oracles`;
}

/** As `import` gives it. */
export async function oracle<T>(name: string): Promise<T> {
  const file = createRequire(oracles).resolve(name);
  return (await import(/* @vite-ignore */ pathToFileURL(file).href)) as T;
}
