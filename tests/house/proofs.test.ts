/** Where a shader or a source says which test proves it, that test is there. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../scripts/packages.js';

test('every «Proof:» leads somewhere', () => {
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'gpu', 'src'], {
    cwd: root,
    encoding: 'utf8',
  });
  const claims = files
    .split('\n')
    .filter((file) => /\.(wesl|ts|md)$/.test(file) && existsSync(join(root, file)))
    .flatMap((file) => {
      const paths = readFileSync(join(root, file), 'utf8').match(/\btests\/[\w./-]*\w/g) ?? [];
      return paths.map((path) => ({ file, path }));
    });
  expect(claims.length).toBeGreaterThan(20);
  expect(claims.filter(({ path }) => !existsSync(join(root, path)))).toEqual([]);
});
