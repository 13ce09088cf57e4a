/**
 * Hugging Face's own tokenizers, the Rust ones, as an oracle; and vocabularies of models that people use, out of npm.
 *
 * The oracle and a small vocabulary live in tests/oracles, which `npm test` installs; the others, 1 GB, in
 * tests/vocabularies, which `npm run test:large` installs.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { TestContext } from 'vitest';

/** What we use of the package `tokenizers`. */
interface Package {
  Tokenizer: { fromFile(path: string): RustTokenizer };
}

interface RustTokenizer {
  encodeBatch(
    texts: readonly string[],
    options: { addSpecialTokens: boolean },
  ): Promise<readonly { getIds(): number[] }[]>;
  decodeBatch(ids: readonly (readonly number[])[], skipSpecialTokens: boolean): Promise<string[]>;
}

const TESTS = new URL('../../', import.meta.url).pathname;

/** In tests/oracles; the rest is in tests/vocabularies. */
const SMALL = ['llama2'];

/** A file of the npm package with this vocabulary; skips the test where it is not installed. */
export function vocabularyFile(context: TestContext, name: string, file: string): string {
  const folder = SMALL.includes(name) ? 'oracles' : 'vocabularies';
  const path = `${TESTS}${folder}/node_modules/@lenml/tokenizer-${name}/models/${file}`;
  context.skip(!existsSync(path), `needs the packages of tests/${folder}, which are not installed`);
  return path;
}

export function vocabularyJson(context: TestContext, name: string, file: string): Record<string, unknown> {
  return JSON.parse(readFileSync(vocabularyFile(context, name, file), 'utf8')) as Record<string, unknown>;
}

/** The Rust tokenizer of a tokenizer.json; skips the test where it cannot be asked. */
export function rustTokenizer(context: TestContext, path: string): RustTokenizer {
  let found: Package | undefined;
  try {
    found = createRequire(`${TESTS}oracles/package.json`)('tokenizers') as Package;
  } catch {
    context.skip('the package tokenizers is not installed in tests/oracles, or not made for this system');
  }
  return found.Tokenizer.fromFile(path);
}
