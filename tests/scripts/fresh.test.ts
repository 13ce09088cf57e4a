/** What a fresh clone can do before anything else has run in it: each command does all its own set-up. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
let clone = '';

beforeAll(() => {
  clone = mkdtempSync(join(tmpdir(), 'fireside-fresh-'));
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' });
  for (const file of files.split('\n').filter((name) => name && existsSync(join(root, name)))) {
    cpSync(join(root, file), join(clone, file), { recursive: true });
  }
  // What `npm ci` makes is the same everywhere, and takes long.
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'));
});

afterAll(() => rmSync(clone, { recursive: true, force: true }));

function run(script: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join('scripts', script), ...args], {
    cwd: clone,
    encoding: 'utf8',
    env: { ...process.env, VITEST: '', NODE_ENV: '' },
  });
  return { status, said: stdout + stderr };
}

describe('in a fresh clone', () => {
  beforeEach((context) => {
    // Whoever runs `npm test` in a fresh clone sees as much: end-to-end tests build the app there.
    if (!inject('large')) context.skip('builds app and command once more: npm run test:large');
  });

  test('the command line builds itself', () => {
    const { status, said } = run('fireside.js', '--help');
    expect(said).toContain('Go on with a text');
    expect(status, said).toBe(0);
  });

  test('the app is built, with the pocket model in it', () => {
    const { status, said } = run('build.js');
    expect(status, said).toBe(0);
    expect(existsSync(join(clone, 'build', 'index.html'))).toBe(true);
    expect(existsSync(join(clone, 'build', 'pocket', 'minimind2-small-q8_0.gguf'))).toBe(true);
  });
});
