/**
 * Files that lie beside the checkout, in ../shared: vocabularies, templates, models. Where they are absent the tests
 * that read them are skipped, and the run's last lines say so.
 */
import { existsSync, readFileSync } from 'node:fs';
import type { TestContext } from 'vitest';

const SHARED = new URL('../../../../shared/', import.meta.url).pathname;

/** Full path of a file in ../shared; skips the running test where it is not there. */
export function sharedFile(context: TestContext, path: string): string {
  const file = SHARED + path;
  context.skip(!existsSync(file), `needs ../shared/${path.split('/').slice(0, 2).join('/')}, which is not there`);
  return file;
}

export function sharedText(context: TestContext, path: string): string {
  return readFileSync(sharedFile(context, path), 'utf8');
}

export function sharedJson(context: TestContext, path: string): unknown {
  return JSON.parse(sharedText(context, path));
}
