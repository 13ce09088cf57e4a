/**
 * Loads `@mlc-ai/web-xgrammar` under Node. Its package says «module», but its one file is a script that looks for
 * CommonJS first, and as a module it would ask for a `require` that is not there: so it is run as a script, and told that
 * it is in a page, which is all it needs, for its WebAssembly is inside.
 *
 * Not for pages: `node:` modules.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { compileFunction } from 'node:vm';
import type { Xgrammar } from './xgrammar';

let loaded: Promise<Xgrammar> | undefined;

export function loadXgrammarInNode(): Promise<Xgrammar> {
  return (loaded ??= load());
}

async function load(): Promise<Xgrammar> {
  const file = createRequire(import.meta.url).resolve('@mlc-ai/web-xgrammar');
  const module = { exports: {} };
  const scope = {
    module,
    exports: module.exports,
    process: undefined,
    window: {},
    location: { href: 'file:///xgrammar.js' },
    // What is wrong with a grammar is thrown as well.
    console: { log: () => {}, warn: () => {}, error: () => {} },
  };
  const script = compileFunction(await readFile(file, 'utf8'), Object.keys(scope), { filename: file });
  (script as (...values: unknown[]) => void)(...Object.values(scope));
  return module.exports as Xgrammar;
}
